/* kind_list.c - lists: sizes, ranges, fields. */
#include "job/kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1 << 20 }; /* pixels along one side */

static int read_size(struct job *job, const struct key *key, const struct entry *entry, void *at,
                     struct err *err) {
    struct evaluator ev = kind_evaluator(job, NULL);
    struct ints size = {.n = 3};
    struct value v;

    const bool by_x = entry->value[strspn(entry->value, "0123456789")] == 'x'; /* as in fields */
    if (!by_x && eval_entry(&ev, entry, &v, err))
        return -1;
    if (by_x || v.kind != VALUE_LIST || v.n_items != size.n)
        return pos_error(err, entry->pos,
                         "%s: expected [height, width, channels], as in [32, 32, 3]", key->name);
    for (int i = 0; i < size.n; i++) {
        const double d = v.items[i].kind == VALUE_NUMBER ? v.items[i].number : 0;
        if (!(d >= 1 && d <= LONGEST) || d != floor(d))
            return pos_error(err, entry->pos, "%s: expected whole numbers of at least 1",
                             key->name);
        size.v[i] = (int)d;
    }
    *(struct ints *)at = size;
    return 0;
}

static int read_range(struct job *job, const struct key *key, const struct entry *entry, void *at,
                      struct err *err) {
    struct evaluator ev = kind_evaluator(job, NULL);
    double *range = at;
    struct value v;

    if (eval_entry(&ev, entry, &v, err))
        return -1;
    if (v.kind != VALUE_LIST || v.n_items != 2 || v.items[0].kind != VALUE_NUMBER ||
        v.items[1].kind != VALUE_NUMBER || !(v.items[0].number < v.items[1].number))
        return pos_error(err, entry->pos,
                         "%s: expected the values of black and white, as in [-1, 1]", key->name);
    range[0] = v.items[0].number;
    range[1] = v.items[1].number;
    return 0;
}

/* "mask 256x256" */
static int read_field(struct job *job, const struct entry *entry, char *text, struct err *err) {
    struct job_field *f = &job->field[job->n_fields];
    char *size = text + strcspn(text, " \t\n");

    if (job->n_fields == JOB_MAX_FIELDS)
        return pos_error(err, entry->pos, "fields: more than %d", JOB_MAX_FIELDS);
    if (*size)
        *size++ = 0;
    size += strspn(size, " \t\n");
    *f = (struct job_field){.name = text};
    for (char *end; *size; size = end + (*end == 'x')) {
        const long v = strtol(size, &end, 10);
        if (end == size || v < 1 || v > LONGEST || (*end && (*end != 'x' || !end[1])) ||
            f->shape.n == INTS_MAX)
            return pos_error(err, entry->pos,
                             "fields: found '%s', expected a size as in mask 256x256", size);
        f->shape.v[f->shape.n++] = (int)v;
    }
    if (!*text)
        return pos_error(err, entry->pos, "fields: expected names with sizes, as in mask 256x256");
    job->n_fields++;
    return 0;
}

static int read_fields(struct job *job, const struct key *key, const struct entry *entry, void *at,
                       struct err *err) {
    (void)key, (void)at;
    for (const char *from = entry->value; *from;) {
        from += strspn(from, ", \t\n");
        const size_t len = strcspn(from, ",");
        char *text = pool_copy(&job->pool, from, len);
        for (size_t n = strlen(text); n && strchr(" \t\n", text[n - 1]);)
            text[--n] = 0;
        if (read_field(job, entry, text, err))
            return -1;
        from += len;
    }
    return 0;
}

const struct kind kind_size = {
    .name = "size",
    .form = "`[height, width, channels]`",
    .read = read_size,
};
const struct kind kind_range = {.name = "range", .form = "`[black, white]`", .read = read_range};
const struct kind kind_fields = {
    .name = "fields",
    .form = "names with their sizes: `mask 256x256, a 64x64x3, age 1, label`",
    .read = read_fields,
};
