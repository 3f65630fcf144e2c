"""Prints the numbers in tests/core/ops/test_frechet.c and test_moments.c.

The distance as in the published code of Heusel et al., with the matrix root worked out from the
eigenvalues of the (not symmetric) product of both covariances, which is not how frechet.c does it.
"""

import numpy as np


def features(k):
    """[7, 4]; the rule of test_frechet.c."""
    i = np.arange(7 * 4)
    return ((i * i * (k + 3) + 5 * i * k) % 23 / 10.0 + 0.3 * k).reshape(7, 4)


def frechet(x, y):
    c, d = np.cov(x, rowvar=False, bias=True), np.cov(y, rowvar=False, bias=True)
    root = np.sqrt(np.linalg.eigvals(c @ d).astype(complex)).real.sum()
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(c) + np.trace(d) - 2 * root


X, Y = features(1), features(2)
print("distance %.12f" % frechet(X, Y))
# Two samples have a covariance of rank 1: (C D)^(1/2) has one eigenvalue that is not 0.
print("of rank 1 %.12f" % frechet(X[:2], Y[:2]))
