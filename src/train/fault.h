/* fault.h - the first fault of a run, on one page that a person reads, runs/NAME/fault.txt, and the
 * same for programs, fault.json: who it was, where, and what to do. */
#pragma once
#include "job/job.h"

#include <stdint.h>

enum fault_kind {
    FAULT_STALL,      /* nothing goes on */
    FAULT_CRASH,      /* a process ended by a signal */
    FAULT_NOT_FINITE, /* a loss, a gradient or a weight is no number */
    FAULT_UNLIKE,     /* replicas differ */
    FAULT_DATA,       /* a sample cannot be read */
    FAULT_IO,         /* a file, memory or the network */
    FAULT_KINDS
};

/* What the numbers of a pulse are called. */
struct fault_names {
    int n_steps;
    const char *step[JOB_MAX_STEPS];        /* of the job's [step NAME]: NAME; "" */
    const char *const *node[JOB_MAX_STEPS]; /* [n_nodes] */
    int n_nodes[JOB_MAX_STEPS];
};

struct replica;

/* In the replica's pool. */
void fault_names_init(struct fault_names *names, struct replica *r);

/* What a number of a pulse means: "layer1.0.conv1"; NULL where it means nothing. Any handler. */
const char *fault_node(const struct fault_names *names, int which, int node);

struct watchdog_rank;

/* All texts are borrowed; NULL or "" where something is not known. */
struct fault {
    enum fault_kind kind;
    const char *message; /* what happened: the page's first line */
    int rank;            /* whose fault it is; -1: nobody knows */
    int size;            /* ranks of the job */
    const char *host;
    int64_t step;              /* that it happened in, from 1; 0: in none */
    const char *which;         /* of the job's steps: [step NAME] */
    const char *phase;         /* "backward" */
    const char *node;          /* operator, by the user's name */
    const char *tensor;        /* "weights of model, conv.weight[3, 0, 1, 2]" */
    int bucket;                /* of gradients that were waited for, from 1; 0: none */
    const char *const *sample; /* [n_samples] names */
    int n_samples;
    const char *const *line; /* [n_lines] sentences: what else is known, why it is so */
    int n_lines;
    const double *loss; /* [n_losses] of the steps up to this one, the last one last */
    int n_losses;
    const char *advice;                /* what to do; NULL: what is usual of its kind */
    const struct fault_names *names;   /* of what the ranks' pulses say */
    const struct watchdog_rank *ranks; /* [n_ranks] what they say of themselves */
    int n_ranks;
};

/* Write fault.txt and fault.json into a run's folder, where there is no fault.txt yet: the first
 * fault is the one that counts. Where the folder cannot be written, as on a host that does not have
 * it, fault.txt is written as a file of its own where temporary files are. Any thread; knows no
 * other ranks.
 *   where  [FAULT_PATH] the file written; NULL: it is told on standard error
 * Returns 0, 1 where there was one already, which *where is then, -1 where nothing can be written.
 */
enum { FAULT_PATH = 4096 };
int fault_write(const char *folder, const struct fault *f, char *where);

/* A run that goes on: what an earlier one left is fault.1.txt, .json and .h5, or 2, 3 ... */
void fault_put_aside(const char *folder);
