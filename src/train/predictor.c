#include "train/predictor.h"
#include "core/graph/fuse.h"
#include "train/feed.h"
#include "train/predictor_parts.h"
#include "train/replica_parts.h"

#include <stdlib.h>
#include <string.h>

static const struct field *field_called(const struct replica *r, const char *name) {
    for (int i = 0; i < r->n_fields; i++)
        if (!strcmp(r->fields[i].name, name))
            return &r->fields[i];
    return NULL;
}

/* What the output is computed from: at most one field of numbers and one of classes. */
static int find_inputs(struct predictor *p, struct err *err) {
    for (int i = 0; i < p->graph->n_nodes; i++) {
        const char *name = p->plan->nodes[i].live ? p->graph->nodes[i].field : NULL;
        const struct field *f = name ? field_called(&p->replica, name) : NULL;
        const struct field **place = f && f->kind == TENSOR_INDICES ? &p->label : &p->input;

        if (!f || *place == f)
            continue;
        if (*place)
            return err_set(err, ERR_CONFIG,
                           "%s reads the fields %s and %s, expected one; --output EXPRESSION says "
                           "what to predict",
                           p->what, (*place)->name, name);
        *place = f;
    }
    return 0;
}

static bool has_pixels(const struct predictor *p) {
    return p->kind == PREDICT_MASK || p->kind == PREDICT_IMAGE ||
           (p->kind == PREDICT_VALUES && p->sample.rank > 1);
}

/* Numbers of classes have no means, and what is no square has no quarter turns. */
static int check_turns(const struct predictor *p, struct err *err) {
    const struct shape *in = p->input ? &p->input->sample : NULL;
    const int rank = in ? in->rank : 0;
    char text[SHAPE_TEXT];

    if (p->turns == PREDICT_PLAIN)
        return 0;
    if (rank < 3)
        return err_set(err, ERR_USAGE,
                       "--tta turns pictures, which the networks do not read; leave it out");
    if (p->kind == PREDICT_INDICES)
        return err_set(err, ERR_USAGE,
                       "--tta takes means of predictions, and %s is numbers of classes; expected "
                       "probabilities, as in --output 'softmax(...)'",
                       p->what);
    if (p->turns == PREDICT_ROT90 && in->dim[rank - 2] != in->dim[rank - 3])
        return err_set(err, ERR_USAGE,
                       "--tta rot90 turns squares, found pictures %s; expected flip or flips",
                       shape_text(in, text));
    return 0;
}

static int plan_output(struct predictor *p, struct err *err) {
    const struct plan_config pc = {
        .graph = p->graph, .outputs = &p->node, .n_outputs = 1, .loss = -1, .tensors = true};
    struct shape s = p->graph->nodes[p->node].plan.y;

    graph_fuse(p->graph, &p->node, 1, false);
    if (plan_new(&p->plan, &pc, err))
        return -1;
    p->sample = (struct shape){.rank = s.rank - 1};
    memcpy(p->sample.dim, s.dim + 1, (size_t)p->sample.rank * sizeof *s.dim);
    return find_inputs(p, err) || check_turns(p, err) ? -1 : 0;
}

static int allocate(struct predictor *p, const struct replica_config *c, struct err *err) {
    size_t turned = 0, sum = 0;

    if (p->turns != PREDICT_PLAIN) {
        turned = (size_t)(p->batch * shape_len(&p->input->sample)) * sizeof(float);
        sum = (size_t)(p->batch * predictor_len(p)) * sizeof(float);
    }
    const size_t bytes = arena_round(plan_bytes(p->plan)) + arena_round(turned) + arena_round(sum);
    if (replica_allocate(&p->replica, c, err) || arena_init(&p->arena, bytes + ARENA_ALIGN, err))
        return -1;
    plan_place(p->plan, arena_take(&p->arena, plan_bytes(p->plan)), p->replica.team, NULL);
    p->turned = arena_take(&p->arena, turned);
    p->sum = arena_take(&p->arena, sum);
    return 0;
}

int predictor_init(struct predictor *p, const struct predictor_config *config, struct err *err) {
    const struct replica_config c = {.job = config->job,
                                     .fields = config->fields,
                                     .n_fields = config->n_fields,
                                     .batch = 1,
                                     .validate_batch = 1,
                                     .threads = config->threads,
                                     .data_name = config->data_name};

    *p = (struct predictor){.batch = config->batch, .turns = config->turns};
    if (replica_init(&p->replica, &c, err))
        return -1;
    const int n_nets = p->replica.model.n_nets;
    if (predictor_find(p, &c, config->output, err) || plan_output(p, err))
        return -1;
    if (p->replica.model.n_nets > n_nets)
        return err_set(err, ERR_CONFIG, "%s: net %s is none that the job trains or uses", p->what,
                       p->replica.model.nets[n_nets]->name);
    return allocate(p, &c, err);
}

void predictor_copy_weights(struct predictor *p, const struct predictor *from) {
    for (int i = 0; i < p->replica.model.n_nets; i++) {
        struct net *to = p->replica.model.nets[i];
        const struct net *net = from->replica.model.nets[i];

        memcpy(to->w, net->w, (size_t)net->weights.len * sizeof *net->w);
        memcpy(to->state, net->state, (size_t)net->states.len * sizeof *net->state);
    }
}

int64_t predictor_len(const struct predictor *p) {
    return p->sample.rank ? shape_len(&p->sample) : 1;
}

static void compute(struct predictor *p, const float *input, const int32_t *labels, int64_t n,
                    const struct predictor_draw *draw) {
    const struct run_context context = {.seed = draw->seed, .first = draw->first};

    if (p->input)
        run_input(p->plan, p->input->name, input);
    if (p->label)
        run_indices(p->plan, p->label->name, labels);
    run_resize(p->plan, n);
    run_forward(p->plan, &context);
}

static const struct tensor *computed(const struct predictor *p) {
    return &p->plan->nodes[p->node].call.y;
}

static void copy(const struct tensor *y, int64_t len, float *out) {
    if (y->kind == TENSOR_INDICES)
        for (int64_t i = 0; i < len; i++)
            out[i] = (float)y->indices[i];
    else
        memcpy(out, y->data, (size_t)len * sizeof *out);
}

/* The mean over turned copies. What has no pixels is the same from whichever side. */
static void run_turned(struct predictor *p, const float *input, const int32_t *labels, int64_t n,
                       const struct predictor_draw *draw, float *out) {
    const struct shape *in = &p->input->sample;
    const int n_turns = predictor_n_turns(p->turns, in, false);
    const int64_t len = n * predictor_len(p);

    memset(p->sum, 0, (size_t)len * sizeof *p->sum);
    for (int t = 0; t < n_turns; t++) {
        predictor_turn(p->turns, t, in, false, n, input, p->turned);
        compute(p, p->turned, labels, n, draw);
        const float *y = computed(p)->data;
        if (has_pixels(p))
            predictor_turn_back(p->turns, t, &p->sample, false, n, y, p->sum);
        else
            for (int64_t i = 0; i < len; i++)
                p->sum[i] += y[i];
    }
    for (int64_t i = 0; i < len; i++)
        out[i] = p->sum[i] / (float)n_turns;
}

void predictor_run(struct predictor *p, const float *input, const int32_t *labels, int64_t n,
                   const struct predictor_draw *draw, float *out) {
    if (n <= 0)
        return;
    if (p->turns != PREDICT_PLAIN) {
        run_turned(p, input, labels, n, draw, out);
        return;
    }
    compute(p, input, labels, n, draw);
    copy(computed(p), n * predictor_len(p), out);
}

void predictor_release(struct predictor *p) {
    arena_release(&p->arena);
    replica_release(&p->replica);
    *p = (struct predictor){0};
}
