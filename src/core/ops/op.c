#include "core/ops/op.h"

#include <string.h>

#define OP(name) extern const struct op op_##name;
#include "core/ops/ops.def"
#undef OP

static const struct op *const table[] = {
#define OP(name) &op_##name,
#include "core/ops/ops.def"
#undef OP
};

const struct op *op_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i]->word.name, name))
            return table[i];
    return NULL;
}

int op_class_input(const struct op *op, const void *args, const struct shape *x, int64_t *limit) {
    if (op->meaning.index_limit) {
        *limit = op->meaning.index_limit(args);
        return 0;
    }
    *limit = op->meaning.index_x == 2 ? shape_channels(&x[0]) : 0;
    *limit = op->meaning.binary && *limit == 1 ? 2 : *limit;
    return op->meaning.index_x == 2 ? 1 : -1;
}

const struct op *const *op_table(int *n) {
    *n = (int)(sizeof table / sizeof *table);
    return table;
}
