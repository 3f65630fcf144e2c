/* augment_words.h - one word of a pipeline with its arguments, run on a small image. */
#pragma once
#include "io/augment/augment.h"
#include "core/base/rng.h"
#include "io/augment/made.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MAX_FLOATS = 4096 };

static inline struct applied make_size(struct made *m, const char *name, int height, int width) {
    make(m, name);
    *(struct ints *)spot(m, "size", ARG_INTS) = (struct ints){2, {height, width}};
    return m->applied;
}

static inline struct applied make_real(struct made *m, const char *name, const char *arg,
                                       double value) {
    make(m, name);
    *(double *)spot(m, arg, ARG_REAL) = value;
    return m->applied;
}

static inline void plan(struct augment_plan *p, const struct applied *words, int n, bool training,
                        const struct augment_source *source) {
    struct err err = {0};

    if (augment_plan_init(p, words, n, training, source, &err))
        fail_msg("%s", err.msg);
    assert_true(p->scratch_len <= MAX_FLOATS);
}

/* One word on an h x w x 1 image of floats. */
static inline void run(struct applied word, bool training, uint64_t key, int64_t h, int64_t w,
                       const float *in, float *out) {
    const struct augment_source source = {{3, {h, w, 1}}, NULL, NULL, AUGMENT_IMAGE, false};
    float scratch[MAX_FLOATS];
    struct augment_plan p;

    plan(&p, &word, 1, training, &source);
    augment_run(&p, &(struct augment_draw){.key = key}, NULL, in, scratch, out);
}

static inline void near(const float *found, const float *expected, int n) {
    for (int i = 0; i < n; i++)
        if (!(fabsf(found[i] - expected[i]) <= 1e-5f))
            fail_msg("element %d is %g, expected %g", i, (double)found[i], (double)expected[i]);
}

static inline void refused(struct applied word, const struct augment_source *source,
                           const char *message) {
    struct augment_plan p;
    struct err err = {0};

    assert_int_equal(augment_plan_init(&p, &word, 1, true, source, &err), -1);
    assert_string_equal(err.msg, message);
    assert_int_equal(err.kind, ERR_CONFIG);
}

/* 3 x 4 of 1 .. 12. */
static const float grid[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const struct augment_source grid_source = {{3, {3, 4, 1}}, NULL, NULL, AUGMENT_IMAGE, false};
