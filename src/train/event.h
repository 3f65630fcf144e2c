/* event.h - what happens in a run, for those who write it down: a terminal, a log, a page. The
 * trainer tells every event to a list of sinks, in the order of the list, and knows none of them.
 * A rank that nobody listens to has an empty list. */
#pragma once
#include "core/base/trace.h"
#include "train/control.h"
#include "train/replica.h"
#include "train/tensor_stats.h"

enum event_kind {
    EVENT_START,      /* everything is ready for the first step of this process */
    EVENT_STEP,       /* one is done */
    EVENT_VALIDATION, /* its numbers are evaluate_measure and evaluate_table of the replica */
    EVENT_CHECKPOINT, /* a file is written */
    EVENT_NOTE,       /* a text for the user */
    EVENT_WARNING,    /* something went wrong that does not end the run */
    EVENT_END,        /* of a run that had started */
    EVENT_PASS,       /* of a pass over data, such as a validation, one batch more is done */
    EVENT_VALIDATES,  /* a validation begins */
    EVENT_PICTURE,    /* one of the job's is drawn */
    EVENT_TRACE,      /* it is known what every thread did in some steps */
    EVENT_FOLDER,     /* of the run was gone and is made again: files in it are to be, too */
    EVENT_TENSORS,    /* how the numbers of the last step are spread */
};

struct event_start {
    int64_t n_samples;  /* of the training set */
    int64_t n_validate; /* of that for validation; 0: none is read here */
    int ranks, threads;
    const char *kernels; /* instruction set */
    const char *from;    /* the checkpoint that it goes on from; NULL: none */
};

/* Parts of the time in steps, since this process began, that went into communication which nothing
 * hid. */
struct event_comm {
    double share;                  /* on this rank, all of it: */
    double control, buckets, sync; /* as in struct step_times */
    double max, min;               /* the largest and the least share of all ranks, a step ago */
};

/* Parts of the time in steps since the last event that was logged, on this rank; what is missing to
 * 1 is communication which nothing hid. */
struct event_shares {
    double data; /* waiting for a batch */
    double forward, backward, optimizer, other;
};

/* Mean seconds of a step since the last time that it was told, of every rank, [n]. */
struct event_ranks {
    int n;
    const char *const *host;
    const double *compute_s; /* operators and updates */
    const double *wait_s;    /* communication which nothing hid */
    const double *data_s;    /* waiting for a batch */
};

/* Numbers of each of the job's steps, [n_steps]. */
struct event_step {
    double time;        /* seconds since 1970, UTC */
    const double *loss; /* of the last time that it ran; nan: has not run in this process */
    const bool *ran;    /* since the last event that is logged */
    const double *lr;   /* of the step that follows */
    bool logged;        /* [log] every asks for a line */
    double img_per_s;   /* since this process began */
    double left_s;      /* seconds that the rest will take */
    const struct event_comm *comm;     /* NULL: there is one rank */
    const struct event_shares *shares; /* NULL: it is not logged */
    const struct event_ranks *ranks;   /* NULL: there is one rank, or they told it shortly before */
};

enum event_tensor_kind { EVENT_WEIGHT, EVENT_GRADIENT, EVENT_ACTIVATION };

/* A parameter or a node of a net; net "": a statement of a step. */
struct event_tensor {
    const char *net, *name;
    enum event_tensor_kind kind;
    bool there; /* the last step has computed it */
    struct tensor_stats stats;
};

struct event_tensors {
    const struct event_tensor *item; /* [n] */
    int n;
};

struct event_picture {
    const char *name, *file; /* of [picture NAME]; a PNG */
};

/* What the threads of a rank did. */
struct event_rank_trace {
    const char *host;
    const struct trace_event *event; /* [n] by this rank's clock */
    int64_t n;
    double ahead_s, error_s; /* of its clock before rank 0's; how wrong that may be */
};

struct event_trace {
    const struct event_rank_trace *rank; /* [n] */
    int n;
    int64_t dropped; /* events of all ranks that had no room */
};

struct event_pass {
    const char *of;      /* "validation" */
    int64_t done, total; /* batches */
};

struct event_end {
    const struct err *err; /* why it ends early, stopped or failed; NULL: it is complete */
    double img_per_s;
    double data_wait_share, comm_share; /* of the time in steps */
};

/* Everything is borrowed and may change after the call. Job, replica and progress are NULL in
 * notes, warnings, passes and of a folder, which these but the last have not. */
struct event {
    enum event_kind kind;
    const struct job *job;
    const char *folder;            /* of the run */
    const struct replica *replica; /* of EVENT_STEP: updates of its weights may be under way */
    const struct progress *progress;
    union {
        struct event_start start;
        struct event_step step;
        struct event_pass pass;
        bool best;        /* EVENT_VALIDATION: no earlier one was better */
        const char *file; /* EVENT_CHECKPOINT */
        const char *text; /* EVENT_NOTE, EVENT_WARNING: one line */
        struct event_end end;
        struct event_picture picture;
        struct event_tensors tensors;
        struct event_trace trace;
    };
};

/* Somebody who listens; the first member of what it keeps. */
struct sink {
    const struct sink_kind *kind;
};

struct sink_kind {
    /* Prepare for the events of a run, of which this is the first; NULL: nothing to do. The only
     * function of a sink that may fail, and end the run by it. */
    int (*open)(struct sink *sink, const struct event *start, struct err *err);

    /* Any event, that of open too. What cannot be written is a warning. */
    void (*take)(struct sink *sink, const struct event *event);
};

/* Where events go, in this order. {0}: nowhere. */
struct sinks {
    struct sink *const *sink; /* [n] borrowed */
    int n;
};

/* Open all sinks, and tell them that the run starts. Local. Errors: those of the first sink that
 * fails; then none of them has been told. */
int sinks_start(const struct sinks *sinks, const struct event *start, struct err *err);

/* Tell everyone. Local. */
void sinks_tell(const struct sinks *sinks, const struct event *event);

/* Tell everyone a line of text. Local. */
void sinks_note(const struct sinks *sinks, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void sinks_warn(const struct sinks *sinks, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
