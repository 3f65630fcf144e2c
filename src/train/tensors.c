#include "train/tensors.h"

/* The last dimension is that of outputs, of convolutions too: one column each. */
static struct allreduce_tensor tensor_of(const struct param *p) {
    const int64_t cols = p->shape.rank > 1 ? p->shape.dim[p->shape.rank - 1] : 1;

    return (struct allreduce_tensor){p->offset, p->len / cols, cols};
}

void tensors_list(struct allreduce_vector *span, const struct net *net, struct pool *pool) {
    struct allreduce_tensor *tensor =
        pool_take(pool, (size_t)(net->weights.n + 1) * sizeof *tensor);

    span->tensor = tensor;
    for (int i = 0; i < net->weights.n; i++)
        if (!net->weights.items[i].frozen)
            tensor[span->n_tensors++] = tensor_of(&net->weights.items[i]);
}
