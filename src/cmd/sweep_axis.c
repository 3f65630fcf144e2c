/* sweep_axis.c - --grid and --random: which values a setting has. */
#include "cmd/sweep.h"
#include "core/base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    enum sweep_kind kind;
    const char *form;
} draws[] = {
    {"uniform", SWEEP_UNIFORM, "uniform(0.1,0.9)"},
    {"log", SWEEP_LOG, "log(1e-5,1e-3)"},
    {"int", SWEEP_INT, "int(16,64)"},
    {"choice", SWEEP_CHOICE, "choice(a,b,c)"},
};

enum { N_DRAWS = sizeof draws / sizeof *draws };

/* "NAME=" of a text, as a new axis; the rest to *value. */
static struct sweep_axis *add(struct sweep *s, const char *option, const char *text,
                              const char **value, struct err *err) {
    const char *equals = strchr(text, '=');

    if (!equals || equals == text || !equals[1]) {
        err_set(err, ERR_USAGE, "--%s: found '%s', expected NAME=VALUES", option, text);
        return NULL;
    }
    if (s->n_axes == SWEEP_MOST_AXES) {
        err_set(err, ERR_USAGE, "--%s: more than %d settings", option, SWEEP_MOST_AXES);
        return NULL;
    }
    const char *name = pool_copy(&s->pool, text, (size_t)(equals - text));
    for (int i = 0; i < s->n_axes; i++)
        if (!strcmp(s->axis[i].name, name)) {
            err_set(err, ERR_USAGE, "--%s: %s has its values already", option, name);
            return NULL;
        }
    *value = equals + 1;
    struct sweep_axis *a = &s->axis[s->n_axes++];
    a->name = name;
    return a;
}

/* The length up to a comma that no bracket or quote holds. */
static size_t item_len(const char *text) {
    int depth = 0;
    size_t i = 0;

    for (; text[i] && (text[i] != ',' || depth > 0); i++)
        depth += (text[i] == '(' || text[i] == '[') - (text[i] == ')' || text[i] == ']');
    return i;
}

/* "a,b(1, 2),c" */
static int read_values(struct sweep *s, struct sweep_axis *a, const char *option, const char *text,
                       struct err *err) {
    for (const char *at = text;; at++) {
        const size_t len = item_len(at);

        if (!len || len == strspn(at, " \t"))
            return err_set(err, ERR_USAGE, "--%s %s: found no value beside a comma in '%s'", option,
                           a->name, text);
        if (a->n == SWEEP_MOST_VALUES)
            return err_set(err, ERR_USAGE, "--%s %s: more than %d values", option, a->name,
                           SWEEP_MOST_VALUES);
        a->value = pool_grow(&s->pool, a->value, a->n, sizeof *a->value);
        a->value[a->n++] = pool_copy(&s->pool, at, len);
        at += len;
        if (!*at)
            return 0;
    }
}

int sweep_read_grid(struct sweep *s, const char *text, struct err *err) {
    const char *values;
    struct sweep_axis *a = add(s, "grid", text, &values, err);

    return a ? read_values(s, a, "grid", values, err) : -1;
}

static int read_range(struct sweep_axis *a, const char *form, struct err *err) {
    double ends[2] = {0};
    bool good = a->n == 2;

    for (int i = 0; i < 2 && good; i++) {
        char *end;
        ends[i] = strtod(a->value[i], &end);
        good = end != a->value[i] && !*(end + strspn(end, " \t")) && isfinite(ends[i]);
    }
    if (!good)
        return err_set(err, ERR_USAGE, "--random %s: expected two numbers, as in %s", a->name,
                       form);
    if (!(ends[0] < ends[1]) || (a->kind == SWEEP_LOG && ends[0] <= 0))
        return err_set(err, ERR_USAGE, "--random %s: found %g to %g, expected %s", a->name, ends[0],
                       ends[1], a->kind == SWEEP_LOG ? "rising numbers above 0" : "rising numbers");
    if (a->kind == SWEEP_INT && (ends[0] != floor(ends[0]) || ends[1] != floor(ends[1]) ||
                                 fabs(ends[0]) > 1e15 || fabs(ends[1]) > 1e15))
        return err_set(err, ERR_USAGE, "--random %s: found %g to %g, expected whole numbers",
                       a->name, ends[0], ends[1]);
    a->low = ends[0];
    a->high = ends[1];
    return 0;
}

int sweep_read_random(struct sweep *s, const char *text, struct err *err) {
    const char *value;
    struct sweep_axis *a = add(s, "random", text, &value, err);

    if (!a)
        return -1;
    const size_t len = strlen(value), word = strcspn(value, "(");
    int i = 0;
    while (i < N_DRAWS && (strlen(draws[i].word) != word || strncmp(value, draws[i].word, word)))
        i++;
    if (i == N_DRAWS || len < word + 2 || value[len - 1] != ')')
        return err_set(err, ERR_USAGE,
                       "--random %s: found '%s', expected uniform(a,b), log(a,b), int(a,b) or "
                       "choice(a,b,c)",
                       a->name, value);
    const char *inner = pool_copy(&s->pool, value + word + 1, len - word - 2);
    a->kind = draws[i].kind;
    if (read_values(s, a, "random", inner, err))
        return -1;
    return a->kind == SWEEP_CHOICE ? 0 : read_range(a, draws[i].form, err);
}

const char *sweep_draw(struct sweep *s, int axis, uint64_t seed, int config) {
    const struct sweep_axis *a = &s->axis[axis];
    const uint64_t key = rng_key(seed, RNG_SWEEP, (uint64_t)axis, 0), i = (uint64_t)config;
    const double u = (double)rng_below(key, i, UINT64_C(1) << 52) / (double)(UINT64_C(1) << 52);

    switch (a->kind) {
    case SWEEP_UNIFORM:
        return pool_print(&s->pool, "%.6g", a->low + u * (a->high - a->low));
    case SWEEP_LOG:
        return pool_print(&s->pool, "%.6g", a->low * pow(a->high / a->low, u));
    case SWEEP_INT:
        return pool_print(&s->pool, "%.0f",
                          a->low + (double)rng_below(key, i, (uint64_t)(a->high - a->low) + 1));
    case SWEEP_GRID:
    case SWEEP_CHOICE:
        break;
    }
    return a->value[rng_below(key, i, (uint64_t)a->n)];
}
