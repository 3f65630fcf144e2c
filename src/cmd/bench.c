#define _DEFAULT_SOURCE /* ru_maxrss */
#include "cmd/command.h"
#include "cmd/jobargs.h"
#include "core/base/rng.h"
#include "dist/agree.h"
#include "train/step.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { WARM_UP = 2 };

/* A batch without a dataset: random numbers and classes. */
struct synthetic {
    float *memory[LOADER_MAX_FIELDS];
    struct feed_batch batch;
};

/* Labels below the smallest number of classes that the job's steps choose from. */
static int64_t n_classes(const struct replica *r) {
    int64_t classes = 0;

    for (int s = 0; s < r->n_steps; s++)
        for (int i = 0; i < r->step[s].graph->n_nodes; i++) {
            int64_t c;
            if (graph_class_input(r->step[s].graph, i, &c) >= 0)
                classes = !classes || c < classes ? c : classes;
        }
    return classes ? classes : 1;
}

static int make_batch(struct synthetic *s, const struct replica *r,
                      const struct loader_field *fields, int64_t global_n, const struct comm *comm,
                      struct err *err) {
    const int64_t rank = comm_rank(comm), size = comm_size(comm);
    const int64_t first = global_n * rank / size, n = global_n * (rank + 1) / size - first;
    const uint64_t classes = (uint64_t)n_classes(r);

    s->batch = (struct feed_batch){.data.n = n, .first = first, .global_n = global_n};
    for (int f = 0; f < r->n_fields; f++) {
        const uint64_t key = rng_key(1, RNG_TEST, (uint64_t)rank, (uint64_t)f);
        const int64_t len = n * (fields[f].sample.rank ? shape_len(&fields[f].sample) : 1);
        float *x = s->memory[f] = calloc((size_t)len + 1, sizeof *x);

        if (!x)
            return err_set(err, ERR_IO, "no memory for a batch of %lld images", (long long)n);
        for (int64_t i = 0; i < len; i++)
            x[i] = fields[f].kind == DATASET_CLASS ? (float)rng_below(key, (uint64_t)i, classes)
                                                   : rng_normal(key, (uint64_t)i);
        s->batch.data.field[f] = x;
    }
    return 0;
}

static int by_total(const void *a, const void *b) {
    const double x = ((const struct step_times *)a)->total,
                 y = ((const struct step_times *)b)->total;

    return (x > y) - (x < y);
}

static void print_line(const struct jobargs *a, const struct replica *r, struct step_times *times,
                       int n) {
    struct rusage usage;

    qsort(times, (size_t)n, sizeof *times, by_total);
    const struct step_times *t = &times[n / 2];
    const double batch = (double)a->job.batch;
    getrusage(RUSAGE_SELF, &usage);
    printf("bench: model=%s ranks=%d threads=%d batch=%lld dtype=fp32 median_img_per_s=%.2f "
           "best_img_per_s=%.2f step_ms=%.2f forward_ms=%.2f backward_ms=%.2f "
           "exposed_comm_ms=%.2f optimizer_ms=%.2f peak_rss_mb=%.1f\n",
           r->model.n_nets ? r->model.nets[0]->name : "none", comm_size(a->comm),
           team_size(r->team), (long long)a->job.batch, batch / t->total, batch / times[0].total,
           1e3 * t->total, 1e3 * t->forward, 1e3 * t->backward, 1e3 * t->exposed_comm,
           1e3 * t->optimizer, (double)usage.ru_maxrss / 1024);
}

static int prepare(struct jobargs *a, struct replica *r, struct stepper *stepper,
                   struct synthetic *s, struct err *err) {
    struct loader_field seen[LOADER_MAX_FIELDS];
    struct field fields[LOADER_MAX_FIELDS];
    int n_fields;

    if (feed_fields(&a->job, seen, &n_fields, err))
        return -1;
    feed_graph_fields(seen, n_fields, fields);
    const int64_t parts = comm_size(a->comm) * a->job.accumulate;
    const struct replica_config config = {
        .job = &a->job,
        .fields = fields,
        .n_fields = n_fields,
        .batch = (a->job.batch + parts - 1) / parts,
        .training = true,
        .threads = a->threads,
        .data_name = a->job.path,
    };
    if (!a->job.n_steps)
        return err_set(err, ERR_CONFIG, "%s: there is no [step]", a->job.path);
    if (replica_init(r, &config, err) || replica_allocate(r, &config, err) ||
        stepper_init(stepper, r, &a->job, a->comm, err))
        return -1;
    return make_batch(s, r, seen, a->job.batch, a->comm, err);
}

/* A learning rate so small that random labels do no harm, whatever the number of steps. */
static int measure(struct jobargs *a, struct stepper *stepper, const struct synthetic *s,
                   struct err *err) {
    const int n = a->steps ? (int)a->steps : 20;
    struct step_times *times = calloc((size_t)n, sizeof *times);
    double lr[JOB_MAX_STEPS];
    int rc = 0;

    if (!times)
        rc = err_set(err, ERR_IO, "no memory for %d times", n);
    rc = agree(a->comm, rc, err);
    for (int i = 0; i < JOB_MAX_STEPS; i++)
        lr[i] = 1e-6;
    for (int i = -WARM_UP; i < n && !rc; i++) {
        const struct step_input in = {.batch = &s->batch, .step = i + WARM_UP, .lr = lr};
        struct step_output out;
        rc = stepper_run(stepper, &in, &out, err);
        if (i >= 0)
            times[i] = out.times;
    }
    if (!rc && comm_rank(a->comm) == 0)
        print_line(a, stepper->replica, times, n);
    free(times);
    return rc;
}

static int run(int argc, char **argv, struct err *err) {
    struct replica replica = {0};
    struct stepper stepper = {0};
    struct synthetic s = {0};
    struct jobargs a;
    int rc = jobargs_init(&a, argc, argv, JOBARGS_STEPS, err);

    if (!rc)
        rc = agree(a.comm, prepare(&a, &replica, &stepper, &s, err), err);
    if (!rc)
        rc = measure(&a, &stepper, &s, err);
    stepper_release(&stepper);
    replica_release(&replica);
    for (int i = 0; i < LOADER_MAX_FIELDS; i++)
        free(s.memory[i]);
    jobargs_release(&a, err);
    return rc;
}

const struct command command_bench = {
    .name = "bench",
    .summary = "time training steps of a job on synthetic input, without files",
    .usage = "dltrain bench JOB.ini [--steps N] [--set NAME=VALUE]...\n"
             "\n"
             "  --steps N                steps to time (20), after 2 to warm up\n"
             "  --set data.batch=256     images of one step, of all ranks together\n"
             "\n"
             "The last line gives medians in ms of one step on rank 0.\n"
             "\n"
             "  mpirun -np 2 dltrain bench jobs/cifar10_resnet20.ini --steps 50\n",
    .run = run,
};
