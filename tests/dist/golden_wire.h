/* Made by tests/golden/wire.py. */
#pragma once
#include <stdint.h>

/* Bits of a float32, and of it as bfloat16. */
static const uint32_t golden_bf16[][2] = {
    {0x00000000, 0x0000}, {0x80000000, 0x8000}, {0x00000001, 0x0000}, {0x00008000, 0x0000},
    {0x00008001, 0x0001}, {0x00018000, 0x0002}, {0x007fffff, 0x0080}, {0x00800000, 0x0080},
    {0x3f800000, 0x3f80}, {0x3f807fff, 0x3f80}, {0x3f808000, 0x3f80}, {0x3f808001, 0x3f81},
    {0x3f818000, 0x3f82}, {0xbf818001, 0xbf82}, {0x3fffffff, 0x4000}, {0x7f7f7fff, 0x7f7f},
    {0x7f7f8000, 0x7f80}, {0x7f7fffff, 0x7f80}, {0xff7fffff, 0xff80}, {0x7f800000, 0x7f80},
    {0xff800000, 0xff80}, {0x42f6e979, 0x42f7}, {0xc2f6e979, 0xc2f7}, {0x80012345, 0x8001}};

/* Numbers, and scales and codes of them in blocks of 16. */
enum { GOLDEN_BLOCK = 16 };
static const float golden_int8[] = {
    0x1.1e2e380000000p+4f,   0x1.5d35380000000p+5f,   0x1.5d35380000000p+4f,
    -0x1.2a28aa0000000p+4f,  -0x1.22dcd40000000p-12f, -0x1.6b45f00000000p-2f,
    -0x1.5b0afe0000000p-14f, -0x1.41063c0000000p-1f,  -0x1.cb77800000000p-12f,
    -0x1.38bfe60000000p-8f,  -0x1.5059700000000p+0f,  0x1.c4ed3a0000000p-1f,
    0x1.20ca500000000p-7f,   0x1.6686020000000p-13f,  0x1.99e0280000000p-5f,
    -0x1.5377d00000000p-15f, -0x1.bec2460000000p-5f,  -0x1.fabfec0000000p-7f,
    0x1.88f26c0000000p+6f,   -0x1.cdd23c0000000p-14f, -0x1.2f5f360000000p+0f,
    -0x1.50efd20000000p-6f,  0x1.8595ba0000000p-10f,  0x1.2eff300000000p+1f,
    -0x1.0c610e0000000p-10f, -0x1.2b0d100000000p-14f, 0x1.063f2a0000000p-14f,
    -0x1.9aea0a0000000p+0f,  -0x1.42792c0000000p-14f, -0x1.81ed720000000p-16f,
    0x1.869fc20000000p-11f,  0x1.0303460000000p-9f,   -0x1.3e7ede0000000p+0f,
    -0x1.06bd000000000p-14f, -0x1.4938fc0000000p-4f,  -0x1.35a4840000000p+1f,
    -0x1.2eb54a0000000p-7f,  -0x1.ad71d20000000p-14f, 0x1.d76e360000000p-14f,
    -0x1.0e290c0000000p-3f,  -0x1.9f8fa20000000p+0f,  0x1.4b190c0000000p-1f,
    -0x1.6cd23e0000000p-2f};
static const float golden_int8_scale[] = {0x1.5ff5220000000p-2f, 0x1.8c0a820000000p-1f,
                                          0x1.3814ae0000000p-6f};
static const int golden_int8_code[] = {52, 127, 64,  -54, 0,  -1,   0, -2, 0, 0,  -4,  3,  0,  0, 0,
                                       0,  0,   0,   127, 0,  -2,   0, 0,  3, 0,  0,   0,  -2, 0, 0,
                                       0,  0,   -65, 0,   -4, -127, 0, 0,  0, -7, -85, 34, -19};
