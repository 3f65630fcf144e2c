#include "support/op_args.h"

#include "core/lang/eval.h"

#include <stdlib.h>

int op_args_init(struct op_args *a, const struct op *op, const char *text, struct err *err) {
    static const struct eval_host nothing = {.what = "number"};
    const size_t bytes = op->word.args_size;
    struct expr *call;

    *a = (struct op_args){.args = malloc(bytes ? bytes : 1)};
    if (!a->args)
        return err_set(err, ERR_IO, "no memory for the arguments of %s", op->word.name);
    if (!text) {
        word_defaults(&op->word, a->args);
        return 0;
    }
    const char *line = pool_print(&a->pool, "%s(%s)", op->word.name, text);
    const struct entry entry = {.key = "y", .value = line, .raw = line, .pos = {"test", 1, 1}};
    struct evaluator ev = {.source = &a->source, .pool = &a->pool, .host = &nothing};
    return expr_parse(&a->source, &entry, &call, err) ||
                   eval_bind(&ev, call, 0, &op->word, a->args, err)
               ? -1
               : 0;
}

void op_args_release(struct op_args *a) {
    free(a->args);
    pool_release(&a->pool);
    source_release(&a->source);
    *a = (struct op_args){0};
}
