/* job.h - a job as checked numbers: INI -> struct. Only what needs no network and no dataset. */
#pragma once
#include "core/base/mode.h"
#include "core/base/pool.h"
#include "core/lang/eval.h"
#include "core/lang/source_files.h"
#include "io/weights/rename.h"

#include <stdint.h>

enum {
    JOB_MAX_STEPS = 16,
    JOB_MAX_PIPELINE = 16,
    JOB_MAX_PICTURES = 8,
    JOB_MAX_FIELDS = 8,
    JOB_MAX_WEIGHTS = 16,
    JOB_MAX_SHARDS = 4096
};

/* How often something happens; both 0: never. */
struct interval {
    double epochs;
    int64_t steps;
};

/* Steps first to last, counted from 1; both 0: none. */
struct job_span {
    int64_t first, last;
};

/* One [step]. */
struct job_step {
    const struct section *section;
    const char *name; /* "" where there is one */
    int64_t every;    /* runs in every so-many-th step of the job */
    const struct entry *train;
    const struct entry *freeze, *lr_scale; /* NULL: none */
    struct applied optimizer;
    double clip_norm, clip_value; /* 0: none */
    double clip_weights;          /* largest magnitude of a weight after the update; 0: any */
    double ema;                   /* decay of the average of weights; 0: none */
};

/* One [picture]. */
struct job_picture {
    const struct section *section;
    const char *name;
    int count, columns; /* samples in all and in a row; columns 0: as fits */
    double range[2];    /* of black and white; both 0: the least and the largest value */
    double score;       /* least, of boxes that are drawn */
};

/* One [weights]. */
struct job_weights {
    const struct section *section;
    const char *net; /* or `model` */
    const char *file;
    const struct entry *from;          /* the net in the file; NULL: not said */
    const struct entry *rename, *skip; /* where the rules are, or NULL */
    struct renames renames, skips;
    bool partial; /* what is missing or has another shape stays as it was initialised */
};

/* A field that [data] fields describes, for use without data. */
struct job_field {
    const char *name;
    struct ints shape; /* of one sample; n = 0: a label */
};

struct job {
    struct source source;
    struct pool pool;
    const char *path, *name, *output; /* output: folder that runs are in */
    double epochs;                    /* 0: steps decides */
    int64_t steps;                    /* 0: epochs decides */
    uint64_t seed;
    int threads;               /* 0: processors of this host / ranks on it */
    const struct entry *model; /* NULL: none */

    const char *train_data, *validate_data; /* "path:group"; NULL: none */
    struct applied augment[JOB_MAX_PIPELINE];
    int n_augment;
    int64_t batch;          /* of all ranks together */
    int64_t accumulate;     /* parts that a batch is computed in, one after another */
    bool unaugmented;       /* of --overfit: train on samples as validation prepares them */
    bool balanced;          /* classes are drawn equally often, in place of samples */
    struct applied shuffle; /* dist/shuffle.h */
    struct ints image; /* [h, w, c] that the network sees, for use without data; n = 0: not said */
    struct job_field field[JOB_MAX_FIELDS]; /* others than image and label, likewise */
    int n_fields;
    int64_t cache_bytes;
    int workers;          /* threads of a rank that decode and augment; 0: as many as processors */
    bool decodes_reduced; /* see struct image_piece */

    struct job_step step[JOB_MAX_STEPS];
    int n_steps;

    struct job_weights weights[JOB_MAX_WEIGHTS];
    int n_weights;

    struct job_picture picture[JOB_MAX_PICTURES];
    int n_pictures;

    const struct section *validate; /* NULL: none */
    struct interval validate_every;
    const char *best; /* a statement of validate, or NULL */
    int64_t validate_batch;
    bool validate_on_rank0;
    int patience; /* validations without a new best before the job ends; 0: never */

    struct interval save_last, save_every;
    struct interval partner; /* between copies of the state in the memory of hosts */
    bool save_best;
    unsigned stop_signals, save_signals; /* bits: job_signal_at; that stop a run, that save */
    int keep_last;                       /* last.h5 and the ones before it, last.1.h5 ... */
    bool stops_on_unsaved;               /* a checkpoint that cannot be written ends the job */

    struct applied allreduce;
    struct applied wire; /* how gradients travel between hosts; dist/allreduce/wire.h */
    struct applied sync; /* how often ranks become the same; dist/sync.h */
    bool reproducible;   /* sums do not depend on the number of ranks */
    int shards;          /* that a batch is cut into where they do not; else 0 */
    int64_t bucket_bytes;
    bool binds;           /* ranks to cores of their own, where nobody has bound them */
    bool tests_links;     /* between hosts, before training */
    bool progress_thread; /* messages are moved by a thread of their own, not between operators */
    bool overlap;         /* updates follow sums as they arrive, until weights are needed */
    int64_t audit_every;  /* steps; 0: only before validating and saving */
    double timeout_s;     /* without a sign of life before the job ends; 0: learnt; < 0: off */
    int64_t log_every;    /* steps */
    struct interval histograms;
    bool tensorboard, mlperf;
    bool every_rank;    /* is in ranks.jsonl at each logged step */
    bool prints_phases; /* at the end */
    struct job_span trace;
    int worst; /* samples of a validation that are kept; -1: as fits */
    struct compute_mode mode;

    /* Keys of these sections that are no statements; each ends with NULL. `show` of a picture is
     * one, whose value is a list. */
    const char *const *step_keys, *const *validate_keys, *const *picture_keys;
};

/* Read and check a job file.
 *   sets  [n_sets] "NAME=VALUE" of the command line, borrowed for the job's life
 * Errors: ERR_CONFIG with file, line and column; ERR_USAGE for a bad set; ERR_IO. To be released
 * then, too. */
int job_read(struct job *job, const char *path, const char *const *sets, int n_sets,
             struct err *err);

/* The same, with files that are read or kept as source_read_files says. */
int job_read_files(struct job *job, const char *path, struct source_files *files,
                   const char *const *sets, int n_sets, struct err *err);

/* The same of a text as source_print gives it, under the name that messages call it by, which is
 * borrowed for the job's life. */
int job_read_text(struct job *job, const char *name, const char *text, const char *const *sets,
                  int n_sets, struct err *err);

/* {0} is fine. */
void job_release(struct job *job);
