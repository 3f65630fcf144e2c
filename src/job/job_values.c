/* job_values.c - numbers, intervals and words of plain keys. */
#include "job/job_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct evaluator job_evaluator(struct job *job, const struct eval_host *host) {
    return (struct evaluator){.source = &job->source, .pool = &job->pool, .host = host};
}

int job_number(struct job *job, const struct entry *entry, double min, double max, bool whole,
               double *out, struct err *err) {
    struct evaluator ev = job_evaluator(job, NULL);
    struct value v;

    if (!entry)
        return 0;
    if (eval_entry(&ev, entry, &v, err))
        return -1;
    if (v.kind != VALUE_NUMBER)
        return pos_error(err, entry->pos, "%s: found %s, expected a number", entry->key,
                         value_kind_name(v.kind));
    if (!(v.number >= min && v.number <= max) || (whole && v.number != floor(v.number)))
        return pos_error(err, entry->pos, "%s is %g, expected a %snumber from %g to %g", entry->key,
                         v.number, whole ? "whole " : "", min, max);
    *out = v.number;
    return 0;
}

int job_whole(struct job *job, const struct entry *entry, int64_t min, int64_t *out,
              struct err *err) {
    double v = (double)*out;

    if (job_number(job, entry, (double)min, 0x1p52, true, &v, err))
        return -1;
    *out = (int64_t)v;
    return 0;
}

int job_interval(const struct entry *entry, struct interval *out, struct err *err) {
    char *end;

    if (!entry)
        return 0;
    if (!strcmp(entry->value, "never")) {
        *out = (struct interval){0};
        return 0;
    }
    const double v = strtod(entry->value, &end);
    const char *unit = end + strspn(end, " \t");
    if (end == entry->value || !(v > 0 && v < 0x1p52))
        return pos_error(err, entry->pos,
                         "%s: found '%s', expected an interval as in 1 epoch, "
                         "500 steps or never",
                         entry->key, entry->value);
    if (!strcmp(unit, "epoch") || !strcmp(unit, "epochs"))
        *out = (struct interval){.epochs = v};
    else if ((!strcmp(unit, "step") || !strcmp(unit, "steps")) && v == floor(v))
        *out = (struct interval){.steps = (int64_t)v};
    else
        return pos_error(err, entry->pos, "%s: found '%s', expected epochs or whole steps",
                         entry->key, entry->value);
    return 0;
}

int job_word(const struct entry *entry, const char *const *words, int *out, struct err *err) {
    if (!entry)
        return 0;
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], entry->value)) {
            *out = i;
            return 0;
        }
    return pos_error(err, entry->pos, "%s: found '%s', expected %s or %s", entry->key, entry->value,
                     words[0], words[1]);
}
