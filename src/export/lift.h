/* lift.h - from a graph of ONNX to statements of the job language, node by node: the other way
 * round of lower.h. Values are [batch, channels, spatial...] there and [n, spatial..., channels] in
 * the text, which says neither.
 *
 * What reads a value that nobody else reads continues its pipe; all else is a statement. */
#pragma once
#include "core/base/names.h"
#include "export/import.h"
#include "export/onnx_read.h"

/* What a name of the graph stands for: a tensor that is computed, or constants. */
struct lift_value {
    const char *name;
    const char *text;   /* of a tensor: its name in the net, or the pipe so far */
    bool named;         /* text is a name */
    bool input;         /* of the graph */
    struct shape shape; /* as ONNX has it, with a batch of 1 */
    int uses;           /* nodes that read it, and the graph's outputs */
    /* Channels of another tensor in so many groups, with the channels of a group `turned` before
     * the groups: half of a channel_shuffle; NULL: no such thing. */
    const struct lift_value *whole;
    int64_t groups;
    bool turned;
    const float *floats; /* [shape_len] of constants; or */
    const int64_t *ints; /* [shape_len]; in shapes 0 is the batch */
};

struct lifting {
    const char *path;
    const Onnx__ModelProto *model;
    struct pool *pool;
    struct lift_value *value; /* [n_values] */
    int n_values;
    struct names by_name;   /* of values */
    struct names taken;     /* names in the net; "part" those of its parameters */
    const char **statement; /* [n_statements] in their order */
    int n_statements;
    struct onnx_import_tensor *tensors;
    int n_tensors;
    bool *done;  /* [model->graph->n_node] part of a node before it */
    size_t node; /* at hand */
};

/* How a node of one kind is read. */
struct lift_op {
    const char *type;
    /* Attributes that are understood, beside those that mean nothing; ends with NULL. */
    const char *const *attributes;
    int (*lift)(struct lifting *l, const Onnx__NodeProto *node, struct err *err);
};

/* Tables by kind, each ends with {0}. */
extern const struct lift_op lift_ops_window[], lift_ops_math[], lift_ops_shape[],
    lift_ops_constant[];

/* The i-th row of all tables, NULL past the last. */
const struct lift_op *lift_at(int i);

/* "PATH: node NAME (TYPE): ..." of kind ERR_DATA. Returns -1. */
int lift_refuse(const struct lifting *l, const Onnx__NodeProto *node, struct err *err,
                const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The value of input k: NULL where it is left out. Of inputs that must be there: a tensor that is
 * computed; float constants; whole ones. Each NULL with err for anything else. */
struct lift_value *lift_input(const struct lifting *l, const Onnx__NodeProto *node, size_t k);
struct lift_value *lift_tensor(const struct lifting *l, const Onnx__NodeProto *node, size_t k,
                               struct err *err);
struct lift_value *lift_floats(const struct lifting *l, const Onnx__NodeProto *node, size_t k,
                               struct err *err);
struct lift_value *lift_ints(const struct lifting *l, const Onnx__NodeProto *node, size_t k,
                             struct err *err);

/* Attributes, with what they are where they are not given. */
int64_t lift_int(const Onnx__NodeProto *node, const char *name, int64_t otherwise);
double lift_float(const Onnx__NodeProto *node, const char *name, double otherwise);
bool lift_text_is(const Onnx__NodeProto *node, const char *name, const char *text);

/* A list of n numbers, each from min to 2^31 - 1, to out; `otherwise` where it is not given. */
int lift_list(const struct lifting *l, const Onnx__NodeProto *node, const char *name, int n,
              int64_t otherwise, int64_t min, int64_t *out, struct err *err);

/* "3" of equal numbers, "[3, 5]" of others; in pool. */
const char *lift_numbers(struct lifting *l, const int64_t *v, int n);

/* The node's output k is a tensor of that shape: x | what, or with x NULL what stands alone.
 * Errors: ERR_DATA for a shape that no computer holds. */
int lift_pipe(struct lifting *l, const Onnx__NodeProto *node, size_t k, const struct lift_value *x,
              const struct shape *shape, const char *what, struct err *err);

/* One statement more. */
void lift_statement(struct lifting *l, const char *text);

/* The name by which a statement reads a value, which becomes a statement where it is a pipe. */
const char *lift_name(struct lifting *l, struct lift_value *v);

/* The node's output is x itself; is constants. */
int lift_same(struct lifting *l, const Onnx__NodeProto *node, const struct lift_value *x,
              struct err *err);
int lift_constant(struct lifting *l, const Onnx__NodeProto *node, const struct lift_value *v,
                  struct err *err);

/* Whole constants: as a vector, whatever their dimensions; one behind the other. */
int lift_vector(struct lifting *l, const Onnx__NodeProto *node, struct err *err);
int lift_concat_ints(struct lifting *l, const Onnx__NodeProto *node, struct err *err);

/* Whole constants added, subtracted, multiplied or divided, element by element. */
int lift_compute(struct lifting *l, const Onnx__NodeProto *node, char sign, struct err *err);

/* A value of a name that nothing has yet. */
struct lift_value *lift_add(struct lifting *l, const char *name, struct err *err);

/* A name for the parameters of a node, from that of its weight: "layer1.0.conv1" of
 * "layer1.0.conv1.weight"; else from the node's own. */
const char *lift_part(struct lifting *l, const Onnx__NodeProto *node, const char *weight);

/* The tensor PART.NAME of the net. */
void lift_weight(struct lifting *l, const char *part, const char *name, const struct shape *shape,
                 const float *data);

/* The only node that reads a node's output, or NULL. */
const Onnx__NodeProto *lift_reader(const struct lifting *l, const Onnx__NodeProto *node);
/* It has been read as part of the node at hand. */
void lift_done(struct lifting *l, const Onnx__NodeProto *node);

/* A text of letters, digits and _ that begins with a letter: "layer1_0_relu" of
 * "/layer1/layer1.0/relu/Relu"; with `dots`, they stay. */
const char *lift_word(struct pool *pool, const char *name, bool dots);

/* Every node, into l->statement and l->tensors; l->pool, path and model are given.
 * Errors: ERR_DATA. */
int lift_graph(struct lifting *l, struct err *err);
