#include "report/measures_json.h"
#include "io/runlog/runlog.h"
#include "train/evaluate.h"

#include <math.h>

/* Rows of numbers as lists of lists; dimensions of length 1 are left out. */
static json_t *table_json(const real *v, const struct shape *s, int axis) {
    while (axis < s->rank && s->dim[axis] == 1)
        axis++;
    if (axis == s->rank)
        return isfinite(*v) ? json_real((double)*v) : json_null();
    json_t *list = json_array();
    int64_t step = 1;
    for (int i = axis + 1; i < s->rank; i++)
        step *= s->dim[i];
    for (int64_t i = 0; i < s->dim[axis]; i++)
        json_array_append_new(list, table_json(v + i * step, s, axis + 1));
    return list;
}

json_t *measures_json(const struct replica *r, json_t *errors) {
    json_t *measures = json_object();
    struct tensor table;
    const char *name;
    double value, error;

    for (int i = 0; evaluate_measure(r, i, &name, &value); i++) {
        runlog_number(measures, name, value);
        if (evaluate_error(r, i, &error))
            runlog_number(errors, name, error);
    }
    for (int i = 0; evaluate_table(r, i, &name, &table); i++)
        json_object_set_new(measures, name, table_json(table.reals, &table.shape, 0));
    return measures;
}
