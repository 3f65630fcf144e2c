#include "cmd/command.h"
#include "cmd/jobargs.h"
#include "dist/agree.h"
#include "io/weights/tensor_file.h"
#include "report/result.h"
#include "report/table.h"
#include "report/terminal.h"
#include "train/alike.h"
#include "train/evaluate.h"
#include "train/facts.h"
#include "train/guesses.h"
#include "train/host_data.h"
#include "train/not_finite.h"
#include "train/save.h"
#include "train/trained.h"
#include "train/weights.h"

#include <stdio.h>
#include <string.h>

/*   trained  filled: what the weights were trained on */
static int look(const struct jobargs *a, struct trained *trained, struct err *err) {
    const struct job *job = &a->job;

    if (a->weights && trained_read(trained, a->weights, err))
        return -1;
    if (!a->weights && !job->n_weights)
        return err_set(
            err, ERR_USAGE,
            "found no --weights FILE, expected one, [weights] in the job, or a run in its "
            "place: dltrain eval runs/NAME");
    if (!job->validate)
        return err_set(err, ERR_CONFIG, "%s: there is no [validate]", job->path);
    if (!job->validate_data)
        return err_set(err, ERR_CONFIG, "%s: [data] has no key validate", job->path);
    return 0;
}

static int init_feed(const struct jobargs *a, struct dataset *dataset,
                     const struct trained *trained, struct feed *feed, const struct sinks *sinks,
                     struct err *err) {
    const struct job *job = &a->job;
    const struct feed_config config = {.job = job,
                                       .spec = job->validate_data,
                                       .dataset = dataset,
                                       .batch = job->validate_batch,
                                       .training = false,
                                       .rank = comm_rank(a->comm),
                                       .size = comm_size(a->comm),
                                       .classes = trained->classes,
                                       .n_classes = trained->n_classes,
                                       .classes_of = a->weights,
                                       .sinks = sinks};

    if (feed_init(feed, &config, err))
        return -1;
    trained_warn_of_normalisation(trained, job, feed, sinks);
    return 0;
}

/* Collective. */
static int open_validation(const struct jobargs *a, struct host_data *data, struct trained *trained,
                           struct feed *feed, const struct sinks *sinks, struct err *err) {
    struct dataset *dataset;

    host_data_init(data, a->comm, a->job.cache_bytes, sinks);
    if (agree(a->comm, look(a, trained, err), err) ||
        host_data_open(data, a->job.validate_data, &dataset, err))
        return -1;
    host_data_opened(data);
    return agree(a->comm, init_feed(a, dataset, trained, feed, sinks, err), err);
}

static int load(struct jobargs *a, struct replica *r, const struct feed *feed,
                const struct sinks *sinks, struct err *err) {
    struct field fields[LOADER_MAX_FIELDS];
    const struct replica_config config = {
        .job = &a->job,
        .fields = fields,
        .n_fields = feed_open_fields(feed, fields),
        .batch = 1,
        .validate_batch = feed_max_shard(feed),
        .threads = a->threads,
        .data_name = dataset_name(feed->dataset),
    };

    if (replica_init(r, &config, err) || replica_allocate(r, &config, err))
        return -1;
    if (!a->weights)
        return weights_load(&a->job, r, sinks, err);
    return tensor_file_is_safetensors(a->weights) ? weights_load_file(a->weights, r, sinks, err)
                                                  : save_load_nets(a->weights, r, err);
}

/* Every rank has read the file of its own host. */
static int same_weights(struct replica *r, struct comm *comm, struct err *err) {
    struct alike alike;

    alike_init(&alike, r, comm);
    return alike_check(&alike, err) ? err_wrap(err, "weights as they were read") : 0;
}

/* The classes of a table are those of the mean that it comes from. */
static int classes_of(const struct graph *g, int node, const struct dataset *dataset) {
    int64_t limit;

    while (!g->nodes[node].op->count)
        for (int k = 0, next = -1; next < 0; k++)
            if (g->nodes[g->nodes[node].x[k]].from_means)
                node = next = g->nodes[node].x[k];
    const int input = graph_class_input(g, node, &limit);
    const char *field = input < 0 ? NULL : g->nodes[g->nodes[node].x[input]].field;
    return field ? dataset_find_field(dataset, field) : -1; /* labels may be computed */
}

/* The classes of a field of the data, as a table asks for their names. */
struct classes {
    const struct dataset *dataset;
    int field;
};

static const char *class_name(const void *context, int64_t i) {
    const struct classes *c = context;

    return dataset_class_name(c->dataset, c->field, (int)i);
}

static void print_tables(const struct replica *r, const struct dataset *dataset) {
    struct tensor table;
    const char *name;

    for (int i = 0; evaluate_table(r, i, &name, &table); i++) {
        const int node = graph_find(r->validate, name);
        const struct classes classes = {dataset, classes_of(r->validate, node, dataset)};
        const bool told = classes.field >= 0;
        const struct table_labels labels = {told ? class_name : NULL, &classes,
                                            told ? dataset_field_classes(dataset, classes.field)
                                                 : 0};
        table_print(stdout, name, &table, run_tally(r->validate_plan, node), &labels);
    }
}

static void print_measures(const struct replica *r) {
    printf("result:");
    result_values(stdout, r);
    result_errors(stdout, r);
    printf("\n");
}

/* Which weights they are, where the command line names a run. */
static void say_run(const struct jobargs *a, const struct trained *t, const struct sinks *sinks) {
    if (a->run && t->meta.json)
        sinks_note(sinks, "%s: weights of %s after epoch %.4g", a->weights, meta_name(&t->meta),
                   meta_epoch(&t->meta));
}

static int measure(struct jobargs *a, const struct sinks *sinks, struct err *err) {
    struct trained trained = {0};
    struct replica replica = {0};
    struct feed feed = {0};
    struct host_data data = {0};
    int rc = open_validation(a, &data, &trained, &feed, sinks, err);

    if (!rc)
        rc = facts_check_data(a->comm, &feed.dataset, 1, err);
    if (!rc)
        guesses_tell(feed.dataset, NULL, sinks);
    if (!rc)
        rc = agree(a->comm, load(a, &replica, &feed, sinks, err), err) ||
             same_weights(&replica, a->comm, err);
    if (!rc) {
        team_pin(replica.team, a->places.core, a->places.n_cores);
        rc = evaluate(&replica, &feed, a->comm, err);
    }
    if (!rc) {
        say_run(a, &trained, sinks);
        not_finite_warn(&replica, &feed, a->comm, "", sinks);
    }
    if (!rc && comm_rank(a->comm) == 0) {
        print_tables(&replica, feed.dataset);
        print_measures(&replica);
    }
    replica_release(&replica);
    feed_release(&feed);
    host_data_release(&data);
    trained_release(&trained);
    return rc;
}

static int run(int argc, char **argv, struct err *err) {
    struct terminal terminal;
    struct sink *const list[] = {&terminal.sink};
    struct jobargs a;
    int rc = jobargs_init(&a, argc, argv, JOBARGS_WEIGHTS | JOBARGS_EMULATE, err);

    terminal_init(&terminal);
    if (!rc) {
        const struct sinks sinks = {list, comm_rank(a.comm) == 0};
        rc = measure(&a, &sinks, err);
    }
    jobargs_release(&a, err);
    return rc;
}

const struct command command_eval = {
    .name = "eval",
    .summary = "measure saved weights on the validation data of a run or a job",
    .usage =
        "dltrain eval JOB.ini|RUN [--weights FILE] [--emulate-ranks N] [--set NAME=VALUE]...\n"
        "\n"
        "  RUN                      a run's folder, of which best.h5 is taken, else last.h5, or "
        "one\n"
        "                           of its checkpoints: the job is in it\n"
        "  --weights FILE           a checkpoint or safetensors; without it, those of RUN, or "
        "what\n"
        "                           the [weights] sections of JOB.ini name\n"
        "  --emulate-ranks N        as for train\n"
        "  --set NAME=VALUE         as for train: data.validate=FILE.h5:GROUP measures other data\n"
        "\n"
        "  dltrain eval runs/quickstart\n"
        "  dltrain eval runs/quickstart/last.h5 --set data.validate=other.h5:test\n"
        "  mpirun -np 4 dltrain eval jobs/cifar10_resnet20.ini --weights resnet20.safetensors\n",
    .run = run,
};
