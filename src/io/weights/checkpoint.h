/* checkpoint.h - named tensors and a JSON text in one HDF5 file, whole or not there at all.
 *
 * Every tensor is a contiguous float32 dataset at its path (h5py: f["nets/model/conv1.weight"]).
 * The JSON text is the uint8 dataset "/meta" (h5py: json.loads(bytes(f["meta"])); an attribute
 * holds 64 KiB at most). Root attributes: dltrain_checkpoint = 1; xxh3_64, a text that ends in the
 * hash as 16 hexadecimal digits, over all bytes of the file with these digits being 0. Each dataset
 * has the attribute `saved`, JSON: the hash of its bytes, and where in the file they are, so that
 * damage has a name. Tensors that are `plain` (core/ops/op.h) have the attribute plain = 1: what
 * converts files knows no network. */
#pragma once
#include "core/base/err.h"
#include "io/file/lock.h"
#include "core/base/tensor.h"

struct checkpoint_tensor {
    const char *path; /* "/nets/model/conv1.weight": groups and the name of the dataset */
    struct shape shape;
    const float *data; /* [shape_len]; borrowed */
    bool plain;        /* the same order of numbers as in PyTorch (io/layout.h) */
};

/* A checkpoint in memory, as it is going to be on the disk. */
struct checkpoint_image;

/* Build one. Any thread.
 *   file  what errors call it
 *   t     [n] tensors with paths of their own, in any order; read until the return
 *   meta  JSON text: where the job is
 * Errors: ERR_IO, lack of memory. Cost: the tensors' size of memory until it is freed. */
int checkpoint_image_new(struct checkpoint_image **out, const char *file,
                         const struct checkpoint_tensor *t, int n, const char *meta,
                         struct err *err);

/* Put it in the place of `file`, of which `keep` stay, as kept_replace does with `lock`. Any
 * thread. Errors: ERR_IO naming the file and the reason; nothing is left behind. */
int checkpoint_image_write(const struct checkpoint_image *image, const char *file, int keep,
                           const struct lock *lock, struct err *err);

/* NULL is fine. */
void checkpoint_image_free(struct checkpoint_image *image);

/* Both, in the place of what was there before. Missing folders are an error. */
int checkpoint_write(const char *file, const struct checkpoint_tensor *t, int n, const char *meta,
                     struct err *err);

struct checkpoint;

/* Read a checkpoint into memory and compare its hash.
 * Errors: ERR_IO where there is none to read; ERR_DATA where it is damaged, naming the first tensor
 * that is, or something else. */
int checkpoint_open(struct checkpoint **out, const char *file, struct err *err);

/* The JSON text it was written with; belongs to ck. */
const char *checkpoint_meta(const struct checkpoint *ck);

/* All its tensors, sorted by path; *n is their number; they belong to ck. */
const struct checkpoint_tensor *checkpoint_tensors(const struct checkpoint *ck, int *n);

/* One of them, or NULL. */
const struct checkpoint_tensor *checkpoint_find(const struct checkpoint *ck, const char *path);

/* Copy one tensor to out[shape_len(shape)].
 * Errors: ERR_DATA naming file and tensor: not there, or found and expected shapes. */
int checkpoint_read(const struct checkpoint *ck, const char *path, const struct shape *shape,
                    float *out, struct err *err);

/* NULL is fine. */
void checkpoint_close(struct checkpoint *ck);
