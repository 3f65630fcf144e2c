/* one_hot(label, classes): 1 in the channel of each class index and 0 elsewhere:
 * [n] -> [n, classes], [n, h, w] or [n, h, w, 1] -> [n, h, w, classes]. A negative index, which is
 * no class, gives zeros. */
#include "core/ops/parts/indices.h"

#include <string.h>

struct one_hot {
    int classes;
};

static const struct arg_spec specs[] = {
    {.name = "classes",
     .kind = ARG_INT,
     .offset = offsetof(struct one_hot, classes),
     .min = 1,
     .required = true,
     .help = "channels of the output"},
    {0},
};

static int64_t index_limit(const void *args) {
    return ((const struct one_hot *)args)->classes;
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return indices_plan("one_hot", x, index_limit(args), plan, err);
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t classes = index_limit(c->args);

    memset(c->y.data + begin * classes, 0, (size_t)((end - begin) * classes) * sizeof(act));
    for (int64_t row = begin; row < end; row++) {
        const int64_t class = index_at(c, row, classes);

        if (class >= 0)
            c->y.data[row * classes + class] = 1;
    }
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->x->shape), forward_rows);
}

const struct op op_one_hot = {
    .word = {"one_hot", "1 in the channel of each class index", sizeof(struct one_hot), specs},
    .min_x = 1,
    .max_x = 1,
    .meaning.index_x = 1,
    .meaning.index_limit = index_limit,
    .plan = plan,
    .forward = forward,
};
