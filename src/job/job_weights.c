/* job_weights.c - the keys of a [weights]. */
#include "job/job_parts.h"

static int read_rules(struct job *job, const struct entry *entry, bool arrows,
                      struct renames *rules, struct err *err) {
    struct err inner = {0};

    if (entry && rename_parse(rules, &job->pool, entry->value, arrows, &inner))
        return pos_error(err, entry->pos, "%s: %s", entry->key, inner.msg);
    return 0;
}

int job_read_weights(struct job *job, const struct section *s, struct err *err) {
    static const char *const yes_no[] = {"false", "true", NULL};
    struct job_weights *w = &job->weights[job->n_weights];
    const struct entry *file = section_find(s, "file");
    int partial = 0;

    if (job->n_weights == JOB_MAX_WEIGHTS)
        return pos_error(err, s->pos, "more than %d [weights]", JOB_MAX_WEIGHTS);
    if (!file || !*file->value)
        return pos_error(err, s->pos, "[weights %s] has no key file, where they are", s->name);
    *w = (struct job_weights){.section = s,
                              .net = s->name,
                              .file = file->value,
                              .from = section_find(s, "from"),
                              .rename = section_find(s, "rename"),
                              .skip = section_find(s, "skip")};
    if (read_rules(job, w->rename, true, &w->renames, err) ||
        read_rules(job, w->skip, false, &w->skips, err) ||
        job_word(section_find(s, "partial"), yes_no, &partial, err))
        return -1;
    w->partial = partial == 1;
    job->n_weights++;
    return 0;
}
