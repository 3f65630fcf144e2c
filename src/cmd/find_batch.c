/* dltrain find-batch: the largest batch that the memory holds, and the one from which on larger
 * ones are no faster. Steps are those of dltrain bench: on random numbers, without files. */
#include "cmd/command.h"
#include "cmd/find.h"
#include "cmd/findings.h"
#include "cmd/jobargs.h"
#include "cmd/options.h"
#include "cmd/rig.h"
#include "core/base/clock.h"
#include "dist/agree.h"
#include "io/dataset/dataset_spec.h"
#include "train/memory.h"
#include "train/shards.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 3, MOST_BATCH = 1 << 24, MOST_ROWS = 32, LEVEL = 3 /* doublings without a gain */ };
static const double SHARE = 0.9;    /* of what is left that a job may take */
static const double LONG_STEP = 20; /* seconds, after which larger batches are not measured */
static const double GAIN = 1.02;    /* a rate that is no larger by so much is the same */
static const double LONGEST = 60;   /* seconds that the largest batch is tried for */

struct find_batch {
    struct jobargs args; /* first: options count from it */
    int64_t most;        /* to try; 0: the samples that there are */
    struct loader_field seen[LOADER_MAX_FIELDS];
    struct field fields[LOADER_MAX_FIELDS];
    int n_fields;
    double left;     /* bytes of memory that a rank may take; < 0: nobody says */
    int64_t largest; /* that is predicted to fit; */
    double largest_bytes;
    double largest_s; /* a step of it took so long; 0: it was not tried */
    struct find_rate rates[MOST_ROWS];
    int n_rates;
};

static const struct option_spec specs[] = {
    {"most", OPTION_WHOLE, .offset = offsetof(struct find_batch, most), .min = 1,
     .max = MOST_BATCH},
    {0},
};

/* On rank 0: no batch is larger than the dataset, where that is there. */
static int count_samples(const struct job *job, int64_t *n, struct err *err) {
    struct dataset *ds = NULL;

    *n = MOST_BATCH;
    if (!job->train_data || dataset_spec_absent(job->train_data))
        return 0;
    if (dataset_open(&ds, job->train_data, 0, err))
        return -1;
    *n = dataset_len(ds) < MOST_BATCH ? dataset_len(ds) : MOST_BATCH;
    dataset_close(ds);
    return 0;
}

/* Collective. */
static int look(struct find_batch *f, struct err *err) {
    struct jobargs *a = &f->args;
    int64_t n = 0;
    const int rc = comm_rank(a->comm) ? 0 : count_samples(&a->job, &n, err);

    if (agree(a->comm, rc, err) ||
        agree(a->comm, feed_fields(&a->job, f->seen, &f->n_fields, err), err))
        return -1;
    comm_bcast(a->comm, &n, sizeof n, 0);
    f->most = f->most && f->most < n ? f->most : n;
    feed_graph_fields(f->seen, f->n_fields, f->fields);
    const double left = -comm_max_double(a->comm, -memory_left());
    f->left = left < 0 ? left : SHARE * left / comm_local_size(a->comm);
    return 0;
}

/* Batches on their way from loader to network, in floats. */
static double loader_memory(const struct find_batch *f, int64_t share) {
    double numbers = 0;

    for (int i = 0; i < f->n_fields; i++)
        numbers += f->seen[i].sample.rank ? (double)shape_len(&f->seen[i].sample) : 1;
    return numbers * sizeof(float) * LOADER_BATCHES * (double)share;
}

/* What the plan of a rank takes at that batch. Local. */
static int predict(struct find_batch *f, const struct groups *groups, int64_t batch, double *bytes,
                   struct err *err) {
    struct jobargs *a = &f->args;
    const int size = comm_size(a->comm);
    const int64_t share = shards_at_a_time(&a->job, batch, size);
    struct replica replica = {0};

    a->job.batch = batch;
    const struct replica_config config = {.job = &a->job,
                                          .fields = f->fields,
                                          .n_fields = f->n_fields,
                                          .step_samples = batch,
                                          .batch = share,
                                          .training = true,
                                          .threads = a->threads,
                                          .ranks = groups_all(groups),
                                          .data_name = a->job.path};
    const int rc = replica_init(&replica, &config, err);
    if (!rc)
        *bytes = (double)replica_bytes(&replica) +
                 (double)shards_bytes(&replica, comm_rank(a->comm), size) +
                 loader_memory(f, feed_largest_share(batch, size));
    replica_release(&replica);
    return rc;
}

/* The largest that fits: doubled until one does not, then halved towards it. Collective, as all
 * ranks predict by one rule; what differs is agreed on. */
static int find_largest(struct find_batch *f, struct err *err) {
    struct comm *comm = f->args.comm;
    struct groups *groups = NULL;
    int64_t fits = 0, fails = f->most + 1, batch = comm_size(comm);
    int rc = agree(comm, groups_new(&groups, comm, f->args.job.reproducible, err), err);

    batch = batch < f->most ? batch : f->most;
    while (!rc && fits + 1 < fails) {
        double bytes = 0;
        rc = agree(comm, predict(f, groups, batch, &bytes, err), err);
        bytes = comm_max_double(comm, bytes);
        if (f->left >= 0 && bytes > f->left) {
            fails = batch;
        } else {
            fits = batch;
            f->largest_bytes = bytes;
        }
        if (fails <= f->most)
            batch = fits + (fails - fits) / 2;
        else
            batch = 2 * fits < f->most ? 2 * fits : f->most;
    }
    groups_free(groups);
    f->largest = fits;
    if (!rc && !fits)
        rc = err_set(err, ERR_IO, "not even a batch of one sample fits into the memory");
    return rc ? -1 : 0;
}

/* Seconds of a step, the mean of n after one that is not counted where n > 1. Collective. */
static int time_steps(struct find_batch *f, int64_t batch, int n, double *seconds,
                      struct err *err) {
    struct jobargs *a = &f->args;
    struct rig rig = {0};
    struct step_output out;

    a->job.batch = batch;
    int rc = rig_init(&rig, &a->job, a->comm, a->threads, err);
    if (!rc && n > 1)
        rc = rig_step(&rig, 0, &out, err);
    const double begin = clock_now();
    for (int i = 1; i <= n && !rc; i++)
        rc = rig_step(&rig, i, &out, err);
    if (!rc)
        stepper_settle(&rig.stepper);
    *seconds = comm_max_double(a->comm, rc ? 0 : (clock_now() - begin) / n);
    rig_release(&rig);
    return rc;
}

static bool has_levelled(const struct find_batch *f) {
    const struct find_rate *last = &f->rates[f->n_rates - 1];

    return f->n_rates > LEVEL && last->rate < GAIN * f->rates[f->n_rates - 1 - LEVEL].rate;
}

static void print_row(const struct find_batch *f, const struct find_rate *r) {
    char bytes[FINDING_TEXT], time[FINDING_TEXT];

    if (f->args.json || comm_rank(f->args.comm))
        return;
    if (f->n_rates == 1)
        printf("%10s %14s %12s %12s\n", "batch", "memory a rank", "a step", "samples/s");
    printf("%10" PRId64 " %14s %12s %12.4g\n", r->batch, findings_bytes(r->bytes, bytes),
           findings_time((double)r->batch / r->rate, time), r->rate);
    fflush(stdout);
}

/* Powers of two up to the largest, while they become faster. Collective. */
static int measure(struct find_batch *f, struct err *err) {
    struct comm *comm = f->args.comm;
    struct groups *groups = NULL;
    int64_t batch = 1;
    int rc = agree(comm, groups_new(&groups, comm, f->args.job.reproducible, err), err);

    while (batch < comm_size(comm))
        batch *= 2;
    for (bool more = true; !rc && more && batch <= f->largest && f->n_rates < MOST_ROWS;
         batch *= 2) {
        struct find_rate *r = &f->rates[f->n_rates];
        double seconds = 0;

        *r = (struct find_rate){.batch = batch};
        rc = agree(comm, predict(f, groups, batch, &r->bytes, err), err) ||
             time_steps(f, batch, STEPS, &seconds, err);
        if (rc)
            break;
        r->rate = seconds > 0 ? (double)batch / seconds : 0;
        f->n_rates++;
        print_row(f, r);
        more = seconds < LONG_STEP && !has_levelled(f);
    }
    groups_free(groups);
    return rc ? -1 : 0;
}

/* One step of the largest, where that does not take long. Collective. */
static int try_largest(struct find_batch *f, struct err *err) {
    const struct find_rate *last = f->n_rates ? &f->rates[f->n_rates - 1] : NULL;

    if (last && last->batch == f->largest) {
        f->largest_s = (double)last->batch / last->rate;
        return 0;
    }
    if (last && (double)f->largest / last->rate > LONGEST)
        return 0;
    return time_steps(f, f->largest, 1, &f->largest_s, err);
}

static void print_json(const struct find_batch *f) {
    const int enough = find_rate_enough(f->rates, f->n_rates);
    json_t *all = json_object(), *rows = json_array();

    for (int i = 0; i < f->n_rates; i++)
        json_array_append_new(
            rows, json_pack("{s:I, s:f, s:f}", "batch", (json_int_t)f->rates[i].batch, "rank_bytes",
                            f->rates[i].bytes, "samples_per_s", f->rates[i].rate));
    json_object_set_new(all, "rows", rows);
    json_object_set_new(all, "largest", json_integer(f->largest));
    json_object_set_new(all, "largest_bytes", json_real(f->largest_bytes));
    json_object_set_new(all, "largest_s", f->largest_s > 0 ? json_real(f->largest_s) : json_null());
    json_object_set_new(all, "enough",
                        enough < 0 ? json_null() : json_integer(f->rates[enough].batch));
    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(7));
    fputc('\n', stdout);
    json_decref(all);
}

static void print_end(const struct find_batch *f) {
    const int enough = find_rate_enough(f->rates, f->n_rates);
    char bytes[FINDING_TEXT], left[FINDING_TEXT], time[FINDING_TEXT];
    const bool all = f->largest == f->most;

    printf("largest: %" PRId64 ", by the plan %s a rank of %s that it may take%s; %s%s\n",
           f->largest, findings_bytes(f->largest_bytes, bytes),
           f->left < 0 ? "an unknown amount" : findings_bytes(f->left, left),
           all ? ", as many as there are or as were asked for" : "",
           f->largest_s > 0 ? "tried, a step takes " : "not tried, a step would take long",
           f->largest_s > 0 ? findings_time(f->largest_s, time) : "");
    if (enough >= 0)
        printf("suggestion: data.batch=%" PRId64 ", %.4g samples/s: larger ones are not faster by "
               "more than a twentieth; with another batch, scale the learning rate\n",
               f->rates[enough].batch, f->rates[enough].rate);
}

static int find(struct find_batch *f, struct err *err) {
    if (look(f, err) || find_largest(f, err) || measure(f, err) || try_largest(f, err))
        return -1;
    if (comm_rank(f->args.comm))
        return 0;
    if (f->args.json)
        print_json(f);
    else
        print_end(f);
    return 0;
}

static int run(int argc, char **argv, struct err *err) {
    struct find_batch f = {0};
    int rc = jobargs_init_with(&f.args, argc, argv, JOBARGS_JSON, specs, err);

    rc = rc || find(&f, err);
    jobargs_release(&f.args, err);
    return rc ? -1 : 0;
}

const struct command command_find_batch = {
    .name = "find-batch",
    .summary = "the largest batch that the memory holds, and the one that is fast enough",
    .usage =
        "dltrain find-batch JOB.ini [--most N] [--json] [--set NAME=VALUE]...\n"
        "\n"
        "  --most N            try no larger batch (as many samples as there are)\n"
        "  --json              one object for programs\n"
        "  --set NAME=VALUE    as for train\n"
        "\n"
        "The batch is that of a step, of all ranks together. Memory is predicted by the plan,\n"
        "and nine tenths of what the host has left may be taken. Powers of two are timed on\n"
        "random numbers, as `dltrain bench` does, until they are no faster; then the largest\n"
        "batch takes one step, unless that would be longer than a minute. No file is written.\n"
        "\n"
        "  dltrain find-batch jobs/quickstart.ini\n"
        "  mpirun -np 4 dltrain find-batch jobs/cifar10_resnet20.ini --most 4096\n",
    .run = run,
};
