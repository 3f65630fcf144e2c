#define _DEFAULT_SOURCE /* ru_maxrss */
#include "cmd/bench.h"
#include "cmd/bench_comm.h"
#include "cmd/command.h"
#include "cmd/rig.h"
#include "core/math/isa/isa.h"
#include "dist/agree.h"
#include "report/terminal.h"
#include "train/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { WARM_UP = 2 };

static int by_total(const void *a, const void *b) {
    const double x = ((const struct step_times *)a)->total,
                 y = ((const struct step_times *)b)->total;

    return (x > y) - (x < y);
}

/* What one run of the command is about. */
struct bench {
    struct jobargs args;
    struct rig rig;
    struct step_times *times; /* [n_steps] */
    struct step_times *all;   /* [ranks] the mean step of each */
    int64_t mpi_calls;        /* for messages, in all timed steps */
    int n_steps;
    struct bench_machine machine; /* of --layers, as is: */
    struct bench_layers layers;
};

static const char *model_name(const struct bench *b) {
    return b->rig.replica.model.n_nets ? b->rig.replica.model.nets[0]->name : "none";
}

/* Of n phases together. */
static double share_of_peak(const struct bench *b, const struct bench_figures *f, int phase,
                            int n) {
    double flops = 0, seconds = 0;

    for (int k = phase; k < phase + n; k++)
        flops += f->flops[k], seconds += f->seconds[k];
    return bench_rate(flops, seconds) / (1e9 * b->machine.gflops);
}

/* Beside what is measured. */
static void print_choice(const struct bench *b) {
    if (stepper_choice(&b->rig.stepper))
        fprintf(stderr, "bench: [dist] allreduce = %s is fastest here\n",
                stepper_choice(&b->rig.stepper));
}

/* times: sorted. What is measured for --layers takes memory of its own. */
static void print_line(const struct bench *b) {
    const struct step_times *t = &b->times[b->n_steps / 2];
    const double batch = (double)b->args.job.batch;

    printf("bench: model=%s ranks=%d threads=%d batch=%lld dtype=fp32 isa=%s "
           "median_img_per_s=%.2f best_img_per_s=%.2f step_ms=%.2f forward_ms=%.2f "
           "backward_ms=%.2f exposed_comm_ms=%.2f optimizer_ms=%.2f ",
           model_name(b), comm_size(b->args.comm), team_size(b->rig.replica.team),
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
    print_choice(b);
    if (b->args.layers) {
        const struct bench_report report = {.args = &b->args,
                                            .layers = &b->layers,
                                            .machine = b->machine,
                                            .times = b->times[b->n_steps / 2],
                                            .all = b->all,
                                            .n_steps = b->n_steps,
                                            .threads = team_size(b->rig.replica.team),
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
    const int64_t n = b->rig.batch.data.n;

    if (!n && comm_rank(b->args.comm) == 0)
        return err_set(err, ERR_CONFIG,
                       "--layers: a batch of %lld leaves no samples to rank 0 of %d",
                       (long long)b->args.job.batch, comm_size(b->args.comm));
    return bench_layers_init(&b->layers, &b->rig.stepper, n, b->n_steps, err);
}

/* What this rank alone needs. */
static int prepare_here(struct bench *b, struct err *err) {
    const struct jobargs *a = &b->args;

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

    if (rig_init(&b->rig, &a->job, a->comm, a->threads, err))
        return -1;
    return agree(a->comm, prepare_here(b, err), err);
}

static int run_steps(struct bench *b, struct err *err) {
    for (int i = -WARM_UP; i < b->n_steps; i++) {
        struct step_output out;
        if (i == 0)
            b->mpi_calls = -comm_n_calls(b->args.comm);
        if (rig_step(&b->rig, i + WARM_UP, &out, err))
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
    struct team *team = b->rig.replica.team;

    team_pin(team, b->args.places.core, b->args.places.n_cores);
    if (b->args.layers && bench_machine_measure(comm, team, &b->machine, err))
        return -1;
    if (run_steps(b, err))
        return -1;
    if (b->args.layers && bench_machine_measure(comm, team, &b->machine, err))
        return -1;
    gather_times(b);
    return agree(comm, comm_rank(comm) == 0 ? print(b, err) : 0, err);
}

/* What programs read has no place for it. */
static void tell_hosts(struct bench *b) {
    struct terminal terminal;
    struct sink *const list[] = {&terminal.sink};
    const struct sinks sinks = {list, comm_rank(b->args.comm) == 0 && !b->args.json};

    terminal_init(&terminal);
    hosts_tell(&b->args.places, &sinks);
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
        tell_hosts(&b);
    if (!rc)
        rc = prepare(&b, err);
    if (!rc)
        rc = measure(&b, err);
    bench_layers_release(&b.layers);
    rig_release(&b.rig);
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
