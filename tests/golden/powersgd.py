#!/usr/bin/env python3
"""Numbers of tests/dist/golden_powersgd.h: sums over ranks as PowerSGD gives them (Vogels et al. 2019,
arXiv:1905.13727, algorithms 1 and 2, and PyTorch's powerSGD_hook, which sums what the ranks lack of the
mean), in float64 by numpy. The first q is drawn as core/base/rng.h says. Prints the header."""
import numpy

ROWS, COLS, RANK, AT, LEN, STEPS = 10, 8, 2, 5, 93, 3
PURPOSE = 8  # RNG_POWERSGD
MASK = 0xffffffff


def philox(c, k):
    c, k = list(c), list(k)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def normal(key, i):
    a, b = philox([i & MASK, i >> 32, 1, 0], [key & MASK, key >> 32])[:2]
    return numpy.sqrt(-2 * numpy.log((a + 0.5) / 2**32)) * numpy.cos(2 * numpy.pi * b / 2**32)


def first_q():
    out = philox([0, 0, AT, 0], [0, PURPOSE << 24])
    key = out[1] << 32 | out[0]
    return numpy.array([[normal(key, k * COLS + j) for k in range(RANK)] for j in range(COLS)])


def vector(rank, step):
    i = numpy.arange(LEN)
    return ((i * 31 + rank * rank * 17 + rank * i + step * 7) % 101 - 50) / 16


def sums(size):
    q, lost = first_q(), [numpy.zeros((ROWS, COLS))] * size
    inside = slice(AT, AT + ROWS * COLS)
    for step in range(STEPS):
        v = [vector(r, step) for r in range(size)]
        m = [v[r][inside].reshape(ROWS, COLS) + lost[r] for r in range(size)]
        p = numpy.linalg.qr(sum(m) @ q)[0]
        q = sum(m).T @ p
        lost = [m[r] - p @ q.T / size for r in range(size)]
        total = sum(v)
        total[inside] = (p @ q.T).ravel()
        yield total


print("/* Made by tests/golden/powersgd.py: sums over 2, 3 and 4 ranks in three steps. */\n#pragma once\n")
print("enum {\n    GOLDEN_ROWS = %d,\n    GOLDEN_COLS = %d,\n    GOLDEN_RANK = %d,\n    GOLDEN_AT = %d,\n"
      "    GOLDEN_LEN = %d,\n    GOLDEN_STEPS = %d\n};" % (ROWS, COLS, RANK, AT, LEN, STEPS))
print("static const double golden_powersgd[3][GOLDEN_STEPS][GOLDEN_LEN] = {")
for n in (2, 3, 4):
    print("{" + ",\n".join("{" + ", ".join("%.7g" % x for x in total) + "}" for total in sums(n)) + "},")
print("};")
