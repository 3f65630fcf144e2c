#include "train/rehearsal.h"
#include "core/base/clock.h"
#include "dist/agree.h"
#include "dist/shm.h"
#include "train/guesses.h"
#include "train/memory.h"
#include "train/setup.h"

#include <stdlib.h>

enum { WARM_UP = 1, SAMPLES = 64 };

static int make_replica(struct rehearsal *r, const struct setup *setup, struct err *err) {
    if (agree(r->comm, setup_plan(setup, &r->replica, err), err))
        return -1;
    replica_meet(&r->replica, groups_all(setup->groups));
    gradients_reserve(&r->gradients, &r->replica, r->job, r->comm, setup->sinks);
    return agree(r->comm, setup_allocate(setup, &r->replica, err), err);
}

int rehearsal_init(struct rehearsal *r, struct job *job, struct comm *comm, int threads,
                   const struct sinks *sinks, struct err *err) {
    *r = (struct rehearsal){.job = job, .comm = comm};
    if (agree(comm, groups_new(&r->groups, comm, job->reproducible, err), err) ||
        feeds_init(&r->data, job, comm, sinks, err))
        return -1;
    const struct setup setup = {job, comm, r->groups, &r->data, threads, sinks};
    if (setup_compare(&setup, err))
        return -1;
    guesses_tell_all(&r->data, sinks);
    if (make_replica(r, &setup, err))
        return -1;
    return stepper_init(&r->stepper, &r->replica, job, comm, r->gradients.shared, err);
}

/* Samples from the first to the last of the set, each by one rank: *seconds of a processor for *n.
 */
static int read_samples(const struct job *job, struct dataset *ds, const struct comm *comm,
                        double *seconds, double *n, struct err *err) {
    const int64_t rows = dataset_len(ds), most = rows < SAMPLES ? rows : SAMPLES;
    const struct loader_config config = {.dataset = ds,
                                         .pipeline = job->augment,
                                         .n_pipeline = job->n_augment,
                                         .seed = job->seed,
                                         .training = true,
                                         .reduced = job->decodes_reduced,
                                         .max_batch = 1,
                                         .workers = 1};
    struct loader_batch batch;
    struct loader *loader;
    int rc = 0;

    if (loader_new(&loader, &config, err))
        return -1;
    const double begin = clock_processor();
    for (int64_t k = comm_rank(comm); k < most && !rc; k += comm_size(comm), ++*n) {
        const int64_t sample = k * (rows - 1) / (most > 1 ? most - 1 : 1);

        loader_request(loader, &sample, NULL, 1, 0);
        rc = loader_wait(loader, &batch, err);
        loader_release_batch(loader);
    }
    *seconds = clock_processor() - begin;
    loader_free(loader);
    return rc;
}

/* While all ranks are at it, as in training. */
int rehearsal_samples(const struct job *job, struct dataset *ds, struct comm *comm, double *rate,
                      struct err *err) {
    double both[2] = {0}; /* seconds, samples */

    if (agree(comm, read_samples(job, ds, comm, &both[0], &both[1], err), err))
        return -1;
    comm_sum_doubles(comm, both, 2);
    *rate = both[0] > 0 ? both[1] / both[0] : 0;
    return 0;
}

/* Of all hosts the one that has least. */
static double least(struct comm *comm, double left) {
    return -comm_max_double(comm, -left);
}

static void measure_memory(struct rehearsal *r) {
    struct comm *host = comm_on_host(r->comm);
    double held = memory_held();

    comm_sum_doubles(host, &held, 1);
    comm_free(host);
    r->memory.host = comm_max_double(r->comm, held);
    r->memory.data = comm_max_double(r->comm, host_memory_bytes(&r->data.data.memory));
    r->memory.left = least(r->comm, memory_left());
    r->memory.shared_left = least(r->comm, shm_left());
}

static int64_t steps_there_are(const struct rehearsal *r, int64_t wanted) {
    const int64_t most = shard_steps(&r->data.train.shard);

    return wanted < most ? wanted : most;
}

/* Batches as fast as they come. */
static int read_batches(struct rehearsal *r, int64_t n, struct err *err) {
    const double begin = clock_now();
    struct feed_batch batch;
    int rc = 0;

    feed_seek(&r->data.train, 0, n);
    for (int64_t i = 0; i < n && !rc; i++)
        rc = feed_next(&r->data.train, &batch, err);
    if (agree(r->comm, rc, err))
        return -1;
    r->prepare_s = comm_max_double(r->comm, (clock_now() - begin) / (double)n);
    return 0;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Steps -WARM_UP .. n - 1 into seconds[n]. */
static int train_batches(struct rehearsal *r, int64_t n, double *seconds, struct err *err) {
    double lr[JOB_MAX_STEPS], waited = 0;
    const int64_t there = steps_there_are(r, n + WARM_UP);

    for (int i = 0; i < JOB_MAX_STEPS; i++)
        lr[i] = 1e-9;
    for (int64_t i = 0; i < n + WARM_UP; i++) {
        struct feed_batch batch = {0};
        struct step_output out;

        if (i % there == 0)
            feed_seek(&r->data.train, 0, there);
        const double begin = clock_now(), before = loader_wait_seconds(r->data.train.loader);
        const int rc = feed_next(&r->data.train, &batch, err);
        const struct step_input in = {.batch = &batch, .rc = rc, .step = i, .lr = lr};
        if (stepper_run(&r->stepper, &in, &out, err))
            return -1;
        if (i < WARM_UP)
            continue;
        seconds[i - WARM_UP] = clock_now() - begin;
        waited += loader_wait_seconds(r->data.train.loader) - before;
    }
    r->wait_s = comm_max_double(r->comm, waited / (double)n);
    return 0;
}

int rehearsal_run(struct rehearsal *r, int n, struct err *err) {
    double *seconds = calloc((size_t)n, sizeof *seconds);
    int rc = seconds ? 0 : err_set(err, ERR_IO, "no memory for %d times", n);

    if (agree(r->comm, rc, err) ||
        rehearsal_samples(r->job, r->data.train.dataset, r->comm, &r->processor_rate, err) ||
        read_batches(r, steps_there_are(r, n + WARM_UP), err) ||
        train_batches(r, n, seconds, err)) {
        free(seconds);
        return -1;
    }
    qsort(seconds, (size_t)n, sizeof *seconds, by_size);
    r->step_s = comm_max_double(r->comm, seconds[n / 2]);
    free(seconds);
    measure_memory(r);
    return 0;
}

void rehearsal_release(struct rehearsal *r) {
    stepper_release(&r->stepper);
    replica_release(&r->replica);
    gradients_release(&r->gradients);
    feeds_release(&r->data);
    groups_free(r->groups);
}
