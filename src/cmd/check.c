/* check.c - dltrain check: would the job run here, in what memory, and how long? */
#include "cmd/command.h"
#include "cmd/findings.h"
#include "cmd/jobargs.h"
#include "core/base/clock.h"
#include "dist/place_text.h"
#include "io/file/file.h"
#include "train/control.h"
#include "train/endtime.h"
#include "train/hosts.h"
#include "train/rehearsal.h"
#include "train/save.h"
#include "train/shards.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 5, OTHERS = 2 /* checkpoints beside last.h5: best.h5, the one being written */ };

struct check {
    struct jobargs args;
    struct finding_list findings;
    struct rehearsal run;
};

/* What training would note and warn of is a finding. */
struct listener {
    struct sink sink;
    struct finding_list *findings;
    const char *topic;
};

static void listen(struct sink *sink, const struct event *e) {
    const struct listener *l = (const struct listener *)sink;

    if (e->kind == EVENT_NOTE || e->kind == EVENT_WARNING)
        findings_add(l->findings, e->kind == EVENT_NOTE ? FINDING_OK : FINDING_WARNING, l->topic,
                     "%s", e->text);
}

static const struct sink_kind listening = {.take = listen};

static void find_job(struct check *c) {
    const struct replica *r = &c->run.replica;
    int64_t parameters = 0;

    for (int i = 0; i < r->model.n_nets; i++)
        parameters += net_n_weights(r->model.nets[i]);
    findings_add(&c->findings, FINDING_OK, "job",
                 "%s: %d net%s of %" PRId64 " parameters; %d rank%s read the same",
                 c->args.job.path, r->model.n_nets, r->model.n_nets == 1 ? "" : "s", parameters,
                 comm_size(c->args.comm), comm_size(c->args.comm) == 1 ? "" : "s");
}

static void find_data(struct check *c, const struct feed *feed, const char *what) {
    const struct loader *l = feed->loader;
    char fields[512] = "", shape[SHAPE_TEXT];
    size_t used = 0;

    for (int i = 0; i < loader_n_fields(l) && used < sizeof fields; i++) {
        const struct loader_field *f = loader_field(l, i);
        used += (size_t)snprintf(fields + used, sizeof fields - used, ", %s%s%s", f->name,
                                 f->sample.rank ? " " : "",
                                 f->sample.rank ? shape_text(&f->sample, shape) : "");
        if (f->n_classes > 0 && used < sizeof fields)
            used += (size_t)snprintf(fields + used, sizeof fields - used, " of %d classes",
                                     f->n_classes);
    }
    findings_add(&c->findings, FINDING_OK, "data", "%s: %s: %" PRId64 " samples%s", what,
                 dataset_name(feed->dataset), dataset_len(feed->dataset), fields);
}

/* Batches on their way, and what prepares them. */
static double batch_bytes(const struct feeds *data) {
    return (double)loader_bytes(data->train.loader) +
           (data->validates_here ? (double)loader_bytes(data->validate.loader) : 0);
}

static double checkpoint_bytes(const struct check *c) {
    return (double)save_len(&c->run.replica) * sizeof(real);
}

/* What rank 0 needs beside all that while it saves: a copy of what is saved, and the file as it is
 * made. */
static double saving_bytes(const struct check *c) {
    return 2 * checkpoint_bytes(c);
}

/* What the ranks of a host share is there once; the rest of what they hold is each one's. By now
 * everything but what saving takes is missing from what is left. */
static void find_memory(struct check *c) {
    const struct rehearsal_memory *m = &c->run.memory;
    const int ranks = comm_local_size(c->args.comm);
    const double each = (m->host - m->data) / ranks;
    const double most = m->host + saving_bytes(c);
    const bool tight = m->left >= 0 && most > 0.9 * (m->left + m->host);
    char a[FINDING_TEXT], b[FINDING_TEXT], d[FINDING_TEXT], e[FINDING_TEXT], o[FINDING_TEXT];
    char w[FINDING_TEXT], h[FINDING_TEXT], s[FINDING_TEXT];

    findings_add(&c->findings, tight ? FINDING_WARNING : FINDING_OK, "memory",
                 "%d rank%s of a host take%s %s: data %s, once; each %s (weights and moments %s, "
                 "activations %s, batches %s, the rest program and MPI); rank 0 %s more while it "
                 "saves; %s left",
                 ranks, ranks == 1 ? "" : "s", ranks == 1 ? "s" : "", findings_bytes(m->host, h),
                 findings_bytes(m->data, d), findings_bytes(each, e),
                 findings_bytes((double)replica_bytes(&c->run.replica) -
                                    (double)replica_activation_bytes(&c->run.replica) +
                                    (double)shards_bytes(&c->run.replica, comm_rank(c->args.comm),
                                                         comm_size(c->args.comm)),
                                w),
                 findings_bytes((double)replica_activation_bytes(&c->run.replica), a),
                 findings_bytes(batch_bytes(&c->run.data), b), findings_bytes(saving_bytes(c), s),
                 m->left < 0 ? "nobody says how much is" : findings_bytes(m->left, o));
}

/* Where little is left of what ranks can share, MPI itself may end in want of it. */
static void find_shared(struct check *c) {
    const double left = c->run.memory.shared_left, data = c->run.memory.data;
    const double gradients =
        c->run.gradients.shared
            ? (double)model_gradient_bytes(&c->run.replica.model) * comm_local_size(c->args.comm)
            : 0;
    char a[FINDING_TEXT], b[FINDING_TEXT], g[FINDING_TEXT];

    if (comm_local_size(c->args.comm) == 1 || left < 0)
        return;
    findings_add(&c->findings, left < 0.1 * (data + gradients) ? FINDING_WARNING : FINDING_OK,
                 "shared",
                 "/dev/shm has %s left beside what ranks share: data, %s, and gradients, %s",
                 findings_bytes(left, a), findings_bytes(data, b), findings_bytes(gradients, g));
}

/* While a copy of the state is replaced, the next one is beside it. */
static void find_partner(struct check *c) {
    const double left = c->run.memory.shared_left, copies = 2 * checkpoint_bytes(c);
    char a[FINDING_TEXT], b[FINDING_TEXT], d[FINDING_TEXT];

    if (!interval_is_set(&c->args.job.partner))
        return;
    findings_add(&c->findings, left >= 0 && left < copies ? FINDING_WARNING : FINDING_OK, "partner",
                 "each host keeps a copy of %s in /dev/shm, two of them while it is replaced, and "
                 "its first rank takes %s more then; %s left",
                 findings_bytes(copies / 2, a), findings_bytes(copies / 2, b),
                 left < 0 ? "nobody says how much is" : findings_bytes(left, d));
}

/* As training draws it. */
static void find_hosts(struct check *c) {
    struct place_line *line;
    int n = places_draw(&c->args.places, &line);

    for (int i = 0; i < n; i++)
        findings_add(&c->findings, FINDING_OK, "hosts", "%s", line[i].text);
    n = places_warn(&c->args.places, &line);
    for (int i = 0; i < n; i++)
        findings_add(&c->findings, FINDING_WARNING, "processors", "%s", line[i].text);
}

static void find_rates(struct check *c) {
    const struct rehearsal *r = &c->run;
    const double batch = (double)shard_batch_len(&r->data.train.shard, 0);
    const bool slow = r->wait_s > 0.02 * r->step_s;
    char step[FINDING_TEXT], wait[FINDING_TEXT], rate[FINDING_TEXT], alone[FINDING_TEXT];

    findings_add(&c->findings, slow ? FINDING_WARNING : FINDING_OK, "speed",
                 "a step of %.0f samples takes %s: %s samples/s; reading and augmenting alone, %s; "
                 "a step waits %s for data",
                 batch, findings_time(r->step_s, step), findings_rate(batch / r->step_s, rate),
                 findings_rate(batch / r->prepare_s, alone), findings_time(r->wait_s, wait));
}

/* Is data prepared as fast as it is trained on, where nothing waits for it? */
static void find_input(struct check *c) {
    const struct rehearsal *r = &c->run;
    const double batch = (double)shard_batch_len(&r->data.train.shard, 0);
    const double needed = batch / (r->step_s > r->wait_s ? r->step_s - r->wait_s : r->step_s);
    const double there = batch / r->prepare_s;
    char one[FINDING_TEXT], wanted[FINDING_TEXT], all[FINDING_TEXT];

    findings_add(&c->findings, there < needed ? FINDING_WARNING : FINDING_OK, "input",
                 "a processor reads and augments %s samples/s; steps that never wait need %s, "
                 "%.2g processors; the ranks prepare %s",
                 findings_rate(r->processor_rate, one), findings_rate(needed, wanted),
                 needed / r->processor_rate, findings_rate(there, all));
}

static void find_time(struct check *c) {
    const struct rehearsal *r = &c->run;
    const int64_t steps = shard_steps(&r->data.train.shard);
    const double now = clock_utc(), end = endtime_slurm(getenv, now), left = fmax(end - now, 0);
    const double epoch = (double)steps * r->step_s;
    const double epochs = (double)control_total_steps(&c->args.job, steps) / (double)steps;
    char one[FINDING_TEXT], all[FINDING_TEXT], room[FINDING_TEXT];

    findings_add(&c->findings, FINDING_OK, "time",
                 "an epoch has %" PRId64 " steps and takes %s, all %.6g epochs %s, besides "
                 "validation",
                 steps, findings_time(epoch, one), epochs, findings_time(epochs * epoch, all));
    if (end <= 0)
        return;
    findings_add(&c->findings, epochs * epoch > left ? FINDING_WARNING : FINDING_OK, "walltime",
                 "Slurm leaves %s: %.4g epochs%s", findings_time(left, room), left / epoch,
                 epochs * epoch > left
                     ? "; before the end the run saves and exits with 75, and --resume goes on"
                     : "");
}

static void find_disk(struct check *c) {
    const double each = checkpoint_bytes(c), left = file_space_left(c->args.job.output);
    const int most = c->args.job.keep_last + OTHERS;
    char a[FINDING_TEXT], b[FINDING_TEXT];

    findings_add(&c->findings, left >= 0 && most * each > left ? FINDING_WARNING : FINDING_OK,
                 "disk",
                 "a checkpoint takes %s, and up to %d of them are there at a time; in %s %s left",
                 findings_bytes(each, a), most, c->args.job.output,
                 left < 0 ? "nobody says how much is" : findings_bytes(left, b));
}

static void find_all(struct check *c) {
    find_job(c);
    find_data(c, &c->run.data.train, "train");
    if (c->run.data.validates_here)
        find_data(c, &c->run.data.validate, "validate");
    find_memory(c);
    find_partner(c);
    find_shared(c);
    find_hosts(c);
    find_rates(c);
    find_input(c);
    find_time(c);
    find_disk(c);
}

static void print_json(const struct check *c, int rc) {
    json_t *all = json_object();

    json_object_set(all, "findings", c->findings.json);
    json_object_set_new(all, "exit", json_integer(rc));
    if (c->run.step_s > 0) {
        json_object_set_new(all, "step_s", json_real(c->run.step_s));
        json_object_set_new(all, "wait_s", json_real(c->run.wait_s));
        json_object_set_new(all, "prepare_s", json_real(c->run.prepare_s));
        json_object_set_new(all, "processor_rate", json_real(c->run.processor_rate));
        json_object_set_new(
            all, "rank_bytes",
            json_real((c->run.memory.host - c->run.memory.data) / comm_local_size(c->args.comm)));
        json_object_set_new(all, "host_bytes", json_real(c->run.memory.host));
        json_object_set_new(all, "saving_bytes", json_real(saving_bytes(c)));
        json_object_set_new(all, "data_bytes", json_real(c->run.memory.data));
    }
    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    fputc('\n', stdout);
    json_decref(all);
}

static const char *topic_of(const struct err *err) {
    return err->kind == ERR_DATA ? "data" : err->kind == ERR_IO ? "system" : "job";
}

static int rehearse(struct check *c, const struct sinks *sinks, struct err *err) {
    const struct jobargs *a = &c->args;

    if (rehearsal_init(&c->run, &c->args.job, a->comm, a->threads, sinks, err))
        return -1;
    team_pin(c->run.replica.team, a->places.core, a->places.n_cores);
    return rehearsal_run(&c->run, a->steps ? (int)a->steps : STEPS, err);
}

/* Rank 0 says it. What is refused is the last finding, and the exit code is that of training. */
static int check(struct check *c, struct err *err) {
    struct listener listener = {{&listening}, &c->findings, "links"};
    struct sink *const list[] = {&listener.sink};
    const struct jobargs *a = &c->args;
    const bool speaks = comm_rank(a->comm) == 0;
    const struct sinks sinks = {list, speaks};
    int rc;

    c->findings = (struct finding_list){.silent = !speaks, .json = a->json ? json_array() : NULL};
    rc = a->job.tests_links ? hosts_test(a->comm, &a->places, &sinks, err) : 0;
    listener.topic = "data";
    rc = rc || rehearse(c, &sinks, err);
    if (rc) {
        findings_add(&c->findings, FINDING_REFUSED, topic_of(err), "%s", err->msg);
        err->msg[0] = 0; /* it is said */
    } else {
        find_all(c);
    }
    if (a->json && speaks)
        print_json(c, rc ? (int)err->kind : 0);
    json_decref(c->findings.json);
    return rc ? -1 : 0;
}

static int run(int argc, char **argv, struct err *err) {
    struct check c = {0};
    int rc = jobargs_init(&c.args, argc, argv, JOBARGS_STEPS | JOBARGS_JSON, err);

    if (!rc)
        rc = check(&c, err);
    rehearsal_release(&c.run);
    jobargs_release(&c.args, err);
    return rc;
}

const struct command command_check = {
    .name = "check",
    .summary = "would a job run here, in what memory, and how long? to be asked before submission",
    .usage =
        "dltrain check JOB.ini [--steps N] [--json] [--set NAME=VALUE]...\n"
        "\n"
        "  --steps N           steps to train (5), after one to warm up\n"
        "  --json              one object for programs\n"
        "  --set NAME=VALUE    as for train\n"
        "\n"
        "Opens the data, plans, and takes some steps as training would, but writes nothing. One\n"
        "line a finding: ok, warning or refused. The exit code is 0, also with warnings, or that\n"
        "of training: 65 data, 74 I/O or memory, 78 the job.\n"
        "\n"
        "  dltrain check jobs/quickstart.ini\n"
        "  srun -N 4 --ntasks-per-node 16 dltrain check jobs/cifar10_resnet20.ini\n",
    .run = run,
};
