/* help_onnx.c - which operators go to ONNX files and come back, from the tables that do it. */
#include "cmd/help_text.h"
#include "core/ops/op.h"
#include "export/lift.h"
#include "export/lower.h"

#include <stdio.h>

/* Losses and metrics are no part of a network that is used. */
static bool stands_in_nets(const struct op *op) {
    return !op->count && !op->meaning.means_x && !op->meaning.better;
}

void help_onnx(void) {
    const struct lower_op *op;
    const struct lift_op *back;
    int n_ops;
    const struct op *const *ops = op_table(&n_ops);

    printf("Operators in ONNX files (dltrain convert RUN OUT.onnx)\n");
    for (int i = 0; (op = lower_at(i)); i++)
        if (op_find(op->word))
            printf("  %-20s %s\n", op->word, op->as);
    printf("\nNot in ONNX files:");
    for (int i = 0; i < n_ops; i++)
        if (stands_in_nets(ops[i]) && !lower_find(ops[i]->word.name))
            printf(" %s", ops[i]->word.name);
    printf("\n\nRead from ONNX files (dltrain convert IN.onnx OUT.ini):");
    for (int i = 0; (back = lift_at(i)); i++)
        printf("%s%s", i % 6 ? " " : "\n  ", back->type);
    printf("\n");
}

void help_onnx_markdown(void) {
    const struct lower_op *op;
    const struct lift_op *back;
    int n_ops;
    const struct op *const *ops = op_table(&n_ops);

    printf("# Operators in ONNX files\n\n"
           "Written by `scripts/docs` from the program's own tables; `dltrain help onnx` prints "
           "them. [onnx.md](onnx.md) says how\nsuch files are made, run and read.\n\n"
           "| operator | in the file |\n|---|---|\n");
    for (int i = 0; (op = lower_at(i)); i++)
        if (op_find(op->word))
            printf("| `%s` | %s |\n", op->word, op->as);
    printf("\nNetworks that use one of these are refused (78):");
    for (int i = 0, n = 0; i < n_ops; i++)
        if (stands_in_nets(ops[i]) && !lower_find(ops[i]->word.name))
            printf("%s `%s`", n++ ? "," : "", ops[i]->word.name);
    printf(
        ".\n\n## Read\nOf ONNX files these operators are read; others are refused (65), and so are "
        "attributes and constants that have no\ncounterpart.\n\n");
    for (int i = 0; (back = lift_at(i)); i++)
        printf("%s`%s`", !i ? "" : i % 8 ? ", " : ",\n", back->type);
    printf("\n");
}
