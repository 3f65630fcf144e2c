#define _DEFAULT_SOURCE /* ru_maxrss */
#include "cmd/bench.h"
#include "cmd/bench_comm.h"
#include "cmd/command.h"
#include "core/base/rng.h"
#include "core/math/isa/isa.h"
#include "dist/agree.h"
#include "dist/groups.h"
#include "train/facts.h"
#include "train/gradients.h"
#include "train/shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { WARM_UP = 2 };

/* A batch without a dataset: random numbers and classes. */
struct synthetic {
    void *memory[LOADER_MAX_FIELDS];
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
    const int rank = comm_rank(comm);
    const struct shard_range share = shard_share(global_n, r->shards, rank, comm_size(comm));
    const int64_t n = share.n;
    const uint64_t most = (uint64_t)n_classes(r);

    s->batch = (struct feed_batch){.data.n = n, .first = share.first, .global_n = global_n};
    for (int f = 0; f < r->n_fields; f++) {
        const uint64_t key = rng_key(1, RNG_TEST, (uint64_t)rank, (uint64_t)f);
        const int64_t len = n * (fields[f].sample.rank ? shape_len(&fields[f].sample) : 1);
        float *x = s->memory[f] = calloc((size_t)len + 1, sizeof *x);
        int32_t *classes = s->memory[f];

        if (!x)
            return err_set(err, ERR_IO, "no memory for a batch of %lld images", (long long)n);
        for (int64_t i = 0; i < len; i++)
            if (fields[f].kind == DATASET_CLASS)
                classes[i] = (int32_t)rng_below(key, (uint64_t)i, most);
            else
                x[i] = rng_normal(key, (uint64_t)i);
        if (fields[f].kind == DATASET_CLASS)
            s->batch.data.classes[f] = classes;
        else
            s->batch.data.field[f] = x;
    }
    return 0;
}

static int by_total(const void *a, const void *b) {
    const double x = ((const struct step_times *)a)->total,
                 y = ((const struct step_times *)b)->total;

    return (x > y) - (x < y);
}

/* What one run of the command is about. */
struct bench {
    struct jobargs args;
    struct replica replica;
    struct gradients gradients;
    struct stepper stepper;
    struct groups *groups;
    struct synthetic synthetic;
    struct step_times *times; /* [n_steps] */
    struct step_times *all;   /* [ranks] the mean step of each */
    int64_t mpi_calls;        /* for messages, in all timed steps */
    int n_steps;
    struct bench_machine machine; /* of --layers, as is: */
    struct bench_layers layers;
};

static const char *model_name(const struct bench *b) {
    return b->replica.model.n_nets ? b->replica.model.nets[0]->name : "none";
}

/* Of n phases together. */
static double share_of_peak(const struct bench *b, const struct bench_figures *f, int phase,
                            int n) {
    double flops = 0, seconds = 0;

    for (int k = phase; k < phase + n; k++)
        flops += f->flops[k], seconds += f->seconds[k];
    return bench_rate(flops, seconds) / (1e9 * b->machine.gflops);
}

/* times: sorted. What is measured for --layers takes memory of its own. */
static void print_line(const struct bench *b) {
    const struct step_times *t = &b->times[b->n_steps / 2];
    const double batch = (double)b->args.job.batch;

    printf("bench: model=%s ranks=%d threads=%d batch=%lld dtype=fp32 isa=%s "
           "median_img_per_s=%.2f best_img_per_s=%.2f step_ms=%.2f forward_ms=%.2f "
           "backward_ms=%.2f exposed_comm_ms=%.2f optimizer_ms=%.2f ",
           model_name(b), comm_size(b->args.comm), team_size(b->replica.team),
           (long long)b->args.job.batch, isa_get()->name, batch / t->total,
           batch / b->times[0].total, 1e3 * t->total, 1e3 * t->forward, 1e3 * t->backward,
           1e3 * t->exposed_comm, 1e3 * t->optimizer);
    const struct bench_spread exposed = bench_exposed(b->all, comm_size(b->args.comm));
    printf("control_comm_ms=%.3f bucket_comm_ms=%.3f sync_comm_ms=%.3f exposed_comm_max_ms=%.3f "
           "exposed_comm_min_ms=%.3f mpi_calls=%lld ",
           1e3 * t->control_comm, 1e3 * t->bucket_comm, 1e3 * t->sync_comm, 1e3 * exposed.max,
           1e3 * exposed.min, (long long)(b->mpi_calls / b->n_steps));
    if (b->args.layers) {
        const struct bench_figures conv = bench_total(&b->layers, true);
        printf("peak_gflops=%.1f memory_gb_per_s=%.1f conv_forward_share=%.3f "
               "conv_data_share=%.3f conv_weights_share=%.3f conv_share=%.3f\n",
               b->machine.gflops, b->machine.gb_per_s, share_of_peak(b, &conv, 0, 1),
               share_of_peak(b, &conv, 1, 1), share_of_peak(b, &conv, 2, 1),
               share_of_peak(b, &conv, 0, BENCH_PHASES));
    } else {
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        printf("peak_rss_mb=%.1f\n", (double)usage.ru_maxrss / 1024);
    }
}

static int print(struct bench *b, struct err *err) {
    if (b->args.layers) {
        const struct bench_report report = {.args = &b->args,
                                            .layers = &b->layers,
                                            .machine = b->machine,
                                            .times = b->times[b->n_steps / 2],
                                            .all = b->all,
                                            .n_steps = b->n_steps,
                                            .threads = team_size(b->replica.team),
                                            .model = model_name(b)};
        bench_layers_finish(&b->layers, &b->args.job.pool);
        if (b->args.json)
            return bench_print_json(&report, err);
        bench_print_table(&report);
    }
    bench_print_phases(b->all, comm_size(b->args.comm));
    print_line(b);
    return 0;
}

static int prepare_layers(struct bench *b, struct err *err) {
    const int64_t n = b->synthetic.batch.data.n;

    if (!n && comm_rank(b->args.comm) == 0)
        return err_set(err, ERR_CONFIG,
                       "--layers: a batch of %lld leaves no samples to rank 0 of %d",
                       (long long)b->args.job.batch, comm_size(b->args.comm));
    return bench_layers_init(&b->layers, &b->stepper, n, b->n_steps, err);
}

/* What this rank alone needs. */
static int prepare_here(struct bench *b, const struct loader_field *seen, struct err *err) {
    const struct jobargs *a = &b->args;

    if (make_batch(&b->synthetic, &b->replica, seen, a->job.batch, a->comm, err))
        return -1;
    b->n_steps = a->steps ? (int)a->steps : 20;
    b->times = calloc((size_t)b->n_steps, sizeof *b->times);
    b->all = calloc((size_t)comm_size(a->comm), sizeof *b->all);
    if (!b->times || !b->all)
        return err_set(err, ERR_IO, "no memory for %d times", b->n_steps);
    return a->layers ? prepare_layers(b, err) : 0;
}

/* Errors are the same on all ranks. */
static int prepare(struct bench *b, struct err *err) {
    struct jobargs *a = &b->args;
    struct replica *r = &b->replica;
    struct loader_field seen[LOADER_MAX_FIELDS];
    struct field fields[LOADER_MAX_FIELDS];
    int n_fields = 0;

    if (!a->job.n_steps)
        return err_set(err, ERR_CONFIG, "%s: there is no [step]", a->job.path);
    if (agree(a->comm, groups_new(&b->groups, a->comm, a->job.reproducible, err), err) ||
        agree(a->comm, feed_fields(&a->job, seen, &n_fields, err), err) ||
        facts_check_fields(a->comm, seen, n_fields, err))
        return -1;
    feed_graph_fields(seen, n_fields, fields);
    const struct replica_config config = {
        .job = &a->job,
        .fields = fields,
        .n_fields = n_fields,
        .step_samples = a->job.batch,
        .batch = shards_at_a_time(&a->job, a->job.batch, comm_size(a->comm)),
        .training = true,
        .threads = a->threads,
        .ranks = groups_all(b->groups),
        .data_name = a->job.path,
    };
    if (agree(a->comm, replica_init(r, &config, err), err))
        return -1;
    replica_meet(r, config.ranks);
    gradients_reserve(&b->gradients, r, &a->job, a->comm, &(struct sinks){0});
    return agree(a->comm, replica_allocate(r, &config, err), err) ||
                   stepper_init(&b->stepper, r, &a->job, a->comm, b->gradients.shared, err) ||
                   agree(a->comm, prepare_here(b, seen, err), err)
               ? -1
               : 0;
}

/* A learning rate so small that random labels do no harm, whatever the number of steps. */
static int run_steps(struct bench *b, struct err *err) {
    double lr[JOB_MAX_STEPS];

    for (int i = 0; i < JOB_MAX_STEPS; i++)
        lr[i] = 1e-6;
    for (int i = -WARM_UP; i < b->n_steps; i++) {
        const struct step_input in = {.batch = &b->synthetic.batch, .step = i + WARM_UP, .lr = lr};
        struct step_output out;
        if (i == 0)
            b->mpi_calls = -comm_n_calls(b->args.comm);
        if (stepper_run(&b->stepper, &in, &out, err))
            return -1;
        if (i >= 0)
            b->times[i] = out.times;
        if (b->args.layers)
            bench_layers_next(&b->layers, &out, i < 0);
    }
    b->mpi_calls += comm_n_calls(b->args.comm);
    return 0;
}

/* Means are of the same steps on all ranks, medians are not. */
static void gather_times(struct bench *b) {
    const struct step_times mean = bench_mean(b->times, b->n_steps);

    comm_all_gather(b->args.comm, &mean, b->all, sizeof mean);
    qsort(b->times, (size_t)b->n_steps, sizeof *b->times, by_total);
}

/* The peak is measured before and after: what the processors can do varies with their heat. */
static int measure(struct bench *b, struct err *err) {
    struct comm *comm = b->args.comm;
    struct team *team = b->replica.team;

    if (b->args.layers && bench_machine_measure(comm, team, &b->machine, err))
        return -1;
    if (run_steps(b, err))
        return -1;
    if (b->args.layers && bench_machine_measure(comm, team, &b->machine, err))
        return -1;
    gather_times(b);
    return agree(comm, comm_rank(comm) == 0 ? print(b, err) : 0, err);
}

/* Without a job. */
static bool is_comm(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--comm"))
            return true;
    return false;
}

static int run(int argc, char **argv, struct err *err) {
    struct bench b = {0};

    if (is_comm(argc, argv))
        return bench_comm(argc, argv, err);
    int rc =
        jobargs_init(&b.args, argc, argv, JOBARGS_STEPS | JOBARGS_LAYERS | JOBARGS_EMULATE, err);

    if (!rc)
        rc = prepare(&b, err);
    if (!rc)
        rc = measure(&b, err);
    bench_layers_release(&b.layers);
    stepper_release(&b.stepper);
    replica_release(&b.replica);
    gradients_release(&b.gradients);
    groups_free(b.groups);
    for (int i = 0; i < LOADER_MAX_FIELDS; i++)
        free(b.synthetic.memory[i]);
    free(b.times);
    free(b.all);
    jobargs_release(&b.args, err);
    return rc;
}

const struct command command_bench = {
    .name = "bench",
    .summary = "time training steps of a job, or sums over ranks, without files",
    .usage =
        "dltrain bench JOB.ini [--steps N] [--layers [--json]] [--emulate-ranks N]\n"
        "              [--set NAME=VALUE]...\n"
        "dltrain bench --comm [--sizes LIST] [--algorithms LIST] [--json]\n"
        "\n"
        "  --steps N                steps to time (20), after 2 to warm up\n"
        "  --layers                 where the time goes: each operator, beside the peak of the\n"
        "                           processors and of their memory, measured in the same run\n"
        "  --json                   the same for programs\n"
        "  --emulate-ranks N        as for train\n"
        "  --set data.batch=256     images of one step, of all ranks together\n"
        "  --comm                   no job: time the sum of vectors over all ranks, by size and\n"
        "                           by algorithm, and check it; bandwidth of the bus as\n"
        "                           nccl-tests has it, 2 (P - 1) / P * bytes over the time, and\n"
        "                           the share of what memory of the host, or the slowest link\n"
        "                           between hosts, gives (vectors that caches hold go beyond)\n"
        "  --sizes 64KiB,25MiB      in place of 16 B to 256 MiB\n"
        "  --algorithms LIST        in place of all, as in 'ring,host(leaders=2)'\n"
        "\n"
        "The last line gives medians in ms of one step on rank 0; where there are several ranks, "
        "a\n"
        "table before it what each phase takes on the slowest and on the fastest of them.\n"
        "\n"
        "  mpirun -np 2 dltrain bench jobs/cifar10_resnet20.ini --steps 50\n"
        "  mpirun -np 2 dltrain bench --comm --sizes 64KiB,1MiB,25MiB,100MiB\n",
    .run = run,
};
