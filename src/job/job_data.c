/* job_data.c - the keys of [data]. */
#include "dist/shuffle.h"
#include "job/kind.h"

#include <string.h>

#define AT(member) offsetof(struct job, member)

static const char *const sampling[] = {"shuffle", "balanced", NULL};

static const char *const decoding[] = {"exact", "reduced", NULL};

/* Into an int; 0: auto. */
static int read_workers(struct job *job, const struct key *key, const struct entry *entry, void *at,
                        struct err *err) {
    if (strcmp(entry->value, "auto"))
        return kind_int.read(job, key, entry, at, err);
    *(int *)at = 0;
    return 0;
}

static const struct kind kind_workers = {
    .name = "whole number",
    .is_number = true,
    .read = read_workers,
};

static const struct kind kind_group = {
    .name = "group",
    .form = "`FILE.h5:GROUP`, the file relative to where the program is started; several as one: "
            "`a.h5:x + b.h5:y`, `shards/*.h5:train`",
    .read = kind_read_text,
};

static const struct key keys[] = {
    {"train", &kind_group, AT(train_data), .help = "samples to train on"},
    {"validate", &kind_group, AT(validate_data), .help = "samples to validate on"},
    {"augment", &kind_pipeline, .fallback = "image", .help = "what happens to each image"},
    {"batch", &kind_whole, AT(batch), "128", .min = 1, .unit = "samples",
     .help = "of one step, of all ranks together"},
    {"accumulate", &kind_whole, AT(accumulate), "1", .min = 1,
     .help = "parts that a batch is computed in, to save memory"},
    {"sampling", &kind_flag, AT(balanced), "shuffle", .words = sampling,
     .help = "balanced: each class equally often"},
    {"shuffle", &kind_applied, AT(shuffle), "full", .find = shuffle_find, .at = shuffle_word,
     .help = "the order of an epoch's samples"},
    {"image", &kind_size, AT(image),
     .help = "what the network sees; stands for data in show and bench, must agree with it"},
    {"fields", &kind_fields, .help = "other fields likewise: mask 256x256, a 64x64x3, boxes 30x5"},
    {"cache", &kind_cache, AT(cache_bytes), "1024", .max = 1e9, .unit = "MiB",
     .help = "of samples that a host keeps in memory at most, once for all its ranks"},
    {"workers", &kind_workers, AT(workers), "auto", .min = 1, .max = 1024, .unit = "threads",
     .help = "of a rank that decode and augment; auto: as many as it has processors"},
    {"decode", &kind_flag, AT(decodes_reduced), "exact", .words = decoding,
     .help = "reduced: JPEGs at 1/2, 1/4 or 1/8 first where they are made so much smaller, faster"},
    {0},
};

static int read_data(struct job *job, const struct section *s, struct err *err) {
    if (keys_read(job, keys, s, job, err))
        return -1;
    if (job->balanced && strcmp(job->shuffle.word->name, "full"))
        return pos_error(err, section_find(s, "shuffle")->pos,
                         "shuffle: sampling = balanced draws the samples of each class from the "
                         "whole dataset, which is not the order %s; expected full",
                         job->shuffle.word->name);
    return 0;
}

const struct job_section section_data = {
    .kind = "data",
    .help = "the samples",
    .holds = JOB_KEYS,
    .keys = keys,
    .read = read_data,
};
