/* safetensors.h - the file format of that name: 8 bytes with the header's length, little-endian; a
 * JSON header {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {"key": "text"}}; then
 * the numbers, row-major and little-endian. It is what PyTorch's weights travel in without the
 * program of a pickle. Source: github.com/huggingface/safetensors, its README and tensor.rs. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"

/* A tensor of a file that is read. */
struct safetensor {
    const char *name;
    const char *dtype;  /* "F32" */
    struct shape shape; /* {1, {1}} for a scalar; where readable */
    const char *why;    /* it cannot be read as floats of ours, or NULL: "is I64" */
    int64_t begin, end; /* bytes of the data */
};

enum { SAFETENSORS_MAX_HEADER = 100000000 }; /* bytes, as in the reference implementation */

struct safetensors;

/* Read a file and check all of it: the tensors must fill the data exactly, without overlap.
 * Errors: ERR_IO where there is none to read; ERR_DATA for anything that is not as the format has
 * it, naming file and tensor. */
int safetensors_open(struct safetensors **out, const char *file, struct err *err);

/* All its tensors, sorted by name; *n is their number; they belong to st. */
const struct safetensor *safetensors_list(const struct safetensors *st, int *n);

/* A text of its metadata, or NULL. */
const char *safetensors_meta(const struct safetensors *st, const char *key);

/* The numbers of tensor i, which must be readable, to out[shape_len]. F64 is rounded to float; F32,
 * F16 and BF16 are exact. */
void safetensors_read(const struct safetensors *st, int i, float *out);

/* NULL is fine. */
void safetensors_close(struct safetensors *st);

/* A tensor that is to be written as F32. */
struct safetensor_out {
    const char *name;
    struct shape shape;
    const float *data; /* [shape_len]; borrowed */
};

struct safetensors_text {
    const char *key, *text;
};

/* Write a file, in the order of names, by file_replace: whole or not at all.
 *   t     [n] tensors with names of their own, in any order
 *   meta  [n_meta]
 * Errors: ERR_IO; ERR_DATA for a name that is not UTF-8 text or reserved.
 * Cost: the file's size of memory. */
int safetensors_write(const char *file, const struct safetensor_out *t, int n,
                      const struct safetensors_text *meta, int n_meta, struct err *err);
