/* A profile is of one job: what was measured for another one answers nothing. Of a job's keys these
 * decide which operators there are, how large, and in which buckets their gradients are sent. */
#include "cmd/scale.h"

#include <string.h>

static bool counts(const struct section *s, const struct entry *e) {
    static const char *const whole[] = {"let", "net", "block", "step", "run"};
    static const char *const single[][2] = {
        {"job", "model"}, {"data", "image"}, {"data", "augment"}, {"dist", "bucket"}};

    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (!strcmp(s->kind, whole[i]))
            return true;
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (!strcmp(s->kind, single[i][0]) && !strcmp(e->key, single[i][1]))
            return true;
    return false;
}

int scale_keys(const struct job *job, struct pool *pool, struct scale_key **out) {
    const struct source *source = &job->source;
    int most = 1, n = 0;

    for (int i = 0; i < source->n_sections; i++)
        most += source->sections[i].n_entries;
    *out = pool_take(pool, (size_t)most * sizeof **out);
    for (int i = 0; i < source->n_sections; i++) {
        const struct section *s = &source->sections[i];
        for (int k = 0; k < s->n_entries; k++)
            if (counts(s, &s->entries[k]))
                (*out)[n++] = (struct scale_key){pool_print(pool, "[%s] %s",
                                                            s->n_params ? s->header : s->kind,
                                                            s->entries[k].key),
                                                 pool_print(pool, "%s", s->entries[k].value)};
    }
    return n;
}

static const char *value_of(const struct scale_key *keys, int n, const char *key) {
    for (int i = 0; i < n; i++)
        if (!strcmp(keys[i].key, key))
            return keys[i].value;
    return NULL;
}

/* "[let] lr = 0.1", "no [let] lr". */
static const char *said(struct pool *pool, const char *key, const char *value) {
    return value ? pool_print(pool, "%s = %.100s", key, value) : pool_print(pool, "no %s", key);
}

int scale_keys_check(const struct scale_profile *p, const char *path, struct job *job,
                     struct err *err) {
    struct scale_key *ours;
    const int n = scale_keys(job, &job->pool, &ours);

    for (int i = 0; i < n + p->n_keys; i++) {
        const char *key = i < n ? ours[i].key : p->keys[i - n].key;
        const char *here = value_of(ours, n, key), *there = value_of(p->keys, p->n_keys, key);
        if (here && there && !strcmp(here, there))
            continue;
        return err_set(err, ERR_DATA,
                       "%s: is of another job: found %s, expected %s, as in %s; measure it anew "
                       "with --save-profile",
                       path, said(&job->pool, key, there), said(&job->pool, key, here), job->path);
    }
    return 0;
}
