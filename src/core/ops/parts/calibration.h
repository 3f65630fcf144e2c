/* calibration.h - how often a network is right beside how sure it is, by bins of its confidence:
 * the arguments of ece() and reliability(), and what both are computed from. */
#pragma once
#include "core/ops/op.h"

struct calibration {
    int bins, ignore;
};

extern const struct arg_spec calibration_args[];

/* Of tensors: y [1, bins, CALIBRATION_SUMS], of all labels that count the shares in a bin, and
 * their confidence and hits. No word of the language: ece and reliability stand for it. */
extern const struct op op_calibration;

/* The columns of its y. */
enum { CALIBRATION_SHARE, CALIBRATION_CONFIDENCE, CALIBRATION_HITS, CALIBRATION_SUMS };

/* x is what op_calibration gives. Errors: ERR_CONFIG, beginning with name. */
int calibration_check(const char *name, const struct shape *x, struct err *err);
