/* replica.h - what every rank holds alike: the networks, and the planned graphs of all steps and of
 * the validation. Made from a job and the shapes of its data; knows no files and no messages. */
#pragma once
#include "core/graph/run.h"
#include "core/learn/optim.h"
#include "job/job.h"
#include "train/spans.h"

/* A run of weights that is treated alike by an optimiser; one parameter where it needs them whole.
 */
struct update_run {
    int64_t begin, len;
    bool decay, norm, frozen;
    double lr_scale;
};

/* One [step], compiled. */
struct replica_step {
    const struct job_step *job;
    struct graph *graph;
    struct plan *plan;
    int loss; /* node */
    /* Its forward as written, without fusion, for those who look at what is between; NULL: nobody
     * does, or `plan` shows all. It stands in the memory of activations, and is of this rank. */
    struct graph *written;
    struct plan *seen;
    struct net **train;
    int n_train;
    struct net **running; /* nets whose running statistics this step moves */
    int n_running;
    struct selection *freeze, *lr_scale;
    int n_freeze, n_lr_scale;
    const struct optimizer *optimizer;
    struct {
        struct update_run *runs;
        int n_runs;
        real *moment[OPTIM_MAX_MOMENTS];
    } * nets;          /* [n_train] */
    int64_t n_updates; /* done so far: the optimiser's t */
};

/* One [picture], compiled. */
struct replica_picture {
    const struct job_picture *job;
    struct graph *graph;
    struct plan *plan;
    int *show; /* [n_show] nodes */
    int n_show;
};

/* The statements of a validation that are one number: the best-deciding one first, then in the
 * job's order. */
struct replica_measures {
    const char **name; /* [n] */
    int *node;         /* [n] */
    double *error;     /* [n] standard errors of the last evaluation; nan: none */
    int n;
};

struct replica {
    struct model model;
    const struct field *fields; /* [n_fields] that graphs may read */
    int n_fields;
    struct replica_step step[JOB_MAX_STEPS];
    int n_steps;
    struct graph *validate; /* NULL: none */
    struct plan *validate_plan;
    struct replica_measures measures;
    struct replica_picture picture[JOB_MAX_PICTURES];
    int n_pictures;
    struct compute_mode written; /* the job's, without fusion: of `seen` */
    int best;                    /* node of validate, or -1 */
    int per_class;               /* confusion matrix that nobody named, or -1 */
    int shards; /* the job's: that batches are cut into, each computed by itself; or 0 */
    bool maximise;
    struct span *spans; /* [n_spans] all state that ranks hold alike */
    int n_spans;
    struct team *team;
    struct arena arena; /* activations (shared by all graphs) and moments */
};

struct dataset;

/* What data is called, and what it offers. */
struct replica_data {
    const char *name;
    const struct field *fields; /* [n_fields] of a sample */
    int n_fields;
    const struct dataset *dataset; /* that they are of, for messages; NULL: none is at hand */
};

struct replica_config {
    struct job *job;
    const struct field *fields; /* [n_fields] of a sample; copied, but for class_counts */
    int n_fields;
    int64_t step_samples;   /* of a full step, of all ranks together; of training */
    int64_t batch;          /* most samples that this rank trains on at a time */
    int64_t validate_batch; /* and validates on; 0: no validation */
    bool training;          /* false: only what validation needs */
    bool per_class;         /* measure a confusion matrix, too, where validation classifies */
    int threads;
    const struct ranks *ranks;                /* all that train together; NULL: this one is alone */
    const char *data_name;                    /* of the data, for messages */
    const struct dataset *dataset;            /* as in struct replica_data */
    const struct replica_data *validate_data; /* whose classes are measured; NULL: the same */
};

/* Build and plan everything; {0} before. replica_allocate makes it computable.
 * Errors: ERR_CONFIG in the words of the job; ERR_DATA where labels do not fit the network. */
int replica_init(struct replica *r, const struct replica_config *config, struct err *err);

/* Is there a loss that chooses from more classes than the data has? Then text says where, and both
 * numbers. */
bool replica_spare_classes(const struct replica *r, const struct replica_config *config, char *text,
                           size_t size);

/* Are samples mixed for training by steps that read their classes, but never `target`, the shares
 * of them? */
bool replica_ignores_shares(const struct replica *r, const struct replica_config *config);

/* Make the groups of ranks that operators talk to. Collective over all; NULL is fine. Before
 * replica_allocate, which then waits for nobody. */
void replica_meet(const struct replica *r, const struct ranks *all);

/* Reserve all memory and fill the weights. Errors: ERR_CONFIG, which may be this rank's alone,
 * where statistics of a batch would be of one value; ERR_IO. */
int replica_allocate(struct replica *r, const struct replica_config *config, struct err *err);

/* {0} is fine. */
void replica_release(struct replica *r);

struct reducer_piece;

/* Apply the optimiser to the elements of a piece, of step's net number piece->span, by their
 * gradients piece->sum times scale, and what the step says of weights: bounds, averages; by all
 * threads. Any pieces in any order give the same bits, but for an optimiser that is optim_whole(),
 * which takes the net as one. */
void replica_update(struct replica *r, struct replica_step *step, const struct reducer_piece *piece,
                    double lr, double scale);

/* Averages begin as the weights are. */
void replica_begin_ema(struct replica *r);

/* Exchange the weights and their averages of all nets that have averages. */
void replica_swap_ema(struct replica *r);

/* Is a node of a graph one number, as losses and metrics are? A table of such numbers? */
bool replica_is_number(const struct graph *g, int node);
bool replica_is_table(const struct graph *g, int node);

/* Bytes that replica_allocate takes: in all, of activations (with scratch), of moments. */
size_t replica_bytes(const struct replica *r);
size_t replica_activation_bytes(const struct replica *r);
size_t replica_moment_bytes(const struct replica *r);
