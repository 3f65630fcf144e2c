/* detection_set.h - boxes and what was found of them, as tests/golden/detection.py makes them, too:
 * pictures without boxes, equal scores, boxes that are hit twice, crowds, difficult ones; class 4
 * is found and never there, class 5 is there but always difficult. Nothing is sorted. */
#pragma once
#include "core/ops/detect/box.h"

#include <stdint.h>
#include <string.h>

enum { SET_N = 60, SET_K = 14, SET_M = 6, SET_CLASSES = 6 };

struct detection_set {
    act found[SET_N][SET_K][FOUND], boxes[SET_N][SET_M][TRUTH], difficult[SET_N][SET_M],
        crowd[SET_N][SET_M];
};

/* A number below n that is a function of where it stands. */
static unsigned set_draw(int s, int row, int what, unsigned n) {
    uint32_t x = (uint32_t)((s * 64 + row) * 16 + what + 1) * 2654435761u;

    x = (x ^ x >> 15) * 2246822519u;
    x = (x ^ x >> 13) * 3266489917u;
    return (x ^ x >> 16) % n;
}

static void set_box(act *b, int s, int row) {
    b[0] = (act)set_draw(s, row, 0, 40);
    b[1] = (act)set_draw(s, row, 1, 40);
    b[2] = b[0] + (act)(4 + set_draw(s, row, 2, 30));
    b[3] = b[1] + (act)(4 + set_draw(s, row, 3, 30));
}

static void set_boxes(struct detection_set *set, int s) {
    const unsigned there = set_draw(s, 50, 0, SET_M + 1);

    for (int k = 0; k < SET_M; k++) {
        act *b = set->boxes[s][k];

        b[BOX] = -1;
        if (k >= (int)there)
            continue;
        set_box(b, s, k);
        b[BOX] = (act)set_draw(s, k, 4, 3) + (act)(set_draw(s, k, 5, 12) == 0);
        if (set_draw(s, k, 6, 15) == 0)
            b[BOX] = 5;
        set->difficult[s][k] = (act)(b[BOX] == 5 || set_draw(s, k, 7, 6) == 0);
        set->crowd[s][k] = (act)(b[BOX] != 5 && set_draw(s, k, 8, 6) == 0);
    }
}

/* Near a box that is there, every other time; else anywhere. */
static void set_found(struct detection_set *set, int s, int k) {
    const int row = 10 + k;
    const act *near = set->boxes[s][set_draw(s, row, 9, SET_M)];
    act *f = set->found[s][k];

    f[BOX] = (act)set_draw(s, row, 4, 6) - 1;
    f[BOX + 1] = (act)set_draw(s, row, 5, 16) / 16;
    set_box(f, s, row);
    if (near[BOX] < 0 || set_draw(s, row, 6, 4) == 0)
        return;
    for (int i = 0; i < BOX; i++)
        f[i] = near[i] + (act)set_draw(s, row, 10 + i, 5) - 2;
    if (set_draw(s, row, 7, 8))
        f[BOX] = near[BOX];
}

static void set_make(struct detection_set *set) {
    memset(set, 0, sizeof *set);
    for (int s = 0; s < SET_N; s++) {
        set_boxes(set, s);
        for (int k = 0; k < SET_K; k++)
            set_found(set, s, k);
    }
}
