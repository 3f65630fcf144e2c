"""Fits the polynomial of normal_float() in src/core/ops/act_math.h and prints its coefficients and
largest relative error: P(X > s) exp(s^2 / 2) = t p(t), t = 1 / (1 + 0.3 s), for 0 <= s <= 14, where
exp(-s^2 / 2) ends in float. Minimax by reweighted least squares (Lawson 1961)."""

import numpy as np
import torch

A, DEGREE, N = 0.3, 10, 4000
low = 1 / (1 + A * 14)
t = (1 + low) / 2 + (1 - low) / 2 * np.cos(np.pi * (np.arange(N) + 0.5) / N)
s = (1 / t - 1) / A
tail = torch.special.erfcx(torch.from_numpy(s / np.sqrt(2))).numpy() / 2
powers = np.stack([t ** (j + 1) / tail for j in range(DEGREE)], 1)
weight = np.ones(N)
for _ in range(60):
    root = np.sqrt(weight)
    p = np.linalg.lstsq(powers * root[:, None], root, rcond=None)[0]
    error = np.abs(powers @ p - 1)
    weight = np.maximum(weight * error / (weight * error).max(), 1e-12)
print(error.max())
print(*("%.9g" % v for v in p), sep="\n")
