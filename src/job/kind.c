/* kind.c - texts, numbers, intervals and flags. */
#include "job/kind.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct evaluator kind_evaluator(struct job *job, const struct eval_host *host) {
    return (struct evaluator){.source = &job->source, .pool = &job->pool, .host = host};
}

int kind_read_text(struct job *job, const struct key *key, const struct entry *entry, void *at,
                   struct err *err) {
    (void)job, (void)key, (void)err;
    *(const char **)at = entry->value;
    return 0;
}

int kind_read_entry(struct job *job, const struct key *key, const struct entry *entry, void *at,
                    struct err *err) {
    (void)job, (void)key, (void)err;
    *(const struct entry **)at = entry;
    return 0;
}

static int check_range(const struct key *key, const struct entry *entry, double v, bool whole,
                       struct err *err) {
    const double most_whole = 0x1p52; /* above, a double does not tell them apart */
    const bool bounded = key->max > key->min;
    const double max = bounded ? key->max : whole ? most_whole : INFINITY;
    const char *what = whole ? "whole number" : "number";
    const double tiny = 1e-20;
    char range[RANGE_TEXT];

    if (v >= key->min && v <= max && !(whole && v != floor(v)))
        return 0;
    if (key->min > 0 && key->min < tiny)
        return pos_error(err, entry->pos, "%s is %g, expected a %s %s", key->name, v, what,
                         range_text(ARG_REAL, key->min, max, range));
    if (bounded || v > max)
        return pos_error(err, entry->pos, "%s is %g, expected a %s from %g to %g", key->name, v,
                         what, key->min, max);
    return pos_error(err, entry->pos, "%s is %g, expected a %s from %g", key->name, v, what,
                     key->min);
}

/* Is it written in bytes, as 512KiB? */
static bool has_unit(const struct entry *entry) {
    const size_t len = strlen(entry->value);

    return len > 1 && entry->value[len - 1] == 'B' && strspn(entry->value, "0123456789.") > 0;
}

/* "1 steps" is 1 where the key counts steps, as is "1 step". */
static struct entry without_unit(struct job *job, const struct key *key, const struct entry *from) {
    const size_t number = strspn(from->value, "0123456789."),
                 unit = key->unit ? strlen(key->unit) : 0;
    const char *found = from->value + number + strspn(from->value + number, " \t");
    struct entry entry = *from;

    if (!number || !unit || !*found ||
        (strcmp(found, key->unit) != 0 &&
         !(key->unit[unit - 1] == 's' && strlen(found) == unit - 1 &&
           !strncmp(found, key->unit, unit - 1))))
        return entry;
    entry.value = entry.raw = pool_copy(&job->pool, from->value, number);
    return entry;
}

static int read_any(struct job *job, const struct key *key, const struct entry *from, bool whole,
                    double *out, struct err *err) {
    const struct entry plain = without_unit(job, key, from), *entry = &plain;
    struct evaluator ev = kind_evaluator(job, NULL);
    struct value v;

    if (eval_entry(&ev, entry, &v, err))
        return -1;
    if (v.kind != VALUE_NUMBER)
        return pos_error(err, entry->pos, "%s: found %s, expected a number", key->name,
                         value_kind_name(v.kind));
    if (has_unit(entry) && key->kind != &kind_mib && key->kind != &kind_cache)
        return pos_error(err, entry->pos, "%s: found '%s', expected a number without a unit",
                         key->name, entry->value);
    if (has_unit(entry))
        v.number /= 1 << 20;
    if (check_range(key, entry, v.number, whole, err))
        return -1;
    *out = v.number;
    return 0;
}

static int read_number(struct job *job, const struct key *key, const struct entry *entry, void *at,
                       struct err *err) {
    return read_any(job, key, entry, false, at, err);
}

static int read_whole(struct job *job, const struct key *key, const struct entry *entry, void *at,
                      struct err *err) {
    double v = 0;

    if (read_any(job, key, entry, true, &v, err))
        return -1;
    *(int64_t *)at = (int64_t)v;
    return 0;
}

static int read_int(struct job *job, const struct key *key, const struct entry *entry, void *at,
                    struct err *err) {
    double v = 0;

    if (read_any(job, key, entry, true, &v, err))
        return -1;
    *(int *)at = (int)v;
    return 0;
}

static int read_mib(struct job *job, const struct key *key, const struct entry *entry, void *at,
                    struct err *err) {
    double v = 0;

    if (read_any(job, key, entry, false, &v, err))
        return -1;
    *(int64_t *)at = (int64_t)(v * (1 << 20));
    return 0;
}

static int read_cache(struct job *job, const struct key *key, const struct entry *entry, void *at,
                      struct err *err) {
    if (strcmp(entry->value, "host"))
        return read_mib(job, key, entry, at, err);
    *(int64_t *)at = INT64_MAX;
    return 0;
}

static int read_interval(struct job *job, const struct key *key, const struct entry *entry,
                         void *at, struct err *err) {
    struct interval *out = at;
    char *end;

    (void)job;
    *out = (struct interval){0};
    if (!strcmp(entry->value, "never"))
        return 0;
    const double v = strtod(entry->value, &end);
    const char *unit = end + strspn(end, " \t");
    if (end == entry->value || !(v > 0 && v < 0x1p52))
        return pos_error(err, entry->pos,
                         "%s: found '%s', expected an interval as in 1 epoch, 500 steps or never",
                         key->name, entry->value);
    if (!strcmp(unit, "epoch") || !strcmp(unit, "epochs"))
        out->epochs = v;
    else if ((!strcmp(unit, "step") || !strcmp(unit, "steps")) && v == floor(v))
        out->steps = (int64_t)v;
    else
        return pos_error(err, entry->pos, "%s: found '%s', expected epochs or whole steps",
                         key->name, entry->value);
    return 0;
}

static int read_timeout(struct job *job, const struct key *key, const struct entry *entry, void *at,
                        struct err *err) {
    double *out = at;
    char *end;

    (void)job;
    if (!strcmp(entry->value, "auto") || !strcmp(entry->value, "off")) {
        *out = strcmp(entry->value, "auto") ? -1 : 0;
        return 0;
    }
    *out = strtod(entry->value, &end);
    if (end == entry->value || *end || !(*out >= 1 && *out <= 1e7))
        return pos_error(err, entry->pos, "%s: found '%s', expected seconds from 1 on, auto or off",
                         key->name, entry->value);
    return 0;
}

/* "100..119" */
static int read_span(struct job *job, const struct key *key, const struct entry *entry, void *at,
                     struct err *err) {
    struct job_span *out = at;
    long long first = 0, last = 0;
    int end = 0;

    (void)job;
    *out = (struct job_span){0};
    if (!strcmp(entry->value, "never"))
        return 0;
    if (sscanf(entry->value, "%15lld .. %15lld%n", &first, &last, &end) != 2 || entry->value[end] ||
        first < 1 || last < first)
        return pos_error(err, entry->pos,
                         "%s: found '%s', expected the first and the last step, as in 100..119, or "
                         "never",
                         key->name, entry->value);
    *out = (struct job_span){first, last};
    return 0;
}

static int read_flag(struct job *job, const struct key *key, const struct entry *entry, void *at,
                     struct err *err) {
    (void)job;
    for (int i = 0; i < 2; i++)
        if (!strcmp(key->words[i], entry->value)) {
            *(bool *)at = i == 1;
            return 0;
        }
    return pos_error(err, entry->pos, "%s: found '%s', expected %s or %s", key->name, entry->value,
                     key->words[0], key->words[1]);
}

const struct kind kind_number = {.name = "number", .is_number = true, .read = read_number};
const struct kind kind_whole = {.name = "whole number", .is_number = true, .read = read_whole};
const struct kind kind_int = {.name = "whole number", .is_number = true, .read = read_int};
const struct kind kind_mib = {.name = "number", .is_number = true, .read = read_mib};
const struct kind kind_cache = {
    .name = "amount",
    .form = "a number, or `host`: everything, as long as the memory of a host suffices",
    .is_number = true,
    .read = read_cache,
};
const struct kind kind_interval = {
    .name = "interval",
    .form = "`2 epochs`, `0.5 epochs`, `500 steps` or `never`",
    .read = read_interval,
};
const struct kind kind_span = {
    .name = "steps",
    .form = "the first and the last step, `100..119`, or `never`",
    .read = read_span,
};
const struct kind kind_timeout = {
    .name = "seconds",
    .form = "seconds, from 1 on, `auto` or `off`",
    .read = read_timeout,
};
const struct kind kind_flag = {.name = "one of two words", .read = read_flag};
const struct kind kind_net = {
    .name = "net",
    .form = "a net by its name, or with its parameters as in `resnet20(classes=10)`",
    .read = kind_read_entry,
};
const struct kind kind_nets = {
    .name = "nets",
    .form = "nets by their names, or `model`: `encoder, decoder`",
    .read = kind_read_entry,
};
