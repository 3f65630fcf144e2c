#include "cmd/command.h"
#include "cmd/jobargs.h"
#include "dist/agree.h"
#include "train/evaluate.h"
#include "train/save.h"
#include "train/weights.h"

#include <stdio.h>

static int open_validation(const struct jobargs *a, struct feed *feed, struct err *err) {
    const struct job *job = &a->job;
    const struct feed_config config = {.job = job,
                                       .spec = job->validate_data,
                                       .batch = job->validate_batch,
                                       .training = false,
                                       .rank = comm_rank(a->comm),
                                       .size = comm_size(a->comm)};

    if (!a->weights && !job->n_weights)
        return err_set(err, ERR_USAGE,
                       "found no --weights FILE, expected a checkpoint or [weights] in the job");
    if (!job->validate)
        return err_set(err, ERR_CONFIG, "%s: there is no [validate]", job->path);
    if (!job->validate_data)
        return err_set(err, ERR_CONFIG, "%s: [data] has no key validate", job->path);
    return feed_init(feed, &config, err);
}

static int load(struct jobargs *a, struct replica *r, const struct feed *feed, struct err *err) {
    struct field fields[LOADER_MAX_FIELDS];
    const struct replica_config config = {
        .job = &a->job,
        .fields = fields,
        .n_fields = feed_open_fields(feed, fields),
        .batch = 1,
        .validate_batch = feed_max_batch(feed),
        .threads = a->threads,
        .data_name = dataset_name(feed->dataset),
    };
    struct report report;

    if (replica_init(r, &config, err) || replica_allocate(r, &config, err))
        return -1;
    if (a->weights)
        return save_load_nets(a->weights, r, err);
    report_init(&report, comm_rank(a->comm) == 0);
    return weights_load(&a->job, r, &report, err);
}

static void print_measures(const struct replica *r) {
    const char *name;
    double value;

    printf("result:");
    for (int i = 0; evaluate_measure(r, i, &name, &value); i++)
        printf(" %s=%.4f", name, value);
    printf("\n");
}

static int run(int argc, char **argv, struct err *err) {
    struct replica replica = {0};
    struct feed feed = {0};
    struct jobargs a;
    int rc = jobargs_init(&a, argc, argv, JOBARGS_WEIGHTS, err);

    if (!rc)
        rc = agree(a.comm, open_validation(&a, &feed, err), err);
    if (!rc)
        rc = agree(a.comm, load(&a, &replica, &feed, err), err);
    if (!rc)
        rc = evaluate(&replica, &feed, a.comm, err);
    if (!rc && comm_rank(a.comm) == 0)
        print_measures(&replica);
    replica_release(&replica);
    feed_release(&feed);
    jobargs_release(&a, err);
    return rc;
}

const struct command command_eval = {
    .name = "eval",
    .summary = "measure saved weights on the validation data of a job",
    .usage =
        "dltrain eval JOB.ini [--weights FILE] [--set NAME=VALUE]...\n"
        "\n"
        "  --weights FILE           a checkpoint: runs/NAME/best.h5; without it, what the job's\n"
        "                           [weights] sections name\n"
        "  --set NAME=VALUE         as for train: data.validate=FILE.h5:GROUP measures other data\n"
        "\n"
        "  dltrain eval jobs/quickstart.ini --weights runs/quickstart/best.h5\n"
        "  mpirun -np 4 dltrain eval jobs/cifar10_resnet20.ini --weights best.h5\n",
    .run = run,
};
