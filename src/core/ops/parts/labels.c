#include "core/ops/parts/labels.h"

int labels_check(const char *name, const struct shape *logits, const struct shape *label,
                 struct err *err) {
    struct shape rows = *logits, given = *label;
    char text[2][SHAPE_TEXT];

    if (logits->rank < 2)
        return err_set(err, ERR_CONFIG,
                       "%s: logits are %s, expected samples with a number per class", name,
                       shape_text(logits, text[0]));
    rows.rank--;
    if (given.rank == logits->rank && given.dim[given.rank - 1] == 1)
        given.rank--;
    if (!shape_equal(&rows, &given))
        return err_set(err, ERR_CONFIG, "%s: logits are %s and labels %s", name,
                       shape_text(logits, text[0]), shape_text(label, text[1]));
    return 0;
}

static double count_below(const struct op_call *c, int64_t classes, int ignore) {
    const int64_t rows = labels_rows(c);
    int64_t n = 0;

    for (int64_t row = 0; row < rows; row++)
        n += labels_below(c, row, classes, ignore) >= 0;
    return (double)n;
}

double labels_count(const struct op_call *c, int ignore) {
    return count_below(c, shape_channels(&c->x[0].shape), ignore);
}

double labels_count_binary(const struct op_call *c, int ignore) {
    return count_below(c, labels_classes(shape_channels(&c->x[0].shape)), ignore);
}
