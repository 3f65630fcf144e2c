/* tensor_file.h - weights in a file, whichever it is: a checkpoint or safetensors, told by content.
 * A checkpoint holds them in our order, net by net; safetensors in PyTorch's order (layout.h),
 * under whatever names. Numbers are given in our order from both. */
#pragma once
#include "core/base/tensor.h"
#include "io/weights/rename.h"

struct tensor_item {
    const char *name;   /* by which it is found: after renaming */
    const char *stored; /* before renaming */
    const char *net;    /* whose it is; "" in safetensors */
    struct shape shape; /* as the file has it */
    bool plain;         /* in both orders the same, says the file */
    bool averaged;      /* it is an average of weights */
    const char *why;    /* it is no float tensor of ours, or NULL: "is I64" */
    int index;          /* in the checkpoint or the safetensors file */
};

struct tensor_file {
    const char *path;
    struct checkpoint *ck; /* one of these two */
    struct safetensors *st;
    const char **nets; /* [n_nets] that a checkpoint holds */
    int n_nets;
    const char *net;          /* the one that was selected, or NULL */
    struct tensor_item *item; /* [n] sorted by name */
    int n;
    struct pool pool;
};

/* Which weights of a checkpoint: those that training goes on with, their running averages (ema), or
 * what validation measured: averages where there are any. */
enum tensor_choice { TENSORS_LAST, TENSORS_AVERAGED, TENSORS_VALIDATED };

/* Read a file; {0} on errors.
 * Errors: ERR_IO; ERR_DATA for what is neither, or damaged, or has no averages but should have. */
int tensor_file_open(struct tensor_file *f, const char *path, enum tensor_choice choice,
                     struct err *err);

/* Does a file begin as one of the two? Errors: ERR_IO; ERR_DATA saying what it is instead. */
int tensor_file_check(const char *path, struct err *err);

/* Is there a file that begins as safetensors do? As HDF5 does? */
bool tensor_file_is_safetensors(const char *path);
bool tensor_file_is_checkpoint(const char *path);

bool tensor_file_has_net(const struct tensor_file *f, const char *net);

/* Do all names in it begin with "NET."? */
bool tensor_file_all_begin(const struct tensor_file *f, const char *net);

/* The names of its nets, for messages: "a, b"; in f's pool. */
const char *tensor_file_nets(struct tensor_file *f);

/* Keep one net's tensors: of a checkpoint those of that net, of safetensors those whose names begin
 * with "NET.", without it. NULL: all; of several nets the names begin with "NET.".
 * Errors: ERR_DATA when there is no such net, naming those there are. */
int tensor_file_select(struct tensor_file *f, const char *net, struct err *err);

/* Rename what there is. Errors: ERR_DATA when two get the same name, or one gets none. */
int tensor_file_rename(struct tensor_file *f, struct renames *rules, struct err *err);

/* In the order of names, once they have changed. */
void tensor_file_sort(struct tensor_file *f);

/* Spectral norm by its names here and in PyTorch: "a.weight" with "a.weight_u" beside it is
 * "a.weight_orig" there; in files of torch.nn.utils.parametrizations
 * "a.parametrizations.weight.original" with "a.parametrizations.weight.0._u" and "_v", which are
 * read. Names of what has no such u beside it (weight_orig is a pruned weight, too), and those that
 * are taken, stay. */
void tensor_file_from_torch(struct tensor_file *f);
void tensor_file_to_torch(struct tensor_file *f);

/* The tensor of that name, or NULL. */
const struct tensor_item *tensor_file_find(const struct tensor_file *f, const char *name);

/* The shape that a weight of ours has in this file. */
struct shape tensor_file_shape(const struct tensor_file *f, const struct shape *ours, bool plain);

/* A tensor's numbers in our order, out[shape_len]; plain says whether both orders are the same.
 * Errors: ERR_IO for lack of memory. */
int tensor_file_read(const struct tensor_file *f, const struct tensor_item *item, bool plain,
                     float *out, struct err *err);

void tensor_file_release(struct tensor_file *f);
