#!/usr/bin/python3
"""tests/io/regions/golden_segments.h: pieces of a picture by the algorithm of Felzenszwalb &
Huttenlocher 2004, written from the paper with sets of pixels in place of trees.

    python3 tests/golden/segments.py > tests/io/regions/golden_segments.h
"""
import math
from struct import pack, unpack

H, W, C = 20, 26, 3


def single(v):
    return unpack("f", pack("f", v))[0]


def picture(p, y, x):
    """As picture_at of tests/io/regions/test_segment.c: shapes on a slope, and what looks like noise."""
    noise = (x * 37 + y * 101 + p * 59 + x * y * 13) % 23
    if 3 <= x < 11 and 4 <= y < 12:
        return 180 - 40 * p + noise
    if (x - 19) ** 2 + (y - 12) ** 2 < 30:
        return 40 + 60 * p + noise
    return 90 + 2 * x + noise


def gauss(line, sigma):
    radius = math.ceil(4 * sigma)
    w = [math.exp(-0.5 * (k / sigma) ** 2) for k in range(-radius, radius + 1)]
    out = []
    for i in range(len(line)):
        at = [min(max(i + k, 0), len(line) - 1) for k in range(-radius, radius + 1)]
        out.append(single(sum(a * line[j] for a, j in zip(w, at)) / sum(w)))
    return out


def smooth(plane, sigma):
    if sigma == 0:
        return plane
    rows = [gauss(r, sigma) for r in plane]
    columns = [gauss([r[x] for r in rows], sigma) for x in range(W)]
    return [[columns[x][y] for x in range(W)] for y in range(H)]


def segment(sigma, k, least):
    planes = [smooth([[single(picture(p, y, x)) for x in range(W)] for y in range(H)], sigma)
              for p in range(C)]
    edges = []
    for y in range(H):
        for x in range(W):
            for u, v in ((x + 1, y), (x, y + 1), (x + 1, y + 1), (x - 1, y + 1)):
                if 0 <= u < W and v < H:
                    d = math.sqrt(sum((pl[y][x] - pl[v][u]) ** 2 for pl in planes))
                    edges.append((single(d), (y, x), (v, u)))
    edges.sort(key=lambda e: e[0])  # stable
    of = {(y, x): frozenset([(y, x)]) for y in range(H) for x in range(W)}
    inner = {of[q]: 0.0 for q in of}  # Int(C): its largest weight

    def unite(a, b, weight):
        both = a | b
        inner[both] = weight
        for q in both:
            of[q] = both

    for weight, a, b in edges:
        ca, cb = of[a], of[b]
        if ca is not cb and weight <= min(inner[ca] + k / len(ca), inner[cb] + k / len(cb)):
            unite(ca, cb, weight)
    for weight, a, b in edges:
        ca, cb = of[a], of[b]
        if ca is not cb and min(len(ca), len(cb)) < least:
            unite(ca, cb, weight)
    seen = []
    for y in range(H):
        for x in range(W):
            if of[(y, x)] not in seen:
                seen.append(of[(y, x)])
    return [seen.index(of[(y, x)]) for y in range(H) for x in range(W)], len(seen)


CASES = [(0.8, 100, 10), (0.8, 300, 30), (0, 60, 1), (0.8, 2000, 50)]
print("/* By tests/golden/segments.py. */\n#pragma once\n")
print("enum { GOLDEN_H = %d, GOLDEN_W = %d, GOLDEN_C = %d };\n" % (H, W, C))
print("static const struct {\n    double sigma, k;\n    int least, n;")
print("    unsigned char label[GOLDEN_H * GOLDEN_W];\n} golden_pieces[] = {")
for sigma, k, least in CASES:
    label, n = segment(sigma, k, least)
    assert 1 < n < 256, n
    print("    {%g, %g, %d, %d,\n     {%s}}," % (sigma, k, least, n, ", ".join(map(str, label))))
print("};")
