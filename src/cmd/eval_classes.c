#include "cmd/eval_classes.h"
#include "report/columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_PAIRS = 10, NAME_COLUMNS = 24, NUMBER_TEXT = 32 };

/* The field of boxes that a node reads, a measure of a number for each of their classes; or -1. */
static int boxes_field(const struct node *node, const struct dataset *dataset,
                       const struct graph *g) {
    const struct shape *y = &node->plan.y;

    for (int k = 0; node->op->meaning.whole && y->rank > 1 && k < node->n_x; k++) {
        const char *name = g->nodes[node->x[k]].field;
        const int field = name ? dataset_find_field(dataset, name) : -1;

        if (field >= 0 && dataset_field(dataset, field)->boxes &&
            dataset_field_classes(dataset, field) <= y->dim[1])
            return field;
    }
    return -1;
}

int eval_classes_field(const struct graph *g, int node, const struct dataset *dataset) {
    int64_t limit;

    while (!g->nodes[node].op->count)
        for (int k = 0, next = -1; next < 0; k++)
            if (g->nodes[g->nodes[node].x[k]].from_means)
                node = next = g->nodes[node].x[k];
    if (!g->nodes[node].op->meaning.tally)
        return boxes_field(&g->nodes[node], dataset, g);
    const int input = graph_class_input(g, node, &limit);
    const char *field = input < 0 ? NULL : g->nodes[g->nodes[node].x[input]].field;
    return field ? dataset_find_field(dataset, field) : -1;
}

int eval_classes_init(struct eval_classes *c, const struct replica *r,
                      const struct dataset *dataset, struct err *err) {
    *c = (struct eval_classes){.dataset = dataset, .field = -1};
    if (r->per_class < 0)
        return 0;
    const struct tensor *y = &r->validate_plan->nodes[r->per_class].call.y;
    const double terms = run_tally(r->validate_plan, r->per_class);
    const struct node *node = &r->validate->nodes[r->per_class];

    c->field = eval_classes_field(r->validate, r->per_class, dataset);
    c->n = (int)y->shape.dim[1];
    c->dense = r->validate->nodes[node->x[0]].plan.y.rank > 2;
    c->count = malloc((size_t)c->n * (size_t)c->n * sizeof *c->count);
    if (!c->count)
        return err_set(err, ERR_IO, "no memory for %d x %d classes", c->n, c->n);
    for (int64_t i = 0; i < shape_len(&y->shape); i++)
        c->count[i] = terms > 0 ? rint((double)y->reals[i] * terms) : 0;
    return 0;
}

void eval_classes_release(struct eval_classes *c) {
    free(c->count);
    *c = (struct eval_classes){0};
}

/* A class by its name, else its number. */
static const char *name_of(const struct eval_classes *c, int class, char text[NUMBER_TEXT]) {
    if (c->field >= 0 && class < dataset_field_classes(c->dataset, c->field))
        return dataset_class_name(c->dataset, c->field, class);
    snprintf(text, NUMBER_TEXT, "%d", class);
    return text;
}

/* One class; a share of nothing is 0, as in scikit-learn. */
struct class_row {
    double n, precision, recall, error, f1; /* error of the recall; nan: labels are not independent,
                                             * or there are none */
};

static double share(double a, double b) {
    return b > 0 ? a / b : 0;
}

static struct class_row row_of(const struct eval_classes *c, int class) {
    const double hits = c->count[(int64_t) class * c->n + class];
    struct class_row row = {0};
    double guesses = 0;

    for (int k = 0; k < c->n; k++) {
        row.n += c->count[(int64_t) class * c->n + k];
        guesses += c->count[(int64_t)k * c->n + class];
    }
    row.precision = share(hits, guesses);
    row.recall = share(hits, row.n);
    row.f1 = share(2 * hits, row.n + guesses);
    row.error = c->dense || row.n < 1 ? (double)NAN : sqrt(row.recall * (1 - row.recall) / row.n);
    return row;
}

/* A class that was taken for another. */
struct class_pair {
    int label, guess;
    double n;
};

/* The pairs that are most often confused; returns how many. */
static int find_pairs(const struct eval_classes *c, struct class_pair pair[MOST_PAIRS]) {
    int n = 0;

    for (int label = 0; label < c->n; label++)
        for (int guess = 0; guess < c->n; guess++) {
            const struct class_pair p = {label, guess, c->count[(int64_t)label * c->n + guess]};
            int at = n < MOST_PAIRS ? n : MOST_PAIRS;

            if (label == guess || !(p.n > 0))
                continue;
            for (; at > 0 && pair[at - 1].n < p.n; at--)
                if (at < MOST_PAIRS)
                    pair[at] = pair[at - 1];
            if (at < MOST_PAIRS)
                pair[at] = p;
            n += n < MOST_PAIRS;
        }
    return n;
}

static int name_width(const struct eval_classes *c) {
    char text[NUMBER_TEXT];
    int width = columns_of("class");

    for (int k = 0; k < c->n; k++) {
        const int columns = columns_of(name_of(c, k, text));
        width = columns > width ? columns : width;
    }
    return width < NAME_COLUMNS ? width : NAME_COLUMNS;
}

static void print_error(double error, FILE *out) {
    if (isnan(error))
        fprintf(out, "  %7s", "");
    else
        fprintf(out, "  ±%.4f", error);
}

static void print_row(const struct eval_classes *c, int class, int width, FILE *out) {
    const struct class_row row = row_of(c, class);
    char text[NUMBER_TEXT];

    fputs("  ", out);
    columns_print(out, name_of(c, class, text), width, 1);
    fprintf(out, "  %9.0f  %9.4f  %9.4f", row.n, row.precision, row.recall);
    if (!c->dense)
        print_error(row.error, out);
    fprintf(out, "  %9.4f\n", row.f1);
}

static void print_pairs(const struct eval_classes *c, FILE *out) {
    struct class_pair pair[MOST_PAIRS];
    const int n = find_pairs(c, pair);
    char label[NUMBER_TEXT], guess[NUMBER_TEXT];

    if (n)
        fprintf(out, "most often confused\n");
    for (int i = 0; i < n; i++)
        fprintf(out, "  %9.0f  %s taken for %s, %.1f %% of its labels\n", pair[i].n,
                name_of(c, pair[i].label, label), name_of(c, pair[i].guess, guess),
                100 * pair[i].n / row_of(c, pair[i].label).n);
}

void eval_classes_print(const struct eval_classes *c, FILE *out) {
    const int width = name_width(c);

    fprintf(out, "per class (recall is the class's accuracy%s)\n",
            c->dense ? "" : ", beside it its standard error");
    fprintf(out, "  %-*s  %9s  %9s  %9s%s  %9s\n", width, "class", "labels", "precision", "recall",
            c->dense ? "" : "         ", "F1");
    for (int k = 0; k < c->n; k++)
        print_row(c, k, width, out);
    print_pairs(c, out);
}

static json_t *class_json(const struct eval_classes *c, int class) {
    const struct class_row row = row_of(c, class);
    char text[NUMBER_TEXT];
    json_t *out = json_object();

    json_object_set_new(out, "class", json_integer(class));
    json_object_set_new(out, "name", json_string(name_of(c, class, text)));
    json_object_set_new(out, "n", json_integer((json_int_t)row.n));
    json_object_set_new(out, "precision", json_real(row.precision));
    json_object_set_new(out, "recall", json_real(row.recall));
    if (!isnan(row.error))
        json_object_set_new(out, "recall_error", json_real(row.error));
    json_object_set_new(out, "f1", json_real(row.f1));
    return out;
}

static json_t *pair_json(const struct eval_classes *c, const struct class_pair *p) {
    char text[NUMBER_TEXT];
    json_t *out = json_object();

    json_object_set_new(out, "label", json_integer(p->label));
    json_object_set_new(out, "label_name", json_string(name_of(c, p->label, text)));
    json_object_set_new(out, "guess", json_integer(p->guess));
    json_object_set_new(out, "guess_name", json_string(name_of(c, p->guess, text)));
    json_object_set_new(out, "n", json_integer((json_int_t)p->n));
    json_object_set_new(out, "share", json_real(p->n / row_of(c, p->label).n));
    return out;
}

void eval_classes_json(const struct eval_classes *c, json_t *to) {
    struct class_pair pair[MOST_PAIRS];
    const int n = find_pairs(c, pair);
    json_t *classes = json_array(), *confused = json_array(), *confusion = json_array();

    for (int k = 0; k < c->n; k++) {
        json_t *row = json_array();

        json_array_append_new(classes, class_json(c, k));
        for (int j = 0; j < c->n; j++)
            json_array_append_new(row, json_integer((json_int_t)c->count[(int64_t)k * c->n + j]));
        json_array_append_new(confusion, row);
    }
    for (int i = 0; i < n; i++)
        json_array_append_new(confused, pair_json(c, &pair[i]));
    json_object_set_new(to, "classes", classes);
    json_object_set_new(to, "confused", confused);
    json_object_set_new(to, "confusion", confusion);
}
