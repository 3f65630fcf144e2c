/* step.h - one training step over all ranks: forward, backward with its gradients summed on the
 * way, update. The same for real batches and for those of a benchmark. Updates follow the sums as
 * they arrive, during backward and during the forward of the next step, which waits for the weights
 * that it reads, when it reads them: whoever else looks at weights, moments, averages or running
 * statistics calls stepper_settle before. */
#pragma once
#include "dist/reducer.h"
#include "train/control.h"
#include "train/feed.h"
#include "train/replica.h"

/* Seconds of one step on this rank, each part without the others. */
struct step_times {
    double forward, backward, optimizer, total;
    double exposed_comm; /* not hidden behind operators, all of it: */
    double control_comm; /* sums of losses, and what ranks say of themselves */
    double bucket_comm;  /* gradients: waiting for them, and moving them between operators */
    double sync_comm;    /* operators that talk to other ranks: synchronised batch norm */
};

/* sum += t */
void step_times_add(struct step_times *sum, const struct step_times *t);

/* Updates of one of the job's steps that follow its sums. */
struct step_update {
    bool active; /* some are still to come */
    bool early;  /* during backward nothing reads weights any more whose gradients are final */
    bool moved;  /* some weights have been updated */
    double lr;
    int64_t step; /* whose gradients they are */
};

/* Why a step must not count: something in it is not finite. Nothing is updated from then on. */
struct step_fault {
    enum { STEP_FINE, STEP_LOSS, STEP_GRADIENTS, STEP_NORM } of; /* that was seen first */
    int which;                                                   /* of the job's steps */
    int64_t step; /* counted from 0: whose batch it was */
    bool here;    /* this rank's own part of the loss is none, too */
    bool moved;   /* some weights had been updated by that step; else all are as before it */
    int net;      /* STEP_GRADIENTS: of the step's trained nets, */
    int64_t at;   /* element of it */
    double value;
};

struct step_shards;

struct stepper {
    struct replica *replica; /* borrowed */
    struct comm *comm;       /* borrowed */
    uint64_t seed;
    struct reducer *reducer[JOB_MAX_STEPS];
    struct step_update update[JOB_MAX_STEPS];
    struct step_fault fault; /* the first */
    struct mover *mover;     /* moves messages while operators compute; NULL: they do in between */
    bool overlap;            /* of updates with backward and with the next forward */
    double optimizer_s;      /* in all updates so far */
    double control_s;        /* in all sums of losses so far */
    bool in_parts; /* batches are computed in parts, whose terms must be known beforehand: */
    double *counts;
    int n_counts; /* of every leaf of every graph */
    /* Of the leaves of one graph, sums and then terms: of all ranks, of this rank, of one part. */
    double *sums, *local, *part;
    bool apart;                 /* this step: gradients are this rank's own */
    bool told;                  /* what ranks say of themselves has gone with a sum of this step */
    struct step_shards *shards; /* of reproducible sums; NULL: none */
    real **before;              /* [n_nets] running statistics before the step; the model's */
    /* What run.h says of a watch, with the number of the job's step; NULL: none. */
    void (*watch)(void *context, int step, int node, enum run_phase phase);
    bool watch_whole; /* as `whole` there */
    /* Gradients of one of the job's steps that are summed, before they are clipped and used; the
     * step's number follows. NULL: nobody looks. */
    void (*see)(void *context, int step, const struct reducer_piece *piece);
    void *watch_context; /* of both */
    struct trace *trace; /* what is done when; NULL: nobody looks */
};

struct step_input {
    const struct feed_batch *batch; /* fields as the replica's */
    int rc;                         /* nonzero: this rank could not read its batch, *err says why */
    int64_t step;
    const double *lr;              /* [n_steps] */
    bool stop, save;               /* this rank was asked to stop, to save and go on */
    bool apart;                    /* each rank updates by the gradients of its own samples */
    const struct control *control; /* rank 0's plan of what follows; NULL: on others, or none */
    double waits;                  /* whatever measure of waiting, of this rank, up to now */
};

struct step_output {
    bool ran[JOB_MAX_STEPS];        /* steps with every > 1 rest in between */
    double loss[JOB_MAX_STEPS];     /* of the whole batch, before the update */
    bool stop;                      /* some rank was asked to stop */
    struct control control;         /* what rank 0 planned, and what requests make of it */
    double most_waits, least_waits; /* of all ranks' in->waits */
    bool unread;                    /* nothing is updated: some rank could not read its batch */
    struct step_times times;
};

/* Plan the communication.
 *   home  the memory of the host that gradients lie in; NULL: in that of this rank
 * Collective. Errors, the same on all ranks: those of reducer_new. */
int stepper_init(struct stepper *s, struct replica *r, const struct job *job, struct comm *comm,
                 const struct comm_shared *home, struct err *err);

/* The all-reduce that was measured to be best, as [dist] allreduce would say it, borrowed; NULL:
 * nothing was measured. Local. */
const char *stepper_choice(const struct stepper *s);

/* Keep what is done in steps in a trace, borrowed until stepper_release. Between steps. Local. */
void stepper_trace(struct stepper *s, struct trace *trace);

/* Wait for all sums under way, and update. Collective, but ranks wait for sums only. */
void stepper_settle(struct stepper *s);

/* After stepper_settle: were all gradients finite? What ranks have summed is the same on all of
 * them, and so is the answer. Local. Errors: ERR_DATA, naming step and tensor. */
int stepper_check(const struct stepper *s, struct err *err);

/* The pieces that this rank's share of a batch is computed in: *out [returned], in pool; as many on
 * every rank, but for shards. Local. */
struct probe_cut;
int stepper_cuts(const struct stepper *s, int which, const struct feed_batch *batch,
                 struct pool *pool, struct probe_cut **out);

/* Who goes on from what is saved now, and knows nothing else, takes the same steps: as
 * allreduce_forget. Between steps, by all ranks between the same ones. Local. */
void stepper_forget(struct stepper *s);

/* {0} is fine. Collective. */
void stepper_release(struct stepper *s);

/* Collective. Errors, the same on all ranks: a batch could not be read; ERR_DATA when a loss is not
 * finite, naming step and rank; no weight has moved by it then, nor any statistic; those of
 * stepper_check, of this step or the one before. s->fault says more.
 * Ranks wait for each other once in each of the job's steps, beside the sum of gradients: before
 * backward for the losses, with which goes what they must know of each other; where batches are
 * computed in parts, also before forward for their terms. */
int stepper_run(struct stepper *s, const struct step_input *in, struct step_output *out,
                struct err *err);
