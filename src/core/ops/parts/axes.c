#include "core/ops/parts/axes.h"

int axes_check(const char *name, const struct shape *x, struct err *err) {
    char text[SHAPE_TEXT];

    if (axes_of(x) < 1 || axes_of(x) > AXES_MAX)
        return err_set(err, ERR_CONFIG,
                       "%s: x is %s, expected images (samples x height x width x channels), "
                       "or one or three dimensions in place of height x width",
                       name, shape_text(x, text));
    return 0;
}

int axes_check_list(const char *name, const char *what, const struct ints *v, int n_axes,
                    struct err *err) {
    static const char *const expected[] = {"", "", ", or height, width",
                                           ", or depth, height, width"};

    if (v->n > 1 && v->n != n_axes)
        return err_set(err, ERR_CONFIG, "%s: %s has %d numbers, expected one%s", name, what, v->n,
                       expected[n_axes]);
    return 0;
}

const char *axes_text(const int64_t *v, int n_axes, char *text) {
    struct shape s = {.rank = n_axes};

    for (int i = 0; i < n_axes; i++)
        s.dim[i] = v[i];
    return shape_text(&s, text);
}

struct ints axes_h_w(const int64_t *v, int n_axes) {
    if (n_axes == 1)
        return (struct ints){1, {(int)v[0]}};
    return (struct ints){2, {(int)v[n_axes - 2], (int)v[n_axes - 1]}};
}
