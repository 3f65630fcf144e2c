/* find.h - what find-lr and find-batch learn from a few steps of a job, as numbers. Private to cmd.
 */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* A number above 0 that an option says. Errors: ERR_USAGE. */
int find_read_number(const char *option, const char *value, double *out, struct err *err);

enum { FIND_SETTLES = 5 /* points until the average of losses means something */ };

/* Losses by growing learning rates. {0} is releasable. */
struct find_curve {
    double *lr, *loss, *smooth; /* [n]; heap */
    int n, room;
    double average, best;
    bool diverged;       /* it ended before its last rate: */
    bool risen;          /* as the loss was far above its best, but a number still */
    int steepest, least; /* points, after find_curve_judge; -1: the loss never fell */
};

/* Room for so many points. Errors: ERR_IO. */
int find_curve_init(struct find_curve *c, int room, struct err *err);

/* Add a point. Returns whether the loss has exploded, and no more are wanted. */
bool find_curve_add(struct find_curve *c, double lr, double loss);

/* Where does the smoothed loss fall fastest, by the logarithm of the rate, and where is it least?
 */
void find_curve_judge(struct find_curve *c);

/* {0} is fine. */
void find_curve_release(struct find_curve *c);

/* Samples in a second by batch. */
struct find_rate {
    int64_t batch;
    double bytes; /* predicted, of a rank */
    double rate;  /* measured; 0: not */
};

/* The smallest batch whose rate is within a twentieth of the best; -1: none was measured.
 *   rates  [n] rising batches */
int find_rate_enough(const struct find_rate *rates, int n);
