/* onnx_read.h - an ONNX file that somebody else wrote, checked: what its graph reads is there
 * before it is read, its tensors hold as many numbers as their dimensions say. */
#pragma once
#include "core/base/err.h"
#include "core/base/pool.h"
#include "core/base/tensor.h"
#include "export/onnx.h"

/* Operator versions that are read. */
enum { ONNX_READ_MIN = 11, ONNX_READ_MAX = 17 };

/* Unpack and check a file; path is for messages. *out is to be given back by onnx_read_free.
 * Errors: ERR_DATA naming the tensor or node; ERR_USAGE for what is no such file at all. */
int onnx_read(const char *path, const void *bytes, size_t len, Onnx__ModelProto **out,
              struct err *err);
void onnx_read_free(Onnx__ModelProto *model);

/* The version of the operators. */
int64_t onnx_read_opset(const Onnx__ModelProto *model);

/* A tensor's dimensions; one without any is {1, {1}}. Of tensors that onnx_read has checked. */
struct shape onnx_tensor_shape(const Onnx__TensorProto *t);

/* Its numbers, in pool: of a float tensor, of one of whole numbers; NULL where it is neither. */
const float *onnx_tensor_floats(const Onnx__TensorProto *t, struct pool *pool);
const int64_t *onnx_tensor_int64s(const Onnx__TensorProto *t, struct pool *pool);

/* The attribute of that name, or NULL. */
const Onnx__AttributeProto *onnx_attribute(const Onnx__NodeProto *node, const char *name);
