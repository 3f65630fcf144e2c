/* feed.h - batch after batch of one dataset for one rank: which samples (dist/shard), read and
 * augmented ahead of time (io/loader). */
#pragma once
#include "core/graph/run.h"
#include "dist/shard.h"
#include "io/dataset/dataset.h"
#include "io/loader/loader.h"
#include "job/job.h"

struct feed {
    struct dataset *dataset;
    struct loader *loader;
    struct shard shard;
    int rank, size;    /* whose share it reads */
    int64_t next, end; /* steps to request next, and where to end; counted over epochs */
    int64_t given;     /* step that feed_next gives next */
    bool holds;        /* a batch is out */
};

/* This rank's share of one step. */
struct feed_batch {
    struct loader_batch data;
    int64_t first;    /* position of its sample 0 in the step's batch */
    int64_t global_n; /* samples of the step, of all ranks */
};

/* The names that a field's class numbers stand for, 0 first. */
struct feed_classes {
    const char *field;
    int n;
    const char *const *names; /* [n] */
};

struct feed_config {
    const struct job *job;
    const char *spec; /* "path:group" */
    int64_t batch;    /* of all ranks together */
    bool training;    /* shuffled and augmented */
    int rank, size;
    const struct feed_classes
        *classes;  /* [n_classes] what the networks were trained on; borrowed */
    int n_classes; /* fields; 0: nothing is known */
};

/* Open the dataset and start its loader. Errors: the dataset's and the pipeline's. */
int feed_init(struct feed *f, const struct feed_config *config, struct err *err);

/* {0} is fine. */
void feed_release(struct feed *f);

/* The largest share of a batch that is cut among so many ranks. */
int64_t feed_largest_share(int64_t batch, int size);

/* Most samples this rank gets at a time. */
int64_t feed_max_batch(const struct feed *f);

/* Give the steps [begin, end) from now on, counted from the first step of the first epoch. What was
 * requested before is thrown away. */
void feed_seek(struct feed *f, int64_t begin, int64_t end);

/* The next step's batch, valid until the next call. n may be 0. Errors: reading failed. */
int feed_next(struct feed *f, struct feed_batch *out, struct err *err);

/* What the networks see of a sample: from the job's keys image (and label, which is taken to
 * exist) and fields if it has one, else from its training data. *n is their number; names are in
 * the job's pool. Errors: ERR_CONFIG when the job says neither; the dataset's and the pipeline's.
 */
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
