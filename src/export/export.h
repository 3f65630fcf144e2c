/* export.h - a network with its weights as an ONNX file, for onnxruntime and other programs.
 *
 * One graph, as the network computes in validation: inputs under the names that the net gives them,
 * images as [batch, channels, height, width], class indices as int64; the output under the name of
 * the net's last statement. Source: github.com/onnx/onnx, docs/IR.md and docs/Operators.md */
#pragma once
#include "core/graph/graph.h"

/* Versions of the operators that can be written: what is used of them is the same in all. */
enum { ONNX_OPSET_MIN = 13, ONNX_OPSET_MAX = 17 };

struct export_text {
    const char *key, *text;
};

/* Everything borrowed. */
struct export_config {
    const struct graph *graph;   /* its model's weights are those to write */
    const struct graph_use *use; /* of the net, in that graph */
    int opset;                   /* ONNX_OPSET_MIN to ONNX_OPSET_MAX */
    int64_t batch;               /* samples at a time; 0: any number, "batch" */
    bool fold;                   /* bn into the weights of the layer before it */
    /* Of each channel of the input of that name: (x - mean) / std is computed at first; NULL: the
     * input is what the network sees. */
    const char *normalised;
    const float *mean, *std;
    const char *version; /* of the program */
    const char *doc;     /* for the reader of the file */
    const struct export_text *texts;
    int n_texts; /* metadata_props */
};

/* What came of it. */
struct export_result {
    void *bytes; /* for the caller to free */
    size_t len;
    int n_nodes, n_weights;
};

/* Errors: ERR_CONFIG with the place in the job, where an operator has no counterpart, and for a
 * network of more than 2 GiB, which the format does not hold; ERR_IO for lack of memory. Cost:
 * three times the weights' memory. */
int export_onnx(const struct export_config *c, struct export_result *out, struct err *err);
