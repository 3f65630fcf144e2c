#!/usr/bin/env python3
"""Numbers of tests/dist/golden_wire.h: bfloat16 by PyTorch's own rounding, int8 by numpy from the words of
wire.h. Prints the header."""
import numpy
import torch

EDGES = [0x00000000, 0x80000000, 0x00000001, 0x00008000, 0x00008001, 0x00018000, 0x007fffff, 0x00800000,
         0x3f800000, 0x3f807fff, 0x3f808000, 0x3f808001, 0x3f818000, 0xbf818001, 0x3fffffff, 0x7f7f7fff,
         0x7f7f8000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x42f6e979, 0xc2f6e979, 0x80012345]
BLOCK = 16


def rows(values, form, per_line=6):
    texts = [form(v) for v in values]
    return ",\n".join("    " + ", ".join(texts[i:i + per_line]) for i in range(0, len(texts), per_line))


def bfloat16():
    x = torch.from_numpy(numpy.array(EDGES, dtype=numpy.uint32).view(numpy.float32).copy())
    rounded = x.to(torch.bfloat16).to(torch.float32).numpy().view(numpy.uint32) >> 16
    print("/* Bits of a float32, and of it as bfloat16. */")
    print("static const uint32_t golden_bf16[][2] = {")
    print(rows(list(zip(EDGES, rounded)), lambda p: "{0x%08x, 0x%04x}" % p, 4))
    print("};\n")


def int8():
    draw = numpy.random.RandomState(3)
    x = (draw.standard_normal(3 * BLOCK - 5) * 10.0 ** draw.randint(-4, 3, 3 * BLOCK - 5)).astype(numpy.float32)
    x[2] = 0.5 * abs(x[:BLOCK]).max()  # 63.5 levels: a tie, to 64
    scale, code = [], []
    for begin in range(0, len(x), BLOCK):
        block = x[begin:begin + BLOCK]
        s = numpy.float32(abs(block).max() / numpy.float32(127))
        scale.append(s)
        code += list(numpy.clip(numpy.rint(block / s), -127, 127).astype(int))
    print("/* Numbers, and scales and codes of them in blocks of %d. */" % BLOCK)
    print("enum { GOLDEN_BLOCK = %d };" % BLOCK)
    print("static const float golden_int8[] = {\n%s\n};" % rows(x, lambda v: v.item().hex() + "f", 4))
    print("static const float golden_int8_scale[] = {\n%s\n};" % rows(scale, lambda v: v.item().hex() + "f", 4))
    print("static const int golden_int8_code[] = {\n%s\n};" % rows(code, str, 16))


print("/* Made by tests/golden/wire.py. */\n#pragma once\n#include <stdint.h>\n")
bfloat16()
int8()
