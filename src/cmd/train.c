#include "cmd/command.h"
#include "cmd/jobargs.h"
#include "report/terminal.h"
#include "report/written.h"
#include "train/trainer.h"

/* Logs come first: what they have to warn of is seen before the line that it is about. */
static int run_job(struct jobargs *a, struct err *err) {
    struct written written;
    struct terminal terminal;
    struct sink *list[WRITTEN_SINKS + 1];
    const struct sinks sinks = {list, comm_rank(a->comm) == 0 ? sizeof list / sizeof *list : 0};
    const struct train_options options = {
        .resume = a->resume, .threads = a->threads, .places = &a->places, .sinks = &sinks};

    written_init(&written, &sinks, list);
    terminal_init(&terminal);
    list[WRITTEN_SINKS] = &terminal.sink;
    const int rc = train(&a->job, &options, a->comm, err);
    written_release(&written);
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
        "Results are in runs/NAME: job.ini (as resolved), metrics.jsonl, last.h5, best.h5, and "
        "what\n"
        "[log] asks for: `dltrain help log`, docs/watching.md.\n"
        "SIGUSR1, SIGTERM, SIGINT and SIGHUP save at the end of the step and exit with code 75;\n"
        "a second one ends the process at once, as it is.\n"
        "\n"
        "  dltrain jobs/quickstart.ini\n"
        "  mpirun -np 16 dltrain jobs/cifar10_resnet20.ini --set lr=0.2 --set data.batch=256\n"
        "  srun --mpi=pmix dltrain jobs/cifar10_resnet20.ini --resume\n",
    .run = run,
};
