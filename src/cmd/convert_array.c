/* convert_array.c - weights as arrays of NumPy, in PyTorch's order, and back. */
#include "cmd/convert.h"
#include "io/weights/layout.h"

#include <stdlib.h>
#include <string.h>

/* --- writing --- */

static int describe(struct conversion *c, int i, struct npy_array *out, struct err *err) {
    const struct tensor_item *item = &c->file.item[i];

    if (convert_turn(c, i, err))
        return -1;
    const struct shape shape = convert_shape(c, item);
    *out = (struct npy_array){.name = item->name,
                              .kind = NPY_FLOAT,
                              .item_bytes = (int)sizeof(float),
                              .rank = shape.rank,
                              .data = (const unsigned char *)c->data[i]};
    memcpy(out->dim, shape.dim, (size_t)shape.rank * sizeof *out->dim);
    return 0;
}

int convert_to_npz(struct conversion *c, struct err *err) {
    struct npy_array *arrays = pool_take(&c->pool, (size_t)c->file.n * sizeof *arrays);

    for (int i = 0; i < c->file.n; i++)
        if (describe(c, i, &arrays[i], err))
            return -1;
    return npz_write(c->out, arrays, c->file.n, false, err);
}

int convert_to_npy(struct conversion *c, struct err *err) {
    struct npy_array array;

    if (c->file.n != 1)
        return err_set(
            err, ERR_USAGE,
            "convert: %s is for one tensor, found %d; --only NAME says which, or OUT.npz "
            "takes all",
            c->out, c->file.n);
    return describe(c, 0, &array, err) || npy_write(c->out, &array, err) ? -1 : 0;
}

/* --- reading --- */

bool convert_is_arrays(const char *path) {
    const size_t len = strlen(path);

    return len > 4 && (!strcmp(path + len - 4, ".npz") || !strcmp(path + len - 4, ".npy"));
}

/* What keeps an array from being weights, or NULL. */
static const char *obstacle(struct conversion *c, const struct npy_array *a,
                            const struct shape *shape) {
    char text[NPY_TEXT];

    if (a->kind != NPY_FLOAT || a->rank > SHAPE_MAX_RANK || !shape_fits(shape))
        return pool_print(&c->pool, "is %s", npy_text(a, text));
    return NULL;
}

int convert_open_arrays(struct conversion *c, struct err *err) {
    struct tensor_file *f = &c->file;

    if (c->ema)
        return err_set(err, ERR_DATA, "%s: is no checkpoint: it holds no averaged weights", c->in);
    if (npy_open(&c->arrays, c->in, err))
        return -1;
    f->path = c->in;
    for (int i = 0; i < c->arrays.n; i++) {
        const struct npy_array *a = &c->arrays.array[i];
        struct shape shape = {a->rank ? a->rank : 1, {1}};
        for (int k = 0; k < a->rank && k < SHAPE_MAX_RANK; k++)
            shape.dim[k] = a->dim[k];
        f->item = pool_grow(&f->pool, f->item, f->n, sizeof *f->item);
        f->item[f->n++] = (struct tensor_item){.name = a->name,
                                               .stored = a->name,
                                               .net = "",
                                               .shape = shape,
                                               .why = obstacle(c, a, &shape),
                                               .index = i};
    }
    return 0;
}

int convert_read_array(const struct conversion *c, const struct tensor_item *item, float *out,
                       struct err *err) {
    const struct npy_array *a = &c->arrays.array[item->index];
    const int64_t len = shape_len(&item->shape);
    double *read = malloc((size_t)(len + 1) * sizeof *read);
    float *numbers = malloc((size_t)(len + 1) * sizeof *numbers);
    const bool enough = read && numbers;

    if (enough) {
        npy_read_reals(a, 0, npy_rows(a), read);
        for (int64_t i = 0; i < len; i++)
            numbers[i] = (float)read[i];
        if (item->plain)
            memcpy(out, numbers, (size_t)len * sizeof *out);
        else
            layout_read_torch(&item->shape, numbers, out);
    }
    free(read);
    free(numbers);
    return enough ? 0 : err_set(err, ERR_IO, "%s: not enough memory to read it", c->in);
}
