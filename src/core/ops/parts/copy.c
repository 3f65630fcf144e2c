#include "core/ops/parts/copy.h"

#include <string.h>

static void forward_part(const struct op_call *c, int64_t begin, int64_t end) {
    const size_t item = tensor_item_bytes(c->y.kind), from = (size_t)begin * item;

    memcpy((char *)c->y.memory + from, (const char *)c->x->memory + from,
           (size_t)(end - begin) * item);
}

void copy_forward(const struct op_call *c) {
    if (c->y.data != c->x->data)
        share(c, shape_len(&c->y.shape), forward_part);
}

static void backward_part(const struct op_call *c, int64_t begin, int64_t end) {
    const act *restrict dy = c->dy.data;
    act *restrict dx = c->dx->data;

    if (c->dx_first) {
        memcpy(dx + begin, dy + begin, (size_t)(end - begin) * sizeof(act));
        return;
    }
    for (int64_t i = begin; i < end; i++)
        dx[i] += dy[i];
}

void copy_backward(const struct op_call *c) {
    if (c->dx->data && c->dx->data != c->dy.data)
        share(c, shape_len(&c->y.shape), backward_part);
}
