/* scale.h - `dltrain scale`: what a job would do on more hosts than there are, from what its
 * operators take here. Private to scale*.c. Everything of one command is in its job's pool.
 *   arguments -> profile (measured, or from a file) -> rows (the model) -> table, JSON, picture
 *                                                   -> replay, which lets real messages go */
#pragma once
#include "cmd/jobargs.h"
#include "dist/cost.h"

enum {
    SCALE_MAX_ROWS = 64,
    SCALE_MOST_MEASURED = 30, /* steps */
    SCALE_MOST_REPLAYED = 1000
};

/* Numbers that the command line gives; 0 or NULL: not given. */
struct scale_args {
    int64_t ranks[SCALE_MAX_ROWS]; /* [n_ranks] rising */
    int n_ranks;
    int64_t per_host, threads, batch_per_rank, samples;
    double latency_s, bytes_per_s; /* --link */
    bool measure_link;
    double memory_bytes_per_s, host_bytes, storage_bytes_per_s;
    double target_s, target_efficiency, host_price; /* an hour of a host */
    double seconds;                                 /* that measuring may take */
    const char *plot, *profile, *save_profile;
    int64_t plot_width;
    bool replay;
};

/* Its options, whose offsets count from `at`, that of a struct scale_args; in pool. */
struct option_spec;
const struct option_spec *scale_options(struct pool *pool, size_t at);

/* What no option says by itself: is everything there that is needed? Errors: ERR_USAGE. */
int scale_args_check(const struct scale_args *a, struct err *err);

/* What n samples take: fixed + n * per_sample. */
struct scale_line {
    double fixed, per_sample;
};

static inline double scale_at(const struct scale_line *line, double n) {
    return line->fixed + n * line->per_sample;
}

/* The line nearest to what was found, neither part below 0; errors count relative to n.
 *   n, found  [points] */
struct scale_line scale_fit(const double *n, const double *found, int points);

/* One operator on one rank, seconds and bytes of memory that it reads and writes. */
struct scale_operator {
    const char *name;
    struct scale_line forward, backward, forward_bytes, backward_bytes;
};

/* Gradients that are summed at a time. */
struct scale_bucket {
    double bytes;
    int behind; /* the operator whose backward completes it, and whose forward needs its weights
                 * first; n_operators: there from the begin, needed by nobody */
};

/* One [step]. */
struct scale_step {
    const char *name;
    int64_t every;
    bool waits; /* its update needs all gradients */
    struct scale_operator *operators;
    int n_operators; /* in the order of forward */
    struct scale_bucket *buckets;
    int n_buckets; /* in the order in which they start */
};

/* What the job says, as "[let] width" and "16". */
struct scale_key {
    const char *key, *value;
};

/* What was measured. */
struct scale_profile {
    const char *model;
    struct scale_key *keys; /* [n_keys] of the job, on which what follows depends */
    int n_keys;
    struct scale_step step[JOB_MAX_STEPS];
    int n_steps;
    struct scale_line optimizer, other; /* seconds of a step of the job, all its [step]s together */
    struct scale_line rank_bytes;       /* memory of a rank */
    int64_t sizes[3];                   /* [n_sizes] samples of a rank that were measured */
    int n_sizes, threads;               /* of a rank */
    int sharing;                        /* ranks of this host that were measured at once */
    double slowdown; /* how many times as long they take as one alone; 1 where sharing is 1 */
    double memory_bytes_per_s; /* reads and writes of all of them together */
    double cache_bytes;        /* of a processor alone: what fits into it makes no traffic */
    double host_bytes;         /* memory of this host */
    double samples;            /* of an epoch; 0: the data is not there, and the rest is 0, too */
    double sample_bytes;       /* in files */
    double decode_s;           /* of one processor for one sample */
};

/* Measure on this host: one rank alone, then all that run. Collective. Errors, the same on all
 * ranks: those of training. */
struct scale;
int scale_measure(struct scale *s, struct err *err);

/* The keys of a job on which a profile depends, in pool. Returns how many. */
int scale_keys(const struct job *job, struct pool *pool, struct scale_key **out);

/* Is the profile in the file `path` of this job? Errors: ERR_DATA, naming a key that differs. */
int scale_keys_check(const struct scale_profile *p, const char *path, struct job *job,
                     struct err *err);

/* A profile as JSON. Errors: ERR_IO; ERR_DATA for what is no profile. */
int scale_profile_write(const struct scale_profile *p, const char *path, struct err *err);
int scale_profile_read(struct scale_profile *p, const char *path, struct pool *pool,
                       struct err *err);

/* What most of a step's time beyond that of computing goes to; SCALE_COMPUTING: nothing of note. */
enum scale_limit {
    SCALE_COMPUTING,
    SCALE_BANDWIDTH, /* of the link: exposed */
    SCALE_LATENCY,   /* likewise */
    SCALE_MEMORY,    /* ranks of a host share its memory: computing, and sums of gradients */
    SCALE_SMALL,     /* what a step takes whatever its samples, and ranks that have fewer */
    SCALE_DECODING,
    SCALE_READING,
    SCALE_ROOM, /* the host has not enough memory */
    SCALE_LIMITS
};

const char *scale_limit_text(enum scale_limit limit);

/* One number of ranks. */
struct scale_row {
    int64_t ranks, hosts;
    int64_t batch, per_rank; /* samples of a step: of all ranks, the most of one */
    const struct cost_model *model;
    double part_s[SCALE_LIMITS];        /* of a step, by what would have to be better */
    double forward_s, backward_s;       /* seconds of a step */
    double exposed_s, update_s, data_s; /* likewise; update: and all else */
    double step_s, samples_per_s;
    double speedup, efficiency, host_efficiency; /* against one rank; against one host */
    double read_bytes_per_s, decoders; /* from storage; processors that decode, of a host */
    double host_bytes;                 /* memory that a host needs */
    double epoch_s, host_hours;        /* host_hours: of all epochs; 0: not known */
    enum scale_limit limit;
};

/* All that a row is computed from. */
struct scale_setting {
    const struct scale_profile *profile;
    struct cost_cluster cluster;            /* ranks: of the row */
    int64_t batch;                          /* of all ranks; of one where weak */
    bool weak;                              /* the batch grows with the ranks */
    int64_t parts;                          /* [data] accumulate */
    double epochs;                          /* 0: not known */
    double samples;                         /* of an epoch, likewise */
    double thread_scale;                    /* computing takes so many times what was measured */
    int threads;                            /* of a rank */
    double host_bytes, storage_bytes_per_s; /* 0: no limit */
    const struct cost_model *own;           /* the job's all-reduce; NULL: it has no model */
    bool moves_always; /* messages move while operators compute, not between them */
    bool early;        /* updates follow the sums, as late as the next forward pass needs them */
};

/* The row of so many ranks by that algorithm, NULL: the fastest. Pure. */
struct scale_row scale_row(const struct scale_setting *s, int64_t ranks,
                           const struct cost_model *model);

/* The least number of ranks, at most `most`, in whole hosts from one host on, whose epoch takes at
 * most target_s; the most of them whose efficiency is at least that. False: there is none. */
bool scale_least(const struct scale_setting *s, int64_t most, double target_s,
                 struct scale_row *out);
bool scale_most(const struct scale_setting *s, int64_t most, double efficiency,
                struct scale_row *out);

/* The command. */
struct scale {
    struct jobargs args; /* first: the options that all commands have count from here */
    struct scale_args want;
    struct scale_profile profile;
    struct scale_setting setting;
    struct scale_row rows[SCALE_MAX_ROWS]; /* [want.n_ranks] */
};

void scale_print(const struct scale *s);
int scale_print_json(const struct scale *s, struct err *err);
int scale_plot(const struct scale *s, struct err *err);

/* Steps of the job on the ranks that there are, with operators that wait as long as they were
 * measured to take, while real messages carry gradients; what the model says is printed beside it.
 * Collective. Errors, the same on all ranks: those of training. */
int scale_replay(struct scale *s, struct err *err);
