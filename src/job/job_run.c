/* job_run.c - the keys of [checkpoint], [dist], [log] and [run]: how a job is carried out. */
#include "dist/allreduce/allreduce.h"
#include "job/kind.h"

#define AT(member) offsetof(struct job, member)

static const char *const no_yes[] = {"false", "true", NULL};
static const char *const off_on[] = {"off", "on", NULL};

static const struct key checkpoint_keys[] = {
    {"last", &kind_interval, AT(save_last), "1 epoch", .help = "how often last.h5 is replaced"},
    {"every", &kind_interval, AT(save_every), "never",
     .help = "how often a checkpoint of its own is kept"},
    {"best", &kind_flag, AT(save_best), "true", .words = no_yes,
     .help = "keep the best weights in best.h5"},
    {0},
};

static const struct key dist_keys[] = {
    {"allreduce", &kind_applied, AT(allreduce), "host", .find = allreduce_find,
     .at = allreduce_word, .help = "how gradients are summed over ranks"},
    {"bucket", &kind_mib, AT(bucket_bytes), "4", .min = 0.001, .max = 4096, .unit = "MiB",
     .help = "of gradients that are sent at a time"},
    {"audit", &kind_whole, AT(audit_every), "0", .unit = "steps",
     .help = "between comparisons of what ranks hold; always before validating and saving"},
    {0},
};

static const struct key log_keys[] = {
    {"every", &kind_whole, AT(log_every), "10", .min = 1, .unit = "steps",
     .help = "between lines of metrics.jsonl"},
    {0},
};

static const struct key run_keys[] = {
    {"fusion", &kind_flag, AT(mode.fusion), "on", .words = off_on,
     .help = "compute chains as conv | bn | relu in one pass"},
    {"winograd", &kind_flag, AT(mode.winograd), "on", .words = off_on,
     .help = "3x3 convolutions with fewer products, by transforms"},
    {0},
};

const struct job_section section_checkpoint = {
    .kind = "checkpoint",
    .help = "what is saved in the run's folder",
    .holds = JOB_KEYS,
    .keys = checkpoint_keys,
};
const struct job_section section_dist = {
    .kind = "dist",
    .help = "how ranks work together",
    .holds = JOB_KEYS,
    .keys = dist_keys,
};
const struct job_section section_log = {
    .kind = "log",
    .help = "what is written down",
    .holds = JOB_KEYS,
    .keys = log_keys,
};
const struct job_section section_run = {
    .kind = "run",
    .help = "how it is computed",
    .holds = JOB_KEYS,
    .keys = run_keys,
};
