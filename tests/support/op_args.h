/* op_args.h - an operator's arguments as a job writes them, made into the operator's struct. */
#pragma once
#include "core/base/pool.h"
#include "core/lang/syntax.h"
#include "core/ops/op.h"

/* {0} is releasable. */
struct op_args {
    void *args; /* [op->word.args_size], exactly, so that a sanitizer sees its end */
    struct source source;
    struct pool pool; /* lists and words within the arguments */
};

/* By the operator's own table of names, defaults and ranges.
 *   text  "8, 3, stride=2"; NULL: the defaults
 * Errors: as in a job, at columns of "OPERATOR(text)" in line 1 of `test`. */
int op_args_init(struct op_args *a, const struct op *op, const char *text, struct err *err);
void op_args_release(struct op_args *a);
