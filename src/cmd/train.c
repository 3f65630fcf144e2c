#include "cmd/command.h"
#include "cmd/jobargs.h"
#include "cmd/options.h"
#include "cmd/train_try.h"
#include "core/base/clock.h"
#include "dist/agree.h"
#include "report/terminal.h"
#include "report/written.h"
#include "train/endtime.h"
#include "train/stop.h"
#include "train/trainer.h"

#include <stdlib.h>

enum { MOST_TRIED = 1000000 };

struct train_args {
    struct jobargs job;       /* first: options count from it */
    double until;             /* epochs; 0: not given */
    double end;               /* as endtime_read; 0: not given */
    int64_t dry_run, overfit; /* steps, batches; 0: not given */
};

static int read_until(void *to, const char *value, struct err *err) {
    struct train_args *a = to;
    char *end;

    a->until = strtod(value, &end);
    if (end == value || *end || !(a->until > 0) || a->until > 1e9)
        return err_set(err, ERR_USAGE, "--until: found '%s', expected epochs above 0", value);
    return 0;
}

static int read_end(void *to, const char *value, struct err *err) {
    struct train_args *a = to;

    return endtime_read(value, clock_utc(), &a->end, err);
}

static const struct option_spec specs[] = {
    {"until", OPTION_READ, .read = read_until},
    {"end", OPTION_READ, .read = read_end},
    {"dry-run", OPTION_WHOLE, .offset = offsetof(struct train_args, dry_run), .min = 1,
     .max = MOST_TRIED},
    {"overfit", OPTION_WHOLE, .offset = offsetof(struct train_args, overfit), .min = 1,
     .max = MOST_TRIED},
    {0},
};

/* When the time of the run is over. What has passed when it starts does not end it: Slurm may leave
 * a job more than its limit. */
static double end_of(const struct train_args *a, const struct sinks *sinks) {
    const double now = clock_utc(), slurm = endtime_slurm(getenv, now);
    char text[ENDTIME_TEXT];

    if (a->end || a->dry_run)
        return a->end;
    if (slurm <= 0 || slurm > now - ENDTIME_LATE_S)
        return slurm;
    sinks_warn(sinks, "the time of the Slurm job ended at %s (SLURM_JOB_END_TIME): going on",
               endtime_text(slurm, now, text));
    return 0;
}

/* Logs come first: what they have to warn of is seen before the line that it is about. */
static int run_job(struct train_args *args, struct err *err) {
    struct jobargs *a = &args->job;
    struct written written;
    struct terminal terminal;
    struct sink *list[WRITTEN_SINKS + 1];
    const struct sinks sinks = {list, comm_rank(a->comm) == 0 ? sizeof list / sizeof *list : 0};
    struct train_options options = {.resume = a->resume,
                                    .until = args->until,
                                    .validate_steps = args->dry_run ? 1 : 0,
                                    .threads = a->threads,
                                    .places = &a->places,
                                    .sinks = &sinks};

    written_init(&written, &sinks, list);
    terminal_init(&terminal);
    list[WRITTEN_SINKS] = &terminal.sink;
    options.end = end_of(args, &sinks);
    const int rc = train(&a->job, &options, a->comm, err);
    written_release(&written);
    return rc;
}

static int dry_run(struct train_args *a, struct err *err) {
    struct dry_run d;
    int rc = dry_run_init(&d, &a->job, a->dry_run, err);

    rc = rc || run_job(a, err);
    if (!rc)
        rc = agree(a->job.comm, comm_rank(a->job.comm) ? 0 : dry_run_say(&d, err), err);
    dry_run_release(&d);
    if (rc && err->kind == ERR_STOPPED)
        err_set(err, ERR_STOPPED, "the dry run is stopped on request; nothing of it is kept");
    return rc ? -1 : 0;
}

static int overfit(struct train_args *a, struct err *err) {
    struct terminal terminal;
    struct sink *const list[] = {&terminal.sink};
    const struct sinks sinks = {list, comm_rank(a->job.comm) == 0};

    terminal_init(&terminal);
    return overfit_say(&a->job, a->overfit, &sinks, err);
}

static int check_options(const struct train_args *a, struct err *err) {
    const int tries = (a->dry_run > 0) + (a->overfit > 0);

    if (tries + (a->job.resume || a->until > 0 || a->end > 0) < 2)
        return 0;
    return err_set(err, ERR_USAGE,
                   "--dry-run and --overfit keep nothing: expected one of them, without --resume, "
                   "--until and --end");
}

static int run(int argc, char **argv, struct err *err) {
    struct train_args a = {0};
    int rc = jobargs_init_with(&a.job, argc, argv, JOBARGS_RESUME | JOBARGS_EMULATE, specs, err);

    rc = rc || check_options(&a, err);
    if (!rc)
        stop_use_signals(a.job.job.stop_signals, a.job.job.save_signals);
    if (!rc)
        rc = a.dry_run ? dry_run(&a, err) : a.overfit ? overfit(&a, err) : run_job(&a, err);
    jobargs_release(&a.job, err);
    return rc ? -1 : 0;
}

const struct command command_train = {
    .name = "train",
    .stops = true,
    .summary = "train the network of a job; `dltrain JOB.ini` is the same",
    .usage =
        "dltrain [train] JOB.ini [--set NAME=VALUE]... [--resume] [--until EPOCHS]\n"
        "                       [--end TIME] [--emulate-ranks N] [--dry-run STEPS | --overfit "
        "BATCHES]\n"
        "\n"
        "  --set NAME=VALUE         override a constant of [let] or a key of [job]\n"
        "  --set SECTION.KEY=VALUE  override any key\n"
        "  --resume                 go on from runs/NAME/last.h5, if it is there\n"
        "  --until EPOCHS           end after so many epochs for now, validated and saved: the\n"
        "                           schedules are those of the whole length, and --resume goes on\n"
        "  --end TIME               when its time is over: 18:00, 2026-12-01T18:00, 3h30m from "
        "now,\n"
        "                           5400 seconds, or never; of a job of Slurm its limit. The run\n"
        "                           saves and exits with code 75 when what comes next does not "
        "fit\n"
        "  --dry-run STEPS          try it all: so many steps, a validation of one batch, "
        "pictures\n"
        "                           and checkpoints, in a folder that is removed\n"
        "  --overfit BATCHES        train on the same few batches, not augmented, until they are\n"
        "                           learnt; nothing is validated or written\n"
        "  --emulate-ranks N        compute in one process what N ranks compute: to the bit where\n"
        "                           the job has [dist] reduction = reproducible; else as with it\n"
        "                           and shards = N, which is N ranks up to the order of additions\n"
        "\n"
        "Results are in runs/NAME: job.ini (as resolved), metrics.jsonl, events.jsonl, last.h5, "
        "best.h5,\n"
        "and what [log] asks for: `dltrain help log`, docs/watching.md.\n"
        "SIGUSR1, SIGTERM, SIGINT and SIGHUP save at the end of the step and exit with code 75;\n"
        "a second one ends the process at once, as it is. SIGUSR2 saves, and the run goes on:\n"
        "`dltrain help checkpoint`, docs/slurm.md.\n"
        "\n"
        "  dltrain jobs/quickstart.ini\n"
        "  dltrain jobs/quickstart.ini --dry-run 3\n"
        "  mpirun -np 16 dltrain jobs/cifar10_resnet20.ini --set lr=0.2 --set data.batch=256\n"
        "  srun --mpi=pmix dltrain jobs/cifar10_resnet20.ini --resume\n",
    .run = run,
};
