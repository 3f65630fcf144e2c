/* results.h - what a run left in runs/NAME: numbers of its log, tensors of its checkpoints. */
#pragma once
#include "support/program.h"
#include "io/weights/checkpoint.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The lines of runs/NAME/LOG.jsonl as an array; release with json_decref. */
static inline json_t *results_lines(const char *name, const char *log) {
    char path[128];
    json_t *lines = json_array();

    snprintf(path, sizeof path, "runs/%s/%s.jsonl", name, log);
    char *text = program_read(path);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        json_array_append_new(lines, object);
    }
    free(text);
    return lines;
}

/* Those of metrics.jsonl. */
static inline json_t *results_log(const char *name) {
    return results_lines(name, "metrics");
}

/* The numbers `key` of all steps that logged one, with their steps if wanted. Returns how many. */
static inline int results_numbers(const char *name, const char *key, double *out, int64_t *steps,
                                  int max) {
    json_t *lines = results_log(name), *line;
    size_t i;
    int n = 0;

    json_array_foreach(lines, i, line) {
        const json_t *v = json_object_get(line, key);
        if (!v)
            continue;
        assert_true(n < max);
        if (steps)
            steps[n] = json_integer_value(json_object_get(line, "step"));
        out[n++] = json_number_value(v);
    }
    json_decref(lines);
    return n;
}

/* The validation of the last line, to be released. */
static inline json_t *results_validation(const char *name) {
    json_t *lines = results_log(name);
    json_t *last = json_array_get(lines, json_array_size(lines) - 1);
    json_t *validate = json_incref(json_object_get(last, "validate"));

    assert_non_null(validate);
    json_decref(lines);
    return validate;
}

/* A measure of the last line. */
static inline double results_measure(const char *name, const char *measure) {
    json_t *validate = results_validation(name);
    const json_t *v = json_object_get(validate, measure);

    if (!json_is_number(v))
        fail_msg("%s: no measure %s", name, measure);
    const double value = json_number_value(v);
    json_decref(validate);
    return value;
}

/* runs/NAME/FILE. */
static inline struct checkpoint *results_open(const char *name, const char *file) {
    struct checkpoint *ck;
    struct err err = {0};
    char path[128];

    snprintf(path, sizeof path, "runs/%s/%s", name, file);
    if (checkpoint_open(&ck, path, &err))
        fail_msg("%s", err.msg);
    return ck;
}

static inline const struct checkpoint_tensor *results_tensor(const struct checkpoint *ck,
                                                             const char *path) {
    const struct checkpoint_tensor *t = checkpoint_find(ck, path);

    if (!t)
        fail_msg("there is no %s", path);
    return t;
}

/* How many numbers of a tensor differ in two checkpoints? */
static inline int results_moved(const struct checkpoint *a, const struct checkpoint *b,
                                const char *path) {
    const struct checkpoint_tensor *x = results_tensor(a, path), *y = results_tensor(b, path);
    int moved = 0;

    assert_true(shape_equal(&x->shape, &y->shape));
    for (int64_t i = 0; i < shape_len(&x->shape); i++)
        moved += x->data[i] != y->data[i];
    return moved;
}
