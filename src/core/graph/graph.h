/* graph.h - what one step or validation computes: nodes in the order in which they were written,
 * each an input field of the dataset, a number, or an operator on earlier nodes.
 * Built by build.c from text, given memory by plan.h, computed by run.h. */
#pragma once
#include "core/graph/model.h"
#include "core/lang/eval.h"

/* Where a parameterised part of a net stands: an operator or the use of a block. Its path
 * ("layer1.0.conv1") follows from the text around it once its statement has been read. */
struct part {
    struct part *parent; /* the use of a block that it stands in; NULL at the top of a net */
    const char *name;    /* its own name */
    const char *pattern; /* "layer#", where that gave it its name; or NULL */
    const char *word;    /* operator or block */
    bool is_block, has_params;
};

/* In all graphs of a job; each takes about 2 KiB. */
enum { GRAPH_MAX_NODES = 100000 };

struct node {
    const struct op *op; /* NULL: an input field, or a number */
    const void *args;
    const char *field; /* of the dataset, for inputs */
    double number;     /* for numbers */
    int x[OP_ANY_INPUTS], n_x;
    struct op_plan plan;
    struct pos pos;
    struct net *net; /* whose parameters; NULL where it has none */
    struct part *part;
    const struct net *home;    /* the net that it stands in; NULL in a step */
    const struct part *inside; /* and the use of a block there, or NULL */
    bool from_means;           /* a mean over samples, or computed from such means */
    bool frozen;               /* its weights stay, and it computes as in validation */
    int use;                   /* number of the use of the net; 0 in a step */
    int w[OP_MAX_WEIGHTS], state[OP_MAX_STATES]; /* indices into the net's parameters */
};

/* A statement of a step or validation whose value is a tensor, or one tensor of a list. */
struct named_node {
    const char *name;
    int node;
    struct pos pos;
};

/* An input that the dataset offers. */
struct field {
    const char *name;
    struct shape sample;   /* of one sample, without the batch dimension; rank 0 for one number */
    enum tensor_kind kind; /* acts or indices */
    int n_classes;         /* of class indices; -1: how many is not known; 0: other numbers */
    const int64_t *class_counts; /* [n_classes] how often each occurs; NULL: not known */
};

/* One use of a net. */
struct graph_use {
    const struct net *net;
    const struct value *values; /* [net->section->n_params]; inputs are tensors: nodes */
    int output;                 /* node */
};

struct graph {
    struct model *model;
    const char *name;                /* "step", "step generator", "validate" */
    int64_t batch;                   /* most samples of one rank at a time */
    const struct compute_mode *mode; /* borrowed; NULL: the usual one */
    struct node *nodes;
    int n_nodes;
    struct named_node *named; /* statements in their order */
    int n_named;
    struct graph_use *uses; /* of nets, those within others first */
    int n_uses;
};

/* What a graph is built from; all borrowed for the life of the model. */
struct graph_config {
    struct model *model; /* finds and adds nets and parameters */
    struct source *source;
    const struct section *section;   /* [step] or [validate] */
    const char *const *plain;        /* its keys that are no statements; ends with NULL */
    const struct entry *model_entry; /* what `model` stands for, or NULL */
    const struct field *fields;      /* [n_fields] */
    int n_fields;
    int64_t batch;
    const struct compute_mode *mode; /* NULL: the usual one */
};

/* Build the graph of a section's statements. It belongs to the model's pool.
 * Errors: ERR_CONFIG with file, line and column. */
int graph_new(struct graph **out, const struct graph_config *config, struct err *err);

/* The nets that a list of names (`train = generator, model`) means: *out is [*n], in the model's
 * pool. Errors: ERR_CONFIG for what is no net or is not used by any graph built so far. */
int graph_nets(const struct graph_config *config, const struct entry *entry, struct net ***out,
               int *n, struct err *err);

/* Some or all parameters of a net, by the beginning of their names. */
struct selection {
    struct net *net;
    const char *path; /* "layer1": layer1.0.conv1.weight and so on; "" means all */
    double number;    /* that is written behind it; 1 where none is allowed */
};

/* What `freeze = backbone, model.layer1` or, with numbers, `lr_scale = model.fc 10` names:
 * *out is [*n], in the model's pool. Errors: ERR_CONFIG for what is no net, and for paths that no
 * parameter has. */
int graph_select(const struct graph_config *config, const struct entry *entry, bool numbers,
                 struct selection **out, int *n, struct err *err);

/* The last of them that means this parameter, or NULL. */
const struct selection *selection_of(const struct selection *list, int n, const struct net *net,
                                     const char *param);

/* Operators of these parameters and within these parts are frozen in this graph. */
void graph_freeze(struct graph *g, const struct selection *list, int n);

/* The node of that statement, or -1. */
int graph_find(const struct graph *g, const char *name);

/* Append nodes; each returns the node's index, or -1 with err. Where an operator takes class
 * indices and finds numbers, or the other way round, graph_apply puts a conversion between; where
 * it takes shares of classes as well (op_meaning.of_shares), that operator stands in the graph.
 *   shape  of a batch */
int graph_input(struct graph *g, const struct field *field, const struct shape *shape,
                struct pos pos);
int graph_number(struct graph *g, double number, struct pos pos);
int graph_apply(struct graph *g, const struct op *op, const void *args, const int *x, int n_x,
                struct pos pos, struct err *err);

/* Which of the node's inputs holds class indices (-1: none), and below what they must be. */
int graph_class_input(const struct graph *g, int node, int64_t *limit);

/* The nodes that read node i's value, as a number of uses. */
int graph_n_uses(const struct graph *g, int node);

/* Plan a node for that batch size from the shapes of its inputs, over its former plan.
 * Errors: the operator's. */
int node_plan(const struct graph *g, struct node *node, int64_t batch, bool bias_auto,
              struct err *err);

/* "layer1.0.conv1.weight": where a part stands in its net, then a parameter's own name; with name
 * "" the part's path alone. In pool. */
const char *part_path(struct pool *pool, const struct part *part, const char *name);

/* The i-th of the words of nets and steps beside operators, for `dltrain help`; NULL past the last.
 */
const struct word *graph_word_at(int i);
