"""Prints the numbers in tests/core/ops/test_psnr.c and test_ssim.c, and the taps in ssim.c.

The formulas of Wang et al. 2004 with its window of 11x11 pixels, in numpy, window by window.
"""

import numpy as np

np.set_printoptions(precision=17)


def images(i):
    """[2, 13, 12, 2] of 0 .. 1; the rule of test_ssim.c."""
    a = i * i * 37 % 101 / 100.0
    return a, 0.75 * a + 0.25 * (i * 53 % 89) / 88.0


def taps():
    g = np.exp(-np.arange(-5, 6) ** 2 / (2 * 1.5 ** 2))
    return g / g.sum()


def ssim(a, b, peak):
    g = np.outer(taps(), taps())
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    values = []
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            u, v = a[y:y + 11, x:x + 11], b[y:y + 11, x:x + 11]
            mu, mv = (g * u).sum(), (g * v).sum()
            suu, svv = (g * (u - mu) ** 2).sum(), (g * (v - mv) ** 2).sum()
            suv = (g * (u - mu) * (v - mv)).sum()
            values.append((2 * mu * mv + c1) * (2 * suv + c2)
                          / ((mu ** 2 + mv ** 2 + c1) * (suu + svv + c2)))
    return np.mean(values)


def psnr(a, b, peak):
    return 10 * np.log10(peak ** 2 / ((a - b) ** 2).mean())


A, B = (v.reshape(2, 13, 12, 2) for v in images(np.arange(2 * 13 * 12 * 2)))
print("taps", taps())
for peak in (1, 2):
    each = [ssim(A[n, :, :, c], B[n, :, :, c], peak) for n in range(2) for c in range(2)]
    print("ssim, max", peak, "%.12f" % np.mean(each))
    print("psnr, max", peak, "%.12f" % np.mean([psnr(A[n], B[n], peak) for n in range(2)]))
