/* predictor_find.c - what of a job is its prediction: the scores that its losses and metrics
 * compare with labels, the values that they compare with others, or the images that it draws. */
#include "core/ops/parts/convert.h"
#include "train/predictor_parts.h"
#include "train/replica_parts.h"

#include <string.h>

/* A section whose statements may hold the output. */
struct sought {
    const struct section *section;
    const char *const *plain;
    const struct job_picture *picture; /* NULL: it is none */
};

static int build(struct predictor *p, const struct replica_config *c, const struct sought *at,
                 struct err *err) {
    const struct graph_config gc =
        replica_graph_config(&p->replica, c, at->section, at->plain, p->batch);

    return graph_new(&p->graph, &gc, err);
}

/* The field of the data that a node is, as it is or as numbers, or NULL. */
static const struct field *field_of(const struct predictor *p, int i) {
    const struct node *n = &p->graph->nodes[i];

    if (n->op == &op_acts_of_indices)
        n = &p->graph->nodes[n->x[0]];
    for (int k = 0; n->field && k < p->replica.n_fields; k++)
        if (!strcmp(p->replica.fields[k].name, n->field))
            return &p->replica.fields[k];
    return NULL;
}

/* "logits in [validate]", or without a name of its own. */
static const char *text_of(struct predictor *p, int node, const char *before) {
    struct pool *pool = &p->replica.model.pool;
    const char *name = NULL;

    for (int i = 0; i < p->graph->n_named; i++)
        if (p->graph->named[i].node == node)
            name = p->graph->named[i].name;
    return pool_print(pool, "%s%s in [%s]", before, name ? name : "what is measured",
                      p->graph->name);
}

static int apply(struct predictor *p, const char *word, int x, struct err *err) {
    const struct pos pos = p->graph->nodes[x].pos;

    return p->node = graph_apply(p->graph, op_find(word), NULL, &x, 1, pos, err);
}

/* Probabilities of the scores x: of two classes where there is one channel, or targets that are
 * shares. */
static int take_scores(struct predictor *p, int x, const struct field *labels, bool shares,
                       struct err *err) {
    const struct shape *s = &p->graph->nodes[x].plan.y;
    const bool one = shares || shape_channels(s) == 1;

    p->classes = labels;
    p->binary = shape_channels(s) == 1;
    p->kind = s->rank > 2 ? PREDICT_MASK : PREDICT_CLASSES;
    p->what = text_of(p, x, one ? "sigmoid of " : "softmax of ");
    return apply(p, one ? "sigmoid" : "softmax", x, err) < 0 ? -1 : 1;
}

static bool is_picture(const struct shape *s) {
    return s->rank == 4 && (s->dim[3] == 1 || s->dim[3] == 3);
}

static int take_values(struct predictor *p, int x, const struct field *like, struct err *err) {
    const struct shape *s = &p->graph->nodes[x].plan.y;
    const bool picture = is_picture(s) && like->kind == TENSOR_ACTS;

    (void)err;
    p->kind = picture ? PREDICT_IMAGE : PREDICT_VALUES;
    p->what = text_of(p, x, "");
    p->node = x;
    return 1;
}

/* Does the mean compare what networks give with a field of the data? 1: the output is found. */
static int try_mean(struct predictor *p, int i, struct err *err) {
    const struct node *n = &p->graph->nodes[i];
    int64_t limit;

    if (!n->op || !n->op->count || n->n_x != 2)
        return 0;
    const struct field *a = field_of(p, n->x[0]), *b = field_of(p, n->x[1]);
    if (graph_class_input(p->graph, i, &limit) == 1)
        return b && !a ? take_scores(p, n->x[0], b, false, err) : 0;
    if (n->op->meaning.share_x & 2 && b && !a) {
        const bool labels = b->kind == TENSOR_INDICES;
        if (labels || !is_picture(&p->graph->nodes[n->x[0]].plan.y))
            return labels ? take_scores(p, n->x[0], b, true, err) : take_values(p, n->x[0], b, err);
        p->kind = PREDICT_IMAGE;
        p->what = text_of(p, n->x[0], "sigmoid of ");
        return apply(p, "sigmoid", n->x[0], err) < 0 ? -1 : 1;
    }
    if (!a == !b)
        return 0;
    return a ? take_values(p, n->x[1], a, err) : take_values(p, n->x[0], b, err);
}

/* Losses say more than metrics, which may be of one class among several. */
static int try_means(struct predictor *p, struct err *err) {
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0, n = p->graph->n_nodes; i < n; i++) {
            const struct op *op = p->graph->nodes[i].op;
            const int found = op && (op->backward ? 0 : 1) == pass ? try_mean(p, i, err) : 0;
            if (found)
                return found;
        }
    return 0;
}

/* What is drawn beside fields: numbers of a picture, or classes of its pixels. */
static int try_picture(struct predictor *p, const struct sought *at) {
    for (int i = 0; i < p->graph->n_named; i++) {
        const int node = p->graph->named[i].node;
        const struct shape *s = &p->graph->nodes[node].plan.y;

        if (strcmp(p->graph->named[i].name, "show") != 0 || field_of(p, node) ||
            (!is_picture(s) && p->graph->nodes[node].plan.y_kind != TENSOR_INDICES))
            continue;
        p->node = node;
        p->picture = at->picture;
        p->kind = is_picture(s) ? PREDICT_IMAGE : PREDICT_INDICES;
        p->what = pool_print(&p->replica.model.pool, "what [%s] shows", p->graph->name);
        return 1;
    }
    return 0;
}

static int try_place(struct predictor *p, const struct replica_config *c, const struct sought *at,
                     struct err *err) {
    if (build(p, c, at, err))
        return -1;
    return at->picture ? try_picture(p, at) : try_means(p, err);
}

static int find_in_job(struct predictor *p, const struct replica_config *c, struct err *err) {
    const struct job *job = c->job;
    int found = 0;

    if (job->validate)
        found = try_place(p, c, &(struct sought){job->validate, job->validate_keys, NULL}, err);
    for (int i = 0; i < job->n_pictures && !found; i++)
        found = try_place(
            p, c, &(struct sought){job->picture[i].section, job->picture_keys, &job->picture[i]},
            err);
    for (int i = 0; i < job->n_steps && !found; i++)
        found = try_place(p, c, &(struct sought){job->step[i].section, job->step_keys, NULL}, err);
    if (found)
        return found < 0 ? -1 : 0;
    return err_set(
        err, ERR_CONFIG,
        "%s: neither [validate] nor a [step] compares the output of a network with a "
        "field of the data, and no [picture] shows one; expected --output EXPRESSION, as "
        "in --output 'softmax(model(image))'",
        job->path);
}

/* The field of labels that has so many classes, or NULL. */
static const struct field *labels_of(const struct predictor *p, int64_t n) {
    for (int i = 0; i < p->replica.n_fields; i++)
        if (p->replica.fields[i].kind == TENSOR_INDICES && p->replica.fields[i].n_classes == n)
            return &p->replica.fields[i];
    return NULL;
}

/* What the user's expression is, by its shape and by what gave it. */
static int take_expression(struct predictor *p, const struct named_node *named, struct err *err) {
    const struct node *n = &p->graph->nodes[named->node];
    const struct shape *s = &n->plan.y;
    const bool shares = n->op && n->op == op_find("softmax");

    if (n->from_means || !s->rank || s->dim[0] != p->batch)
        return pos_error(err, named->pos,
                         "is a mean over samples, expected something of each: `softmax(...)`, not "
                         "`accuracy(...)`");
    if (!n->op && !n->field)
        return pos_error(err, named->pos, "is a number, expected a tensor of each sample");
    p->node = named->node;
    if (n->plan.y_kind == TENSOR_INDICES) {
        p->kind = PREDICT_INDICES;
        p->classes = labels_of(p, n->plan.n_classes);
    } else if (shares) {
        p->kind = s->rank > 2 ? PREDICT_MASK : PREDICT_CLASSES;
        p->classes = labels_of(p, shape_channels(s));
    } else {
        p->kind = is_picture(s) ? PREDICT_IMAGE : PREDICT_VALUES;
    }
    return 0;
}

static int find_expression(struct predictor *p, const struct replica_config *c, const char *output,
                           struct err *err) {
    static const char option[] = "--output";
    struct job *job = c->job;
    const struct section *base = job->validate  ? job->validate
                                 : job->n_steps ? job->step[0].section
                                                : NULL;
    const struct sought at = {source_extend(&job->source, base, option, output),
                              job->validate ? job->validate_keys : job->step_keys, NULL};

    p->what = output;
    if (build(p, c, &at, err))
        return -1;
    for (int i = 0; i < p->graph->n_named; i++)
        if (!strcmp(p->graph->named[i].name, option))
            return take_expression(p, &p->graph->named[i], err);
    return err_set(err, ERR_CONFIG, "%s: '%s' is no tensor, expected one, as softmax(model(image))",
                   option, output);
}

int predictor_find(struct predictor *p, const struct replica_config *c, const char *output,
                   struct err *err) {
    return output ? find_expression(p, c, output, err) : find_in_job(p, c, err);
}
