/* import.h - a network of an ONNX file as text of the job language, and its weights. */
#pragma once
#include "core/base/err.h"
#include "core/base/pool.h"
#include "core/base/tensor.h"

/* What the text of a job begins with. */
#define IMPORT_ONNX_BEGINS "; From an ONNX file"

/* A weight in PyTorch's order, which is that of ONNX. */
struct onnx_import_tensor {
    const char *name; /* of the parameter in the net */
    struct shape shape;
    const float *data;
};

/* All in the pool that was given. */
struct onnx_import {
    const char *net;  /* its name */
    const char *text; /* a job file: [job], [data], [net NAME(inputs)], [weights NET] */
    const struct onnx_import_tensor *tensors;
    int n_tensors, n_nodes;
};

/* Read bytes[len]; `path` is what messages call the file, `weights` what the text calls that of the
 * weights. The text is built once before it is given back: its parameters are those of the tensors.
 * Errors: ERR_DATA naming node, operator and attribute that are not understood, or what is damaged.
 */
int import_onnx(const char *path, const void *bytes, size_t len, const char *weights,
                struct pool *pool, struct onnx_import *out, struct err *err);
