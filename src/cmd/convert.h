/* convert.h - dltrain convert: what goes from one kind of file to another. */
#pragma once
#include "core/base/pool.h"
#include "io/npy/npy.h"
#include "io/weights/rename.h"
#include "io/weights/tensor_file.h"

#include <stdbool.h>

struct conversion;

/* What can be written, by the end of the file's name. */
struct convert_format {
    const char *end; /* ".h5"; "": a folder */
    bool tensors;    /* weights alone, which are gathered before and listed afterwards */
    bool of_onnx;    /* what IN.onnx becomes */
    bool weighed;    /* of a network, whose weights --weights may name */
    int (*write)(struct conversion *c, struct err *err);
};

struct convert_skipped {
    const char *name, *why;
};

struct conversion {
    const char *in, *out;
    const struct convert_format *format;
    const char *net; /* --net, or NULL */
    const char *job; /* --job, or NULL: IN is weights of Darknet for a net of it */
    bool partial;    /* they may be those of the first layers alone */
    bool ema, help;

    struct renames renames, skips, onlys, plains; /* of tensors */
    struct tensor_file file;
    struct npy_file arrays; /* that the tensors are from; n = 0: from the file itself */
    float **read; /* [n_read] as a file of Darknet has them, by the tensor's index; owned */
    int n_read;
    float **data; /* [file.n] in our order; owned */
    struct convert_skipped *skipped;
    int n_skipped;

    const char *weights;  /* --weights, or NULL: of a job that becomes ONNX */
    int64_t opset, batch; /* batch 0: any number of samples */
    bool fold, normalize;

    struct pool pool;
};

/* In the meta of converted weights: what they were. */
#define CONVERTED_FROM "converted_from"

/* May OUT.h5, may a job and the weights beside it, be written: is nothing there but what was
 * converted before? Errors: ERR_USAGE naming what would be lost. */
int convert_target_h5(const char *path, struct err *err);
int convert_target_job(const char *job, const char *weights, struct err *err);

/* Tensors: gather what is to be written; write it; list it. */
int convert_gather(struct conversion *c, struct err *err);
int convert_to_checkpoint(struct conversion *c, struct err *err);
int convert_to_safetensors(struct conversion *c, struct err *err);
void convert_print(const struct conversion *c);

/* The shape of tensor i as files of PyTorch's order have it; its data turned into that order, in
 * place of ours. Errors: ERR_IO for lack of memory. */
struct shape convert_shape(const struct conversion *c, const struct tensor_item *item);
int convert_turn(struct conversion *c, int i, struct err *err);

/* Tensors as arrays of NumPy, OUT.npz, or one of them, OUT.npy. */
int convert_to_npz(struct conversion *c, struct err *err);
int convert_to_npy(struct conversion *c, struct err *err);

/* IN.npz, IN.npy: the tensors of such a file; the numbers of one, in our order. */
bool convert_is_arrays(const char *path);
int convert_open_arrays(struct conversion *c, struct err *err);
int convert_read_array(const struct conversion *c, const struct tensor_item *item, float *out,
                       struct err *err);

/* Weights of Darknet for a net of --job: their tensors; the numbers of one, in our order. And those
 * of a network of a run or a job in the order of its layers. */
int convert_open_darknet(struct conversion *c, struct err *err);
void convert_read_darknet(const struct conversion *c, const struct tensor_item *item, float *out);
int convert_to_darknet(struct conversion *c, struct err *err);

/* A network of a run or a job as an ONNX file. */
int convert_to_onnx(struct conversion *c, struct err *err);

/* An ONNX file as a job, OUT.ini or in the folder OUT, and its weights beside it. */
int convert_from_onnx(struct conversion *c, struct err *err);
