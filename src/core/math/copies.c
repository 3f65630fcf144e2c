#include "core/math/copies.h"

#include "core/base/arena.h"

/* Elements from one copy to the next. */
static int64_t pitch(const struct copies *c) {
    return (int64_t)(arena_apart((size_t)(c->rows * c->cols) * sizeof(real)) / sizeof(real));
}

size_t copies_bytes(const struct copies *c) {
    return c->n > 1 ? (size_t)(c->n * pitch(c)) * sizeof(real) : 0;
}

real *copies_at(const struct copies *c, int64_t i) {
    return c->first + i * pitch(c);
}

struct addition {
    const struct copies *copies;
    real *sum;
    int64_t ld;
};

static void add_rows(void *context, int64_t begin, int64_t end) {
    const struct addition *a = context;
    const int64_t cols = a->copies->cols;

    for (int64_t row = begin; row < end; row++) {
        real *sum = a->sum + row * a->ld;

        for (int64_t i = 0; i < a->copies->n; i++) {
            const real *from = copies_at(a->copies, i) + row * cols;

            for (int64_t j = 0; j < cols; j++)
                sum[j] += from[j];
        }
    }
}

void copies_add(const struct copies *c, struct team *team, real *sum, int64_t ld) {
    struct addition a = {c, sum, ld};

    team_run(team, c->rows, add_rows, &a);
}
