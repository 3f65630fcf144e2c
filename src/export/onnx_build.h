/* onnx_build.h - a graph of ONNX while it is made: nodes, weights, names that are not given twice.
 * Everything is in a pool; data of weights is borrowed until the graph is written. */
#pragma once
#include "core/base/names.h"
#include "core/base/tensor.h"
#include "export/onnx.h"

struct onnx_build {
    struct pool *pool;
    Onnx__GraphProto graph;
    struct names taken;   /* of values and weights; "node" of nodes: how often a name came */
    struct names weights; /* numbers of the initializers */
    const char *base;     /* that nodes made now are named after: "layer1.0.conv1" */
};

void onnx_build_init(struct onnx_build *b, struct pool *pool, const char *name);

/* A name that no value has yet: base, or base_1, base_2 ... */
const char *onnx_build_name(struct onnx_build *b, const char *base);

/* A node with inputs x[n_x] ("": left out) and one output. Returns it for attributes. */
Onnx__NodeProto *onnx_add(struct onnx_build *b, const char *type, const char *const *x, int n_x);

/* Its output; one more output. */
const char *onnx_output(const Onnx__NodeProto *node);
const char *onnx_add_output(struct onnx_build *b, Onnx__NodeProto *node);

/* A node with up to three inputs (NULL: no more) and no attributes; returns its output. */
const char *onnx_apply(struct onnx_build *b, const char *type, const char *x0, const char *x1,
                       const char *x2);

void onnx_set_int(struct onnx_build *b, Onnx__NodeProto *node, const char *name, int64_t v);
void onnx_set_float(struct onnx_build *b, Onnx__NodeProto *node, const char *name, double v);
void onnx_set_text(struct onnx_build *b, Onnx__NodeProto *node, const char *name, const char *v);
void onnx_set_ints(struct onnx_build *b, Onnx__NodeProto *node, const char *name, const int64_t *v,
                   int n);

/* Is there a weight of that name already? */
bool onnx_has_weight(const struct onnx_build *b, const char *name);

/* A weight; name is made one that nothing else has. data [shape_len] is borrowed. */
const char *onnx_weight(struct onnx_build *b, const char *name, const struct shape *shape,
                        const float *data);

/* Numbers that a node reads beside its inputs: one number; n of them; whole ones. Copied. */
const char *onnx_scalar(struct onnx_build *b, double v);
const char *onnx_floats(struct onnx_build *b, const struct shape *shape, const float *v);
const char *onnx_int64s(struct onnx_build *b, const int64_t *v, int n);

/* Reshape, Transpose, ReduceMean and ReduceSum of one value; each returns its output.
 *   dim  [n] 0 stays what it is, -1 is worked out */
const char *onnx_reshape(struct onnx_build *b, const char *x, const int64_t *dim, int n);
const char *onnx_transpose(struct onnx_build *b, const char *x, const int64_t *perm, int n);

/* An input or output of the graph.
 *   dim  [n]; -1: the dynamic batch */
void onnx_declare(struct onnx_build *b, bool output, const char *name, int type, const int64_t *dim,
                  int n, const char *doc);

/* Give a node's output another name, wherever it is read. */
void onnx_rename(struct onnx_build *b, const char *old, const char *name);
