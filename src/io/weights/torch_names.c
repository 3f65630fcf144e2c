/* torch_names.c - spectral norm, which PyTorch calls otherwise. */
#include "io/weights/tensor_file.h"

#include <string.h>

/* A name that ends in `end`, beside one that ends in `beside` in its place, becomes the same with
 * `now`. The order counts: what is beside is renamed last. */
struct ending {
    const char *end, *beside, *now;
};

static const struct ending from_torch[] = {
    {"weight_orig", "weight_u", "weight"},
    {"parametrizations.weight.original", "parametrizations.weight.0._u", "weight"},
    {"parametrizations.weight.0._v", "parametrizations.weight.0._u", "weight_v"},
    {"parametrizations.weight.0._u", "parametrizations.weight.0._u", "weight_u"},
};
static const struct ending to_torch[] = {{"weight", "weight_u", "weight_orig"}};

static bool is_there(const struct tensor_file *f, const char *name) {
    for (int i = 0; i < f->n; i++)
        if (!strcmp(f->item[i].name, name))
            return true;
    return false;
}

/* Whole parts of names: "a.weight", not "a.edgeweight". */
static void rename_ending(struct tensor_file *f, struct tensor_item *item, const struct ending *e) {
    const size_t len = strlen(item->name), end = strlen(e->end);

    if (len < end || strcmp(item->name + len - end, e->end) ||
        (len > end && item->name[len - end - 1] != '.'))
        return;
    const int stem = (int)(len - end);
    const char *now = pool_print(&f->pool, "%.*s%s", stem, item->name, e->now);
    if (is_there(f, pool_print(&f->pool, "%.*s%s", stem, item->name, e->beside)) &&
        !is_there(f, now))
        item->name = now;
}

static void rename_all(struct tensor_file *f, const struct ending *e, size_t n) {
    for (size_t k = 0; k < n; k++)
        for (int i = 0; i < f->n; i++)
            rename_ending(f, &f->item[i], &e[k]);
    tensor_file_sort(f);
}

void tensor_file_from_torch(struct tensor_file *f) {
    rename_all(f, from_torch, sizeof from_torch / sizeof *from_torch);
}

void tensor_file_to_torch(struct tensor_file *f) {
    rename_all(f, to_torch, sizeof to_torch / sizeof *to_torch);
}
