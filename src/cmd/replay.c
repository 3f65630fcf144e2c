#include "cmd/command.h"
#include "cmd/jobargs.h"
#include "cmd/options.h"
#include "train/culprit.h"
#include "train/node_label.h"
#include "train/fault_replay.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct replay_args {
    struct jobargs job; /* first: options count from it */
    const char *at;
    bool table;
};

/* What the numbers of an operator were. */
struct replay_row {
    double min, max, mean;
    int64_t n, not_finite;
};

/* Of every operator: its output, what backward adds to its inputs, and to its weights. */
struct replay_rows {
    struct replay_row output, dx, dw;
};

struct table {
    struct replay_rows *rows; /* [n_nodes] */
};

static void look(void *context, const struct probe_seen *seen) {
    struct table *t = context;
    struct replay_rows *rows = &t->rows[seen->node];
    struct replay_row *row = seen->what == PROBE_DX   ? &rows->dx
                             : seen->what == PROBE_DW ? &rows->dw
                                                      : &rows->output;
    const int64_t len = shape_len(&seen->shape);

    for (int64_t i = 0; i < len; i++) {
        const double x = (double)seen->v[i];
        row->n++;
        if (!isfinite(x)) {
            row->not_finite++;
            continue;
        }
        const int64_t n = row->n - row->not_finite;
        row->min = n == 1 ? x : fmin(row->min, x);
        row->max = n == 1 ? x : fmax(row->max, x);
        row->mean += (x - row->mean) / (double)n;
    }
}

static void print_row(const char *what, const struct replay_row *r) {
    if (!r->n)
        return;
    printf("  %-10s", what);
    if (r->n > r->not_finite)
        printf(" %11.4g %11.4g %11.4g", r->min, r->max, r->mean);
    else
        printf(" %11s %11s %11s", "-", "-", "-");
    printf(" %12" PRId64, r->n);
    if (r->not_finite)
        printf(" %12" PRId64, r->not_finite);
    printf("\n");
}

static void print_node(const struct graph *g, const struct replay_rows *rows, int node,
                       struct pool *pool) {
    const struct node *n = &g->nodes[node];

    if (!rows->output.n && !rows->dx.n && !rows->dw.n)
        return;
    printf("%s", node_label(g, node, pool));
    if (n->pos.file)
        printf("  (%s:%d:%d)", n->pos.file, n->pos.line, n->pos.column);
    printf("\n");
    print_row("output", &rows->output);
    print_row("dx", &rows->dx);
    print_row("dw", &rows->dw);
}

static bool is_asked_for(const char *label, const char *at) {
    return !at || !strncmp(label, at, strlen(at));
}

static int print_table(const struct fault_replay *r, const struct table *t, const char *at,
                       struct err *err) {
    const struct graph *g = r->replica.step[r->probe.which].graph;
    struct pool pool = {0};
    int n = 0;

    for (int i = 0; i < g->n_nodes; i++)
        if (is_asked_for(node_label(g, i, &pool), at) && t->rows[i].output.n) {
            if (!n++)
                printf("  %-10s %11s %11s %11s %12s %12s\n", "", "min", "max", "mean", "numbers",
                       "not finite");
            print_node(g, &t->rows[i], i, &pool);
        }
    pool_release(&pool);
    return n ? 0
             : err_set(err, ERR_USAGE,
                       "--at: found '%s', expected the name of an operator, or the beginning of "
                       "some, as --table lists them",
                       at);
}

/* --- the verdict --- */

static void print_samples(const struct fault_replay *r, const struct probe_hit *hit) {
    for (int64_t i = 0; i < hit->n_samples && i < PROBE_SAMPLES; i++)
        printf("  %s\n", r->sample[hit->sample[i]]);
    if (hit->n_samples > PROBE_SAMPLES)
        printf("  and %" PRId64 " others of %" PRId64 "\n", hit->n_samples - PROBE_SAMPLES,
               r->batch.data.n);
}

static void print_hit(const struct fault_replay *r, const struct probe_hit *hit,
                      struct pool *pool) {
    const struct graph *g = r->replica.step[r->probe.which].graph;

    printf("first: %s of %s: %s is %s; %" PRId64 " of its %" PRId64 " numbers are not finite\n",
           probe_is_backward(&hit->seen) ? "backward" : "forward",
           node_label(g, hit->seen.node, pool), probe_text(g, &hit->seen, hit->at, pool),
           isnan(hit->value) ? "nan" : "infinite", hit->n_bad, shape_len(&hit->seen.shape));
    if (!isnan(hit->in_min))
        printf("it reads finite numbers from %.4g to %.4g\n", hit->in_min, hit->in_max);
    print_samples(r, hit);
}

/* Nothing is not finite now. */
static int judge_finite(const struct fault_replay *r, struct err *err) {
    if (!r->exact)
        return err_set(err, ERR_DATA,
                       "the step is finite here; but some of its weights had been updated when "
                       "they were kept, and what they were is not known: set [dist] overlap = off "
                       "or clip_norm, and train again from the last checkpoint");
    if (fault_replay_lacks_ranks(r))
        return err_set(err, ERR_DATA,
                       "the step is finite here; but an operator takes statistics of all %d ranks, "
                       "of which this is one",
                       r->size);
    printf("verdict: a bit has flipped: from the same samples and weights the step is finite now. "
           "Suspect the memory and the processor of rank %d on %s.\n",
           r->rank, r->host);
    return 0;
}

static int judge(const struct fault_replay *r, const struct probe_hit *hit, struct pool *pool,
                 struct err *err) {
    const char *weight = culprit_weight(&r->replica, pool);

    if (hit->found)
        print_hit(r, hit, pool);
    if (hit->found && hit->seen.what == PROBE_FIELD)
        printf("verdict: the data: the samples above hold numbers that are not finite.\n");
    else if (weight)
        printf("verdict: a weight was not finite before this step: %s: the update before made it "
               "so, as where training diverges, or it was read so, or memory is damaged.\n",
               weight);
    else if (hit->found)
        printf("verdict: divergence: the step is not finite again, on another process: it is its "
               "numbers, and not the hardware of rank %d on %s.\n",
               r->rank, r->host);
    else
        return judge_finite(r, err);
    return 0;
}

static int replay(const struct replay_args *a, struct fault_replay *r, struct err *err) {
    const int n_nodes = r->replica.step[r->probe.which].graph->n_nodes;
    struct pool pool = {0};
    struct table table = {pool_take(&pool, (size_t)(n_nodes + 1) * sizeof *table.rows)};
    struct probe_hit hit;

    if (a->table || a->at) {
        r->probe.look = look;
        r->probe.context = &table;
        r->probe.backward = true;
    }
    printf("step %" PRId64 " of rank %d of %d on %s, %" PRId64 " samples, failed: %s\n",
           r->probe.step + 1, r->rank, r->size, r->host, r->batch.data.n, r->message);
    int rc = probe_run(&r->probe, &hit, err);
    if (!rc && (a->table || a->at))
        rc = print_table(r, &table, a->at, err);
    if (!rc)
        rc = judge(r, &hit, &pool, err);
    pool_release(&pool);
    return rc;
}

/* --- the command --- */

static bool takes_text(const char *option) {
    return !strcmp(option, "--at") || !strcmp(option, "--set");
}

/* Of a run's folder its fault.h5; what options are given stays, though a folder may be called so.
 * Returns a folder that has none, or NULL. */
static const char *name_files(int argc, char **argv, struct pool *pool) {
    const char *without = NULL;
    struct stat st;

    for (int i = 1; i < argc; i++) {
        if (takes_text(argv[i - 1]) || stat(argv[i], &st) || !S_ISDIR(st.st_mode))
            continue;
        char *file = pool_print(pool, "%s/fault.h5", argv[i]);
        without = access(file, F_OK) ? argv[i] : without;
        argv[i] = file;
    }
    return without;
}

/* On all ranks the same. */
static int explain(const char *folder, struct err *err) {
    return err_set(err, ERR_IO,
                   "%s: has no fault.h5, which a run leaves that ends where a loss, a gradient or "
                   "a weight is not finite",
                   folder);
}

static int check(const struct replay_args *a, struct err *err) {
    if (comm_size(a->job.comm) > 1)
        return err_set(err, ERR_USAGE,
                       "found %d ranks, expected one process: it computes what one "
                       "rank did",
                       comm_size(a->job.comm));
    if (!a->job.run)
        return err_set(
            err, ERR_USAGE,
            "found a job, expected the folder of a run that has failed, or its fault.h5");
    return 0;
}

static int run(int argc, char **argv, struct err *err) {
    static const struct option_spec own[] = {
        {"at", OPTION_TEXT, .offset = offsetof(struct replay_args, at)},
        {"table", OPTION_FLAG, .offset = offsetof(struct replay_args, table)},
        {0},
    };
    struct replay_args a = {0};
    struct fault_replay r = {0};
    struct pool pool = {0};

    const char *without = name_files(argc, argv, &pool);
    int rc = jobargs_init_with(&a.job, argc, argv, JOBARGS_WEIGHTS, own, err) || check(&a, err) ||
             fault_replay_init(&r, &a.job.job, a.job.run, a.job.threads, err) ||
             replay(&a, &r, err);
    if (rc && without && err->kind == ERR_IO)
        explain(without, err);
    fault_replay_release(&r);
    jobargs_release(&a.job, err);
    pool_release(&pool);
    return rc ? -1 : 0;
}

const struct command command_replay = {
    .name = "replay",
    .summary = "compute a step that failed again, operator by operator, and say why it did",
    .usage =
        "dltrain replay RUN [--at OPERATOR | --table]\n"
        "\n"
        "  RUN                      a run's folder, of which fault.h5 is taken, or that file: the\n"
        "                           samples and weights of the step are in it, and the job\n"
        "  --at OPERATOR            numbers of the operators whose names begin so: least, largest\n"
        "                           and mean of outputs, of gradients of inputs (dx), of weights "
        "(dw)\n"
        "  --table                  the same of all operators\n"
        "  --set run.threads=N      as for train\n"
        "\n"
        "Where a loss, a gradient or a weight is not finite, a run ends and leaves fault.txt and\n"
        "fault.h5. This computes what one rank did, in one process and without the data, and says\n"
        "which it is: the data (whose numbers are not finite), a weight that was not before,\n"
        "divergence (it is not finite again), or a bit that flipped (it is finite now: hardware).\n"
        "\n"
        "  dltrain replay runs/cifar10\n"
        "  dltrain replay runs/cifar10 --at layer1\n"
        "  dltrain replay fault.h5 --table | less\n",
    .run = run,
};
