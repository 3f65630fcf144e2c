#include "cmd/command.h"
#include "cmd/jobargs.h"
#include "dist/agree.h"
#include "report/network.h"
#include "train/feed.h"
#include "train/replica.h"
#include "train/shards.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print_row(const struct network *net, int i) {
    const struct network_row *row = &net->row[i];

    printf("%-28s %-16s %-16s ", row->name, net->graph->nodes[i].op->word.name, row->output);
    if (row->parameters)
        printf("%12" PRId64, row->parameters);
    else
        printf("%12s", "");
    printf(" %12.3f %9s %10.1f\n", row->flops / 1e6, row->field_text, (double)row->bytes / 1024);
}

static void print_network(const struct network *net) {
    const char *last = "1";

    printf("%s, for one image\n", net->graph->name);
    printf("%-28s %-16s %-16s %12s %12s %9s %10s\n", "name", "operator", "output", "parameters",
           "MFLOP", "field", "KiB");
    for (int i = 0; i < net->graph->n_nodes; i++) {
        if (!net->graph->nodes[i].op)
            continue;
        print_row(net, i);
        last = net->row[i].field_text;
    }
    printf("total: %.3f MFLOP forward, receptive field %s, %.1f KiB of activations\n\n",
           net->flops / 1e6, last, (double)net->bytes / 1024);
}

/* What print_totals says, beside the networks. Returns -1 where there is no memory. */
static int print_json(const struct jobargs *a, const struct replica *r, const struct network *nets,
                      int n, int64_t batch) {
    json_t *all = network_json(r, nets, n);
    char *text;

    json_object_set_new(all, "job", json_string(a->job.name));
    if (r->n_steps)
        json_object_set_new(all, "training",
                            json_pack("{s:I, s:i, s:I, s:I, s:I, s:I}", "batch",
                                      (json_int_t)a->job.batch, "ranks", comm_size(a->comm),
                                      "samples_at_a_time", (json_int_t)batch, "model_bytes",
                                      (json_int_t)model_bytes(&r->model), "moment_bytes",
                                      (json_int_t)replica_moment_bytes(r), "activation_bytes",
                                      (json_int_t)replica_activation_bytes(r)));
    text = json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    json_decref(all);
    if (!text)
        return -1;
    puts(text);
    free(text);
    return 0;
}

static void print_totals(const struct jobargs *a, const struct replica *r, int64_t batch) {
    for (int i = 0; i < r->model.n_nets; i++)
        printf("net %s: %" PRId64 " parameters, %.1f MiB\n", r->model.nets[i]->name,
               net_n_weights(r->model.nets[i]),
               (double)net_n_weights(r->model.nets[i]) * sizeof(real) / (1 << 20));
    if (r->n_steps)
        printf(
            "training with batch %" PRId64 " over %d rank%s: each rank holds %.1f MiB of weights "
            "and gradients, %.1f MiB of optimiser moments, %.1f MiB of activations (%" PRId64
            " samples at a time)\n",
            a->job.batch, comm_size(a->comm), comm_size(a->comm) == 1 ? "" : "s",
            (double)model_bytes(&r->model) / (1 << 20), (double)replica_moment_bytes(r) / (1 << 20),
            (double)replica_activation_bytes(r) / (1 << 20), batch);
    if (r->n_steps && r->shards)
        printf("reduction = reproducible over %d shards: rank 0 holds %.1f MiB more of gradients "
               "that wait for those of other shards\n",
               r->shards,
               (double)shards_bytes(r, comm_rank(a->comm), comm_size(a->comm)) / (1 << 20));
}

static int print(struct jobargs *a, struct replica *r, int64_t batch, struct err *err) {
    struct network *networks;
    int n;

    if (network_list(&a->job, r, &networks, &n, err))
        return -1;
    if (a->json)
        return print_json(a, r, networks, n, batch)
                   ? err_set(err, ERR_IO, "%s: no memory for its networks", a->job.path)
                   : 0;
    for (int i = 0; i < n; i++)
        print_network(&networks[i]);
    print_totals(a, r, batch);
    return 0;
}

static int show(struct jobargs *a, struct replica *r, struct err *err) {
    struct loader_field seen[LOADER_MAX_FIELDS];
    struct field fields[LOADER_MAX_FIELDS];
    int n;

    if (feed_fields(&a->job, seen, &n, err))
        return -1;
    feed_graph_fields(seen, n, fields);
    const int64_t batch = shards_at_a_time(&a->job, a->job.batch, comm_size(a->comm));
    const struct replica_config config = {.job = &a->job,
                                          .fields = fields,
                                          .n_fields = n,
                                          .batch = batch,
                                          .training = true,
                                          .data_name = a->job.path};
    if (replica_init(r, &config, err))
        return -1;
    return comm_rank(a->comm) == 0 ? print(a, r, batch, err) : 0;
}

static int run(int argc, char **argv, struct err *err) {
    struct replica replica = {0};
    struct jobargs a;
    int rc = jobargs_init(&a, argc, argv, JOBARGS_JSON, err);

    if (!rc)
        rc = agree(a.comm, show(&a, &replica, err), err);
    replica_release(&replica);
    jobargs_release(&a, err);
    return rc;
}

const struct command command_show = {
    .name = "show",
    .summary = "print the network of a job: shapes, parameters, FLOPs, receptive field, memory",
    .usage =
        "dltrain show JOB.ini [--json] [--set NAME=VALUE]...\n"
        "\n"
        "One line for each operator: its name, its output for one image, its parameters, the\n"
        "FLOPs of its forward pass (a multiply-add is 2), the receptive field of one output in\n"
        "pixels of the input, and the memory of its output. The shape of the images is that of\n"
        "the job's key image in [data], or of its training data.\n"
        "\n"
        "  --json                   all of it as one JSON object, with what reads what: graphs\n"
        "                           and their nodes, in bytes and FLOPs\n"
        "\n"
        "  dltrain show jobs/cifar10_resnet20.ini\n"
        "  dltrain show jobs/cifar10_resnet20.ini --json | jq '.nets[].parameters'\n",
    .run = run,
};
