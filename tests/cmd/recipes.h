/* recipes.h - what the commands of docs/cookbook.md are given: sounds and scans, drawn; and these
 * commands. In the scratch folder of program_setup. */
#pragma once
#include "support/program.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static inline void put_number(unsigned char *at, unsigned value, int bytes) {
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i & 255);
}

static inline void put_bytes(const char *path, const void *head, size_t head_len, const void *data,
                             size_t len) {
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(head, 1, head_len, file), head_len);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* Uniform in [0, 1): the generator of POSIX's rand(). */
static inline double drawn(unsigned *state) {
    *state = *state * 1103515245U + 12345U;
    return (double)(*state >> 8 & 0xffff) / 65536;
}

/* A tone of that frequency at 8000 Hz in noise, 16 bits. */
static inline void write_tone(const char *path, double frequency, unsigned *state) {
    enum { N = 4000, RATE = 8000 };
    unsigned char head[44] = "RIFF....WAVEfmt ", data[2 * N];

    put_number(head + 4, 36 + 2 * N, 4);
    put_number(head + 16, 16, 4);
    put_number(head + 20, 1, 2);
    put_number(head + 22, 1, 2);
    put_number(head + 24, RATE, 4);
    put_number(head + 28, 2 * RATE, 4);
    put_number(head + 32, 2, 2);
    put_number(head + 34, 16, 2);
    memcpy(head + 36, "data", 4);
    put_number(head + 40, 2 * N, 4);
    for (int i = 0; i < N; i++) {
        const double v = 0.5 * sin(6.283185307 * frequency * i / RATE) + drawn(state) - 0.5;

        put_number(data + 2 * i, (unsigned)(int)(10000 * v) & 0xffff, 2);
    }
    put_bytes(path, head, sizeof head, data, sizeof data);
}

/* Three classes by pitch, 40 of each. */
static inline void write_sounds(void) {
    static const struct {
        const char *name;
        double low, high;
    } pitch[] = {{"low", 200, 450}, {"middle", 600, 850}, {"high", 1000, 1500}};
    unsigned state = 1;
    char path[64];

    assert_int_equal(mkdir("sounds", 0777), 0);
    for (int k = 0; k < 3; k++) {
        snprintf(path, sizeof path, "sounds/%s", pitch[k].name);
        assert_int_equal(mkdir(path, 0777), 0);
        for (int i = 0; i < 40; i++) {
            snprintf(path, sizeof path, "sounds/%s/%d.wav", pitch[k].name, i);
            write_tone(path, pitch[k].low + (pitch[k].high - pitch[k].low) * drawn(&state), &state);
        }
    }
}

enum { SCAN = 24 };

/* A NIfTI file of SCAN^3 voxels of 1 mm, stored from right to left: int16, or bytes of a mask. */
static inline void write_scan(const char *path, const short *values, bool mask) {
    static unsigned char data[2 * SCAN * SCAN * SCAN];
    const float one = 1, minus = -1, slope = mask ? 0 : 0.5f;
    unsigned char head[352] = {0};

    put_number(head, 348, 4);
    put_number(head + 40, 3, 2);
    for (int k = 1; k < 8; k++) {
        put_number(head + 40 + 2 * k, k < 4 ? SCAN : 1, 2);
        memcpy(head + 76 + 4 * k, &one, 4);
    }
    put_number(head + 70, mask ? 2 : 4, 2);
    put_number(head + 72, mask ? 8 : 16, 2);
    put_number(head + 109, 0, 1);
    memcpy(head + 108, (const float[]){352}, 4);
    memcpy(head + 112, &slope, 4);
    put_number(head + 254, 1, 2); /* sform */
    memcpy(head + 280, &minus, 4);
    memcpy(head + 300, &one, 4);
    memcpy(head + 320, &one, 4);
    memcpy(head + 344, "n+1", 4);
    for (int i = 0; i < SCAN * SCAN * SCAN; i++)
        put_number(data + (mask ? i : 2 * i), (unsigned)values[i], mask ? 1 : 2);
    put_bytes(path, head, sizeof head, data, (size_t)SCAN * SCAN * SCAN * (mask ? 1 : 2));
}

/* 12 scans of a bright ball each, in noise; and the balls. */
static inline void write_scans(void) {
    static short scan[SCAN * SCAN * SCAN], mask[SCAN * SCAN * SCAN];
    unsigned state = 7;
    char path[64];

    assert_int_equal(mkdir("scans", 0777), 0);
    assert_int_equal(mkdir("scans/images", 0777), 0);
    assert_int_equal(mkdir("scans/masks", 0777), 0);
    for (int n = 0; n < 12; n++) {
        const double z = 8 + 8 * drawn(&state), y = 7 + 10 * drawn(&state),
                     x = 7 + 10 * drawn(&state);

        for (int i = 0; i < SCAN * SCAN * SCAN; i++) {
            const double dz = i / SCAN / SCAN - z, dy = i / SCAN % SCAN - y, dx = i % SCAN - x;

            mask[i] = dz * dz + dy * dy + dx * dx < 20;
            scan[i] = (short)(100 * mask[i] + 120 * (drawn(&state) - 0.5));
        }
        snprintf(path, sizeof path, "scans/images/%d.nii", n);
        write_scan(path, scan, false);
        snprintf(path, sizeof path, "scans/masks/%d.nii", n);
        write_scan(path, mask, true);
    }
}

/* The text of the next block of that kind ("sh", "ini") from *at on, to be freed; NULL where there
 * is none. */
static inline char *recipe_block(const char **at, const char *kind) {
    char begin[16];

    snprintf(begin, sizeof begin, "```%s\n", kind);
    const char *text = strstr(*at, begin);
    if (!text)
        return NULL;
    text += strlen(begin);
    const char *end = strstr(text, "```");
    assert_non_null(end);
    *at = end + 3;
    char *copy = strndup(text, (size_t)(end - text));
    assert_non_null(copy);
    return copy;
}

/* Run the commands of a block, in which `dltrain` is the program under test. */
static inline void recipe_run(const char *commands) {
    program_write("recipe.sh", "set -e\ndltrain() { $DLTRAIN \"$@\"; }\n%s", commands);
    struct program_run run = program_run("sh recipe.sh");

    if (run.code)
        fail_msg("exit code %d of\n%s%s", run.code, commands, run.err);
    program_release(&run);
}

/* The data of all such blocks of a page. */
static inline void recipes_import(const char *page) {
    char *text = program_read(page), *commands;
    const char *at = text;

    write_sounds();
    write_scans();
    while ((commands = recipe_block(&at, "sh"))) {
        recipe_run(commands);
        free(commands);
    }
    free(text);
}
