/* feed.h - batch after batch of one dataset for one rank: which samples (dist/shard), read and
 * augmented ahead of time (io/loader). */
#pragma once
#include "core/graph/run.h"
#include "dist/shard.h"
#include "io/dataset/dataset.h"
#include "io/loader/loader.h"
#include "job/job.h"
#include "train/event.h"

struct feed {
    struct dataset *dataset;
    struct loader *loader;
    struct shard shard;
    int rank, size;            /* whose share it reads */
    int64_t next, end;         /* steps to request next, and where to end; counted over epochs */
    int64_t given;             /* step that feed_next gives next */
    bool holds;                /* a batch is out */
    const struct sinks *sinks; /* those of its config; borrowed */
    struct pulse *pulse;       /* told of waiting for batches; NULL: nobody looks */
    int64_t most_steps;        /* of a pass over it, where it is only tried; 0: all */
};

/* This rank's share of one step. */
struct feed_batch {
    struct loader_batch data;
    int64_t first;    /* position of its sample 0 in the step's batch */
    int64_t global_n; /* samples of the step, of all ranks */
};

/* How a field's classes are counted: by the training data, or by what was trained on them. */
struct feed_classes {
    const char *field;
    int n;
    const char *const *names; /* [n]; NULL: there are only numbers */
};

struct feed_config {
    const struct job *job;
    const char *spec;        /* "path:group" */
    int64_t batch;           /* of all ranks together */
    bool training;           /* shuffled and augmented */
    bool keeps_nothing;      /* it is only looked at: nothing is read into memory */
    struct dataset *dataset; /* that of spec, open; the feed's from feed_init on, whether that fails
                                or not; NULL: feed_init opens it */
    int rank, size;
    const struct feed_classes *classes; /* [n_classes] that the data must be counted by; borrowed */
    int n_classes;
    const char *classes_of;    /* whose they are, for messages: "a.h5:train" */
    const struct sinks *sinks; /* told how classes were matched; NULL: nobody is */
};

/* Open the dataset, count its classes as the config says, and start its loader.
 * Errors: the dataset's and the pipeline's; ERR_DATA where a class is not among the config's. */
int feed_init(struct feed *f, const struct feed_config *config, struct err *err);

/* The classes of the feed's dataset as others are to count them: out[DATASET_MAX_FIELDS]. Returns
 * how many fields have classes. Everything is borrowed from the dataset. */
int feed_list_classes(const struct feed *f, struct feed_classes *out);

/* From now on it says in a pulse, borrowed until feed_release, what is read and waited for; which
 * of the pulse's readers it is. */
void feed_say_to(struct feed *f, struct pulse *pulse, int which);

/* {0} is fine. */
void feed_release(struct feed *f);

/* The largest share of a batch that is cut among so many ranks. */
int64_t feed_largest_share(int64_t batch, int size);

/* Most samples this rank gets at a time; and that it computes at a time, as a batch is cut into
 * shards: the same on any number of ranks. */
int64_t feed_max_batch(const struct feed *f);
int64_t feed_max_shard(const struct feed *f);

/* Give the steps [begin, end) from now on, counted from the first step of the first epoch. What was
 * requested before is thrown away. */
void feed_seek(struct feed *f, int64_t begin, int64_t end);

/* Steps of one pass over the dataset. */
int64_t feed_steps(const struct feed *f);

/* The next step's batch, valid until the next call. n may be 0. Errors: reading failed. */
int feed_next(struct feed *f, struct feed_batch *out, struct err *err);

/* What the networks see of a sample: from the training data where its files are there, else from
 * the job's keys image (and label, which is taken to exist) and fields. *n is their number; names
 * and counts are in the job's pool. Errors: ERR_CONFIG when the job says neither, or the keys and
 * the data say different things; the dataset's and the pipeline's. */
int feed_fields(struct job *job, struct loader_field fields[LOADER_MAX_FIELDS], int *n,
                struct err *err);

/* fields[n] as graphs know them. */
void feed_graph_fields(const struct loader_field *fields, int n, struct field *out);

/* Point the inputs of a plan at the batch's samples from number `first` on; fields as graphs know
 * them. */
void feed_point(struct plan *p, const struct field *fields, int n_fields,
                const struct loader_batch *batch, int64_t first);

/* The fields of an open feed as graphs know them; returns their number. */
int feed_open_fields(const struct feed *f, struct field out[LOADER_MAX_FIELDS]);
