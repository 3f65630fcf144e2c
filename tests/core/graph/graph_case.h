/* graph_case.h - a job's text made into graphs, planned and computed, for tests. */
#pragma once
#include "core/graph/fuse.h"
#include "core/graph/run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* The job: its text, nets, and the fields image [h, w, c] and label of its dataset. */
struct job_case {
    struct source source;
    struct model model;
    struct field fields[2];
    int64_t batch;
    bool fuse, evaluate; /* evaluate: as in validation; outputs are any tensors */
    bool in_parts;
    bool compact; /* what the step freezes has no gradients */
};

/* One [step] of it. */
struct step_case {
    struct graph *graph;
    struct plan *plan;
    struct net **train;
    int n_train;
    int n_fused;       /* chains */
    struct team *team; /* borrowed, before step_place; NULL: one thread */
    unsigned char *memory;
    double sums[64], totals[16]; /* of the last run: what its leaves gave, and its divisors */
};

/* Read a job's text, which stands in a file only while it is read. */
static inline int job_parse(struct job_case *job, const char *text, struct err *err) {
    char dir[] = "/tmp/dltrain_XXXXXX", path[64];

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/job.ini", dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    *job = (struct job_case){.batch = 4};
    job->fields[0] = (struct field){.name = "image", .sample = {3, {8, 8, 3}}};
    job->fields[1] = (struct field){.name = "label", .kind = TENSOR_INDICES};
    const int rc = source_read(&job->source, path, NULL, 0, NULL, err);
    unlink(path);
    rmdir(dir);
    return rc;
}

static inline void job_init(struct job_case *job, const char *text) {
    struct err err = {0};

    if (job_parse(job, text, &err))
        fail_msg("%s", err.msg);
}

static inline void job_release(struct job_case *job) {
    model_release(&job->model);
    source_release(&job->source);
}

static inline struct graph_config job_config(struct job_case *job, const char *name) {
    static const char *const plain[] = {"train", "freeze", NULL};
    const struct section *main_section = source_find(&job->source, "job", "");

    return (struct graph_config){
        .model = &job->model,
        .source = &job->source,
        .section = source_find(&job->source, "step", name),
        .plain = plain,
        .model_entry = main_section ? section_find(main_section, "model") : NULL,
        .fields = job->fields,
        .n_fields = 2,
        .batch = job->batch,
    };
}

/* Build and plan [step name]: all its numbers are outputs, `loss` is where backward begins. */
static inline int step_try(struct step_case *step, struct job_case *job, const char *name,
                           struct err *err) {
    const struct graph_config config = job_config(job, name);
    int outputs[16], n_outputs = 0;

    *step = (struct step_case){0};
    assert_non_null(config.section);
    if (graph_new(&step->graph, &config, err))
        return -1;
    const struct entry *train = section_find(config.section, "train");
    const struct entry *freeze = section_find(config.section, "freeze");
    struct selection *frozen;
    int n_frozen;
    if (train && graph_nets(&config, train, &step->train, &step->n_train, err))
        return -1;
    if (freeze && graph_select(&config, freeze, false, &frozen, &n_frozen, err))
        return -1;
    if (freeze)
        graph_freeze(step->graph, frozen, n_frozen);
    for (int t = 0; t < step->n_train && freeze && job->compact; t++) {
        struct params *params = &step->train[t]->weights;
        for (int i = 0; i < params->n; i++)
            params->items[i].frozen =
                selection_of(frozen, n_frozen, step->train[t], params->items[i].name) != NULL;
        params_arrange(params);
    }
    for (int i = 0; i < step->graph->n_named && n_outputs < 16; i++) {
        const struct named_node *named = &step->graph->named[i];
        if (!strncmp(named->name, "loss", 4) || !strncmp(named->name, "out", 3))
            outputs[n_outputs++] = named->node;
    }
    const struct plan_config plan = {
        .graph = step->graph,
        .outputs = outputs,
        .n_outputs = n_outputs,
        .loss = job->evaluate ? -1 : graph_find(step->graph, "loss"),
        .train = step->train,
        .n_train = step->n_train,
        .tensors = job->evaluate,
        .in_parts = job->in_parts,
        .training = !job->evaluate,
    };
    if (job->fuse)
        step->n_fused = graph_fuse(step->graph, outputs, n_outputs, plan.training);
    return plan_new(&step->plan, &plan, err);
}

static inline void step_init(struct step_case *step, struct job_case *job, const char *name) {
    struct err err = {0};

    if (step_try(step, job, name, &err))
        fail_msg("%s", err.msg);
}

/* Weights of all nets, with gradients for those that the steps train. */
static inline void job_allocate(struct job_case *job, struct step_case *steps, int n_steps) {
    struct err err = {0};

    for (int i = 0; i < n_steps; i++)
        for (int t = 0; t < steps[i].n_train; t++)
            steps[i].train[t]->trained = true;
    assert_int_equal(model_allocate(&job->model, 7, &err), 0);
}

/* Memory of the step's own, filled with NaN: nothing may be read before it is written. */
static inline void step_place(struct step_case *step) {
    const size_t bytes = arena_round(plan_bytes(step->plan)) + ARENA_ALIGN;

    step->memory = aligned_alloc(ARENA_ALIGN, bytes);
    assert_non_null(step->memory);
    memset(step->memory, 0xff, bytes);
    plan_place(step->plan, step->memory, step->team, NULL);
}

static inline void step_release(struct step_case *step) {
    free(step->memory);
}

/* A job with one step, ready to run. */
static inline void one_step(struct job_case *job, struct step_case *step, const char *text) {
    job_init(job, text);
    step_init(step, job, "");
    job_allocate(job, step, 1);
    step_place(step);
}

static inline void release_one(struct job_case *job, struct step_case *step) {
    step_release(step);
    job_release(job);
}

/* Numbers in (-1, 1) that look random and are the same everywhere (xorshift). */
static inline void fill_numbers(act *v, int64_t len, uint64_t seed) {
    uint64_t s = seed * 0x9e3779b97f4a7c15u + 1;

    for (int64_t i = 0; i < len; i++) {
        s ^= s << 13, s ^= s >> 7, s ^= s << 17;
        v[i] = (act)((double)(s >> 11) * 0x1p-52 - 1);
    }
}

/* Forward on n samples, into sums and totals. */
static inline void step_forward(struct step_case *step, int64_t n, const struct run_context *c) {
    run_resize(step->plan, n);
    assert_true(step->plan->n_leaves <= 16 && plan_n_values(step->plan) <= 64);
    run_forward(step->plan, c);
    run_leaves(step->plan, step->sums, step->totals);
}

/* Forward and, where there is a loss, backward on n samples. Sample 0 has position `first` of the
 * global batch; totals NULL: this rank's own. What is computed from means takes this rank's sums
 * for those of all. */
static inline void step_run(struct step_case *step, const act *image, const int32_t *label,
                            int64_t n, int64_t first, const double *totals) {
    struct plan *p = step->plan;
    struct run_context context = {.seed = 3, .step = 5, .first = first, .totals = step->totals};

    run_input(p, "image", image);
    run_indices(p, "label", label);
    step_forward(step, n, &context);
    if (totals)
        context.totals = totals;
    run_tail(p, step->sums, context.totals, 0);
    if (p->loss >= 0)
        run_backward(p, &context);
}

/* The message is expected; it names the job's file as "job.ini". */
static inline void check_error(const struct err *err, const char *expected) {
    const char *at = strstr(err->msg, "job.ini");

    assert_string_equal(at ? at : err->msg, expected);
    assert_int_equal(err->kind, ERR_CONFIG);
}

/* A job whose [step] is refused when it is built or planned. */
static inline void check_step_refused(const char *text, const char *expected) {
    struct job_case job;
    struct step_case step;
    struct err err = {0};

    job_init(&job, text);
    if (!step_try(&step, &job, "", &err))
        fail_msg("accepted, expected: %s", expected);
    check_error(&err, expected);
    job_release(&job);
}

/* Elements, and the names with a blank between them into text[size]. */
static inline void net_names(const struct params *params, char *text, size_t size) {
    text[0] = 0;
    for (int i = 0; i < params->n; i++) {
        assert_true(strlen(text) + strlen(params->items[i].name) + 2 < size);
        strcat(text, i ? " " : "");
        strcat(text, params->items[i].name);
    }
}

/* The gradient of a parameter of that name. */
static inline const struct param *find_param(const struct net *net, const char *name) {
    for (int i = 0; i < net->weights.n; i++)
        if (!strcmp(net->weights.items[i].name, name))
            return &net->weights.items[i];
    fail_msg("net %s has no parameter %s", net->name, name);
    return NULL;
}
