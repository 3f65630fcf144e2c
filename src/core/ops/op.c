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

/* Words of papers for what has a name already. */
static const struct {
    struct word word;
    const struct op *op;
} aliases[] = {
    /* Mao et al. 2017, doi:10.1109/ICCV.2017.304 */
    {{"lsgan", "mse as a GAN loss: of scores and 1 for real, 0 for generated samples", 0, NULL},
     &op_mse},
    {{"mae", "l1 by the name of regression: the mean absolute error", 0, NULL}, &op_l1},
    {{"nll", "cross_entropy as a metric: negative log-likelihood of the labels", 0, NULL},
     &op_cross_entropy},
};

enum { N_ALIASES = sizeof aliases / sizeof *aliases };

const struct word *op_alias_at(int i) {
    return i < N_ALIASES ? &aliases[i].word : NULL;
}

const struct op *op_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i]->word.name, name))
            return table[i];
    for (int i = 0; i < N_ALIASES; i++)
        if (!strcmp(aliases[i].word.name, name))
            return aliases[i].op;
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

int op_ignored(const struct op *op, const void *args) {
    for (const struct arg_spec *a = op->word.args; a && a->name; a++)
        if (a->kind == ARG_INT && !strcmp(a->name, "ignore"))
            return *(const int *)(const void *)((const char *)args + a->offset);
    return -1;
}

const struct op *const *op_table(int *n) {
    *n = (int)(sizeof table / sizeof *table);
    return table;
}
