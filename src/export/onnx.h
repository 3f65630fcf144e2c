/* onnx.h - what numbers of the ONNX file format mean. Source: onnx.proto of onnx.ai, IR version 8.
 */
#pragma once
#include <onnx.pb-c.h>

enum { ONNX_IR_VERSION = 8 };

/* TensorProto.DataType */
enum {
    ONNX_FLOAT = 1,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_BOOL = 9,
    ONNX_FLOAT16 = 10,
    ONNX_DOUBLE = 11
};

/* AttributeProto.AttributeType */
enum {
    ONNX_ATTR_FLOAT = 1,
    ONNX_ATTR_INT = 2,
    ONNX_ATTR_STRING = 3,
    ONNX_ATTR_TENSOR = 4,
    ONNX_ATTR_FLOATS = 6,
    ONNX_ATTR_INTS = 7
};

enum { ONNX_EXTERNAL = 1 /* TensorProto.DataLocation */ };
