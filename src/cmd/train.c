#include "cmd/command.h"
#include "cmd/jobargs.h"
#include "report/histograms.h"
#include "report/jsonl.h"
#include "report/mlperf.h"
#include "report/ranks.h"
#include "report/tensorboard.h"
#include "report/terminal.h"
#include "report/trace.h"
#include "train/trainer.h"

/* The log comes first: what it has to warn of is seen before the line that it is about. */
static int run_job(struct jobargs *a, struct err *err) {
    struct jsonl jsonl;
    struct ranks_log ranks;
    struct histograms_log histograms;
    struct tensorboard tensorboard;
    struct mlperf mlperf;
    struct trace_file trace;
    struct terminal terminal;
    struct sink *const list[] = {&jsonl.sink,  &ranks.sink, &histograms.sink, &tensorboard.sink,
                                 &mlperf.sink, &trace.sink, &terminal.sink};
    const struct sinks sinks = {list, comm_rank(a->comm) == 0 ? sizeof list / sizeof *list : 0};
    const struct train_options options = {
        .resume = a->resume, .threads = a->threads, .places = &a->places, .sinks = &sinks};

    jsonl_init(&jsonl, &sinks);
    ranks_log_init(&ranks, &sinks);
    histograms_log_init(&histograms, &sinks);
    tensorboard_init(&tensorboard, &sinks);
    mlperf_init(&mlperf, &sinks);
    trace_file_init(&trace, &sinks);
    terminal_init(&terminal);
    const int rc = train(&a->job, &options, a->comm, err);
    mlperf_release(&mlperf);
    tensorboard_release(&tensorboard);
    histograms_log_release(&histograms);
    ranks_log_release(&ranks);
    jsonl_release(&jsonl);
    return rc;
}

static int run(int argc, char **argv, struct err *err) {
    struct jobargs a;
    int rc = jobargs_init(&a, argc, argv, JOBARGS_RESUME | JOBARGS_EMULATE, err);

    if (!rc)
        rc = run_job(&a, err);
    jobargs_release(&a, err);
    return rc;
}

const struct command command_train = {
    .name = "train",
    .summary = "train the network of a job; `dltrain JOB.ini` is the same",
    .usage =
        "dltrain [train] JOB.ini [--set NAME=VALUE]... [--resume] [--emulate-ranks N]\n"
        "\n"
        "  --set NAME=VALUE         override a constant of [let] or a key of [job]\n"
        "  --set SECTION.KEY=VALUE  override any key\n"
        "  --resume                 go on from runs/NAME/last.h5, if it is there\n"
        "  --emulate-ranks N        compute in one process what N ranks compute: to the bit where\n"
        "                           the job has [dist] reduction = reproducible; else as with it\n"
        "                           and shards = N, which is N ranks up to the order of additions\n"
        "\n"
        "Results are in runs/NAME: job.ini (as resolved), metrics.jsonl, last.h5, best.h5.\n"
        "SIGUSR1, SIGTERM, SIGINT and SIGHUP save at the end of the step and exit with code 75;\n"
        "a second one ends the process at once, as it is.\n"
        "\n"
        "  dltrain jobs/quickstart.ini\n"
        "  mpirun -np 16 dltrain jobs/cifar10_resnet20.ini --set lr=0.2 --set data.batch=256\n"
        "  srun --mpi=pmix dltrain jobs/cifar10_resnet20.ini --resume\n",
    .run = run,
};
