/* job_validate.c - the keys of [validate]. */
#include "core/base/nearest.h"
#include "job/kind.h"

#define AT(member) offsetof(struct job, member)

enum { MOST_STATEMENTS = 64 };

static const char *const who[] = {"all", "rank0", NULL};

static const struct kind kind_measure = {
    .name = "measure",
    .form = "the name of a statement of `[validate]`",
    .read = kind_read_text,
};

static const struct key keys[] = {
    {"every", &kind_interval, AT(validate_every), "1 epoch", .help = "how often"},
    {"best", &kind_measure, AT(best), .help = "what decides which weights are the best"},
    {"batch", &kind_whole, AT(validate_batch), .absent = "[data] batch", .min = 1,
     .unit = "samples", .help = "at a time, of all ranks together"},
    {"on", &kind_flag, AT(validate_on_rank0), "all", .words = who, .help = "who computes"},
    {"patience", &kind_int, AT(patience), .absent = "none", .min = 1, .max = 1 << 30,
     .unit = "validations", .help = "without a new best before the job ends"},
    {0},
};

static int check_best(const struct job *job, const struct section *s, struct err *err) {
    const char *names[MOST_STATEMENTS];
    int n = 0;

    if (section_find(s, job->best))
        return 0;
    for (; n < s->n_entries && n < MOST_STATEMENTS; n++)
        names[n] = s->entries[n].key;
    const char *near = nearest(job->best, names, n);
    return pos_error(err, section_find(s, "best")->pos,
                     "best: [validate] has no statement '%s'%s%s%s", job->best,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int read_validate(struct job *job, const struct section *s, struct err *err) {
    job->validate = s;
    if (keys_read(job, keys, s, job, err) || (job->best && check_best(job, s, err)))
        return -1;
    if (job->patience && !job->best)
        return pos_error(err, section_find(s, "patience")->pos,
                         "patience needs a key best, which says what is to improve");
    if (!job->validate_batch)
        job->validate_batch = job->batch;
    return 0;
}

const struct job_section section_validate = {
    .kind = "validate",
    .help = "what is measured",
    .holds = JOB_KEYS_AND_STATEMENTS,
    .keys = keys,
    .read = read_validate,
};
