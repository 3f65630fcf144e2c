/* bench.h - `dltrain bench --layers`: where the time of a step goes, operator by operator. Private
 * to bench*.c. */
#pragma once
#include "cmd/jobargs.h"
#include "train/step.h"

/* What the processors of this rank can do, measured. */
struct bench_machine {
    double gflops;   /* multiply-adds in registers, all threads of the rank together; one is 2 */
    double gb_per_s; /* memory read and written by all threads, in arrays that no cache holds */
};

/* Measure, and keep the better of what is found and what m holds. All ranks measure at the same
 * time. Collective. Errors, the same on all ranks: ERR_IO. */
int bench_machine_measure(struct comm *comm, struct team *team, struct bench_machine *m,
                          struct err *err);

enum { BENCH_PHASES = RUN_PHASES - RUN_FORWARD }; /* forward, data, weights */

/* What one operator, or several together, did in one step on this rank. */
struct bench_figures {
    double seconds[BENCH_PHASES];
    double flops[BENCH_PHASES]; /* 0: not known */
    double bytes[BENCH_PHASES]; /* of all operands, each once; 0: this phase is not computed */
};

/* Add the figures of another operator. */
void bench_add(struct bench_figures *sum, const struct bench_figures *f);

/* FLOPs or bytes a second; 0 where nothing was computed. */
double bench_rate(double amount, double seconds);

/* One operator, in order of computation. */
struct bench_row {
    int node;         /* of the graph */
    const char *path; /* of its part, or of the block that it stands in */
    const char *word;
    const struct shape *y;
    bool is_conv;
    struct bench_figures figures; /* seconds are medians over the steps */
};

/* The operators of one [step]. */
struct bench_graph {
    const char *name; /* "step", "step generator" */
    struct bench_row *rows;
    int n_rows, n_timed; /* n_timed: steps that the medians are of */
};

/* A watch over the steps of a job. */
struct bench_layers {
    const struct replica *replica;
    int64_t n_samples;                       /* of this rank in each step */
    int n_steps;                             /* that there is room for */
    double *seconds[JOB_MAX_STEPS];          /* [n_steps][n_nodes][BENCH_PHASES] */
    int n_timed[JOB_MAX_STEPS];              /* steps done, whose seconds are kept */
    double last;                             /* when the watch was last called */
    struct bench_graph graph[JOB_MAX_STEPS]; /* after bench_layers_finish */
    int n_graphs;
};

/* Let the stepper tell it; {0} before, both are borrowed. Errors: ERR_IO. */
int bench_layers_init(struct bench_layers *l, struct stepper *stepper, int64_t n_samples,
                      int n_steps, struct err *err);

/* A step of the job is done; one that warms up is forgotten. */
void bench_layers_next(struct bench_layers *l, const struct step_output *out, bool warms_up);

/* Find the medians and name the rows, in pool. */
void bench_layers_finish(struct bench_layers *l, struct pool *pool);

/* {0} is fine. */
void bench_layers_release(struct bench_layers *l);

/* What is printed, by rank 0. */
struct bench_report {
    const struct jobargs *args;
    const struct bench_layers *layers;
    struct bench_machine machine;
    struct step_times times;      /* of the median step of rank 0 */
    const struct step_times *all; /* [ranks] of the mean step of every rank */
    int n_steps, threads;
    const char *model;
};

/* All rows of all graphs together. */
struct bench_figures bench_total(const struct bench_layers *l, bool conv_only);

/* Of n steps. */
struct step_times bench_mean(const struct step_times *times, int n);

/* What each phase takes on the slowest and on the fastest rank; where there are several. */
void bench_print_phases(const struct step_times *all, int n_ranks);

/* The largest and the least exposed communication of all ranks. */
struct bench_spread {
    double max, min; /* seconds */
};
struct bench_spread bench_exposed(const struct step_times *all, int n_ranks);

void bench_print_table(const struct bench_report *r);
int bench_print_json(const struct bench_report *r, struct err *err);
