/* scale.c - dltrain scale: what would a job do on more hosts than there are? */
#include "cmd/scale.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "core/base/clock.h"
#include "dist/agree.h"
#include "dist/allreduce/wire.h"
#include "dist/link.h"
#include "io/file/file.h"

#include <string.h>
#include <unistd.h>

/* Messages between ranks of a host, and the time that measuring may take unless it is said. */
static const double LOCAL_LATENCY_S = 2e-6, MEASURE_S = 20, LINK_S = 2;

static int check_target(const struct scale *s, const char *path, struct err *err) {
    const char *const inputs[] = {s->args.job.path, s->want.profile};
    const int n = s->want.profile ? 2 : 1;

    return path && (file_check_target(path, inputs, n, err) || file_make_folder_of(path, err)) ? -1
                                                                                               : 0;
}

/* What is written must be free to be written before anything takes time. */
static int check_targets(const struct scale *s, struct err *err) {
    if (comm_rank(s->args.comm) != 0)
        return 0;
    if (s->want.plot && s->want.save_profile && !strcmp(s->want.plot, s->want.save_profile))
        return err_set(err, ERR_USAGE,
                       "--plot and --save-profile: found %s for both, expected two names",
                       s->want.plot);
    return check_target(s, s->want.plot, err) || check_target(s, s->want.save_profile, err) ? -1
                                                                                            : 0;
}

static int check(struct scale *s, struct err *err) {
    struct scale_args *a = &s->want;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);

    const int most = a->replay ? SCALE_MOST_REPLAYED : SCALE_MOST_MEASURED;

    if (scale_args_check(a, err))
        return -1;
    if (s->args.steps > most)
        return err_set(err, ERR_USAGE, "--steps: found %lld, expected at most %d",
                       (long long)s->args.steps, most);
    if (!a->threads)
        a->threads = s->args.job.threads > 0 ? s->args.job.threads : 1;
    if (!(a->seconds > 0))
        a->seconds = MEASURE_S;
    s->profile.threads = (int)(a->threads < processors ? a->threads : processors);
    return check_targets(s, err);
}

/* Bytes that travel between hosts for one of gradients. */
static double wire_share(const struct job *job) {
    const struct wire_format *format = wire_format(&job->wire);
    const int64_t many = 1 << 20;

    return format ? (double)format->bytes(job->wire.args, many) /
                        (double)(many * (int64_t)sizeof(real))
                  : 1;
}

/* What is known before anything is measured. */
static void begin_setting(struct scale *s) {
    const struct scale_args *a = &s->want;
    const struct job *job = &s->args.job;

    s->setting = (struct scale_setting){
        .profile = &s->profile,
        .cluster = {.per_host = a->per_host,
                    .latency_s = a->latency_s,
                    .bytes_per_s = a->bytes_per_s,
                    .memory_latency_s = LOCAL_LATENCY_S,
                    .wire = wire_share(job)},
        .batch = a->batch_per_rank ? a->batch_per_rank : job->batch,
        .weak = a->batch_per_rank > 0,
        .parts = job->accumulate,
        .moves_always = job->progress_thread,
        .early = job->overlap,
        .own = job->allreduce.word ? cost_find(job->allreduce.word->name) : NULL,
        .threads = (int)a->threads,
        .storage_bytes_per_s = a->storage_bytes_per_s};
}

static int measure_link(struct scale *s, struct err *err) {
    struct link_figures f;

    if (link_measure(s->args.comm, LINK_S, &f, err))
        return -1;
    if (f.n_hosts == 1)
        return err_set(
            err, ERR_USAGE,
            "--link measure: found one host, %s, expected two or more: start it by mpirun "
            "or srun on those that the job will have, or say --link 10Gbit,5us",
            comm_host(s->args.comm));
    s->setting.cluster.latency_s = f.latency_s;
    s->setting.cluster.bytes_per_s = f.bytes_per_s;
    return 0;
}

/* Once the profile is there. */
static void end_setting(struct scale *s) {
    const struct scale_args *a = &s->want;
    const struct scale_profile *p = &s->profile;
    struct scale_setting *g = &s->setting;

    g->cluster.memory_bytes_per_s =
        a->memory_bytes_per_s > 0 ? a->memory_bytes_per_s : p->memory_bytes_per_s;
    g->host_bytes = a->host_bytes > 0 ? a->host_bytes : p->host_bytes;
    g->samples = a->samples > 0 ? (double)a->samples : p->samples;
    g->thread_scale = (double)p->threads / g->threads;
    g->epochs = s->args.job.epochs;
    if (!(g->epochs > 0) && g->samples > 0)
        g->epochs = (double)(s->args.job.steps * s->args.job.batch) / g->samples;
}

/* The profile, on all ranks where it is from a file, else on rank 0. */
static int get_profile(struct scale *s, struct err *err) {
    const struct scale_args *a = &s->want;
    struct comm *comm = s->args.comm;
    int rc = 0;

    if (!a->profile && scale_measure(s, err))
        return -1;
    if (a->profile)
        rc = scale_profile_read(&s->profile, a->profile, &s->args.job.pool, err) ||
                     scale_keys_check(&s->profile, a->profile, &s->args.job, err)
                 ? -1
                 : 0;
    else if (a->save_profile && comm_rank(comm) == 0)
        rc = scale_profile_write(&s->profile, a->save_profile, err);
    return agree(comm, rc, err);
}

/* What needs the length of an epoch. */
static int check_samples(const struct scale *s, struct err *err) {
    if (s->want.target_s > 0 && !(s->setting.samples > 0))
        return err_set(err, ERR_USAGE,
                       "--target is the time of an epoch, and the data of %s is not there: say "
                       "--samples N, how many it has",
                       s->args.job.path);
    return 0;
}

static int answer(struct scale *s, struct err *err) {
    for (int i = 0; i < s->want.n_ranks; i++)
        s->rows[i] = scale_row(&s->setting, s->want.ranks[i], NULL);
    if (s->args.json ? scale_print_json(s, err) : (scale_print(s), 0))
        return -1;
    return s->want.plot ? scale_plot(s, err) : 0;
}

static int scale(struct scale *s, struct err *err) {
    struct comm *comm = s->args.comm;

    if (agree(comm, check(s, err), err))
        return -1;
    begin_setting(s);
    if ((s->want.measure_link && measure_link(s, err)) || get_profile(s, err))
        return -1;
    if (s->want.replay)
        return scale_replay(s, err);
    if (comm_rank(comm) == 0)
        end_setting(s);
    const bool speaks = comm_rank(comm) == 0;
    return agree(comm, speaks ? check_samples(s, err) || answer(s, err) : 0, err);
}

static int run(int argc, char **argv, struct err *err) {
    struct scale s = {0};
    struct pool pool = {0};
    const struct option_spec *more = scale_options(&pool, offsetof(struct scale, want));
    int rc = jobargs_init_with(&s.args, argc, argv, JOBARGS_STEPS | JOBARGS_JSON, more, err);

    if (!rc)
        rc = scale(&s, err);
    jobargs_release(&s.args, err);
    pool_release(&pool);
    return rc;
}

const struct command command_scale = {
    .name = "scale",
    .summary = "what would a job do on more hosts? step time, efficiency, and what limits them",
    .usage =
        "dltrain scale JOB.ini --ranks 1..4096 --per-host 64 --link 10Gbit,5us [OPTION]...\n"
        "\n"
        "  --ranks 1..4096          rows: each twice the last; or 1,16,48\n"
        "  --per-host N             ranks of a host\n"
        "  --link 10Gbit,5us        bandwidth and latency between two hosts; or `measure`, under\n"
        "                           mpirun on two hosts or more\n"
        "  --batch-per-rank N       the batch grows with the ranks; else it is the job's\n"
        "  --threads N              of a rank (that of the job, or 1)\n"
        "  --memory-bandwidth 200GB/s  of all ranks of a host (as measured here)\n"
        "  --host-memory 256GiB     of a host (that of this one)\n"
        "  --storage 5GB/s          that all hosts together read (no limit)\n"
        "  --samples N              of an epoch (those of the job's data, where it is there)\n"
        "  --target 10min           the fewest ranks whose epoch takes so long\n"
        "  --target-efficiency 0.9  the most ranks that are so efficient\n"
        "  --host-price 1.25        of an hour of a host, for the cost of the job\n"
        "  --json                   one object for programs\n"
        "  --plot FILE.png          speedup, efficiency and exposed communication as a picture\n"
        "  --plot-width N           pixels (1000)\n"
        "  --measure 20s            time that measuring may take, about\n"
        "  --steps N                steps of each measurement (as time allows, 3 to 30)\n"
        "  --save-profile FILE      keep what was measured, as JSON\n"
        "  --profile FILE           use it in place of measuring\n"
        "  --replay                 under mpirun, with --profile: let real messages go beside\n"
        "                           operators that only wait, and compare with the model\n"
        "  --set NAME=VALUE         as for train\n"
        "\n"
        "Times the job's operators on this host, on batches of random numbers, and computes from\n"
        "that what steps take on other numbers of ranks. Under mpirun on one host, also by how "
        "much\n"
        "ranks slow each other down. docs/scaling.md says how, and how far it is right.\n"
        "\n"
        "  dltrain scale jobs/imagenet_resnet.ini --ranks 1..1024 --per-host 64 --link "
        "100Gbit,2us\n"
        "  mpirun -np 16 dltrain scale jobs/quickstart.ini --ranks 1..256 --per-host 16 \\\n"
        "      --link 10Gbit,20us --batch-per-rank 32 --target-efficiency 0.9 --plot scale.png\n",
    .run = run,
};
