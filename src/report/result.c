#include "report/result.h"
#include "train/evaluate.h"

void result_values(FILE *out, const struct replica *r) {
    const char *name;
    double value;

    for (int i = 0; evaluate_measure(r, i, &name, &value); i++)
        fprintf(out, " %s=%.4f", name, value);
}

void result_errors(FILE *out, const struct replica *r) {
    const char *name;
    double value, error;

    for (int i = 0; evaluate_measure(r, i, &name, &value); i++)
        if (evaluate_error(r, i, &error))
            fprintf(out, " %s_stderr=%.4f", name, error);
}
