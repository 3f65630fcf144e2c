/* yolo_case.h - the operands of tests/golden/yolo.py: two samples, a head of 2x3 places, of two of
 * four anchors, and three classes; a picture of 32x48. */
#pragma once
#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define YOLO_CASE_ANCHORS "anchors=[4, 6, 10, 8, 20, 16, 30, 30], own=[1, 2]"

enum { YOLO_CASE_NUMBERS = 2 * 2 * 3 * 2 * 8 };

static const struct shape yolo_case_head = {4, {2, 2, 3, 16}},
                          yolo_case_image = {4, {2, 32, 48, 3}};

static const act yolo_case_truth[] = {2,  3, 13, 12, 1,  17, 17, 37, 31, 0,  0,  0,  0, 0,
                                      -1, 1, 1,  5,  7,  2,  30, 2,  41, 9,  2,  31, 1, 40,
                                      10, 0, 4,  5,  23, 23, 1,  33, 18, 47, 30, 2};

static inline const act *yolo_case_numbers(void) {
    static act x[YOLO_CASE_NUMBERS];

    for (int i = 0; i < YOLO_CASE_NUMBERS; i++)
        x[i] = (act)(1.5 * sin(0.7 * i) + 0.5 * cos(3.1 * i));
    return x;
}
