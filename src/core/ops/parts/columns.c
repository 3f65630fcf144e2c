#include "core/ops/parts/columns.h"

#include <string.h>

/* Numbers that go into partial sums at a time, and the least rows: error grows with the block. */
enum { BLOCK_LEN = 32768, MIN_ROWS = 64 };

struct columns {
    const struct op_call *c;
    void (*part)(const struct op_call *c, int64_t begin, int64_t end, real *sums);
    int64_t rows, width, n_sums, n_blocks;
    real *const *into;
};

static int64_t block_rows(int64_t n_sums) {
    const int64_t rows = BLOCK_LEN / n_sums;

    return rows > MIN_ROWS ? rows : MIN_ROWS;
}

static int64_t blocks_of(int64_t rows, int64_t n_sums) {
    return (rows + block_rows(n_sums) - 1) / block_rows(n_sums);
}

size_t columns_bytes(int64_t rows, int64_t n_sums) {
    return (size_t)(blocks_of(rows, n_sums) * n_sums) * sizeof(real);
}

static void sum_blocks(void *context, int64_t begin, int64_t end) {
    const struct columns *s = context;
    const int64_t block = block_rows(s->n_sums);

    for (int64_t b = begin; b < end; b++) {
        real *sums = (real *)s->c->scratch + b * s->n_sums;

        memset(sums, 0, (size_t)s->n_sums * sizeof(real));
        s->part(s->c, b * block, b * block + block < s->rows ? b * block + block : s->rows, sums);
    }
}

static void merge_sums(void *context, int64_t begin, int64_t end) {
    const struct columns *s = context;

    for (int64_t i = begin; i < end; i++) {
        double sum = 0;

        for (int64_t b = 0; b < s->n_blocks; b++)
            sum += (double)((const real *)s->c->scratch)[b * s->n_sums + i];
        if (s->into[i / s->width])
            s->into[i / s->width][i % s->width] += (real)sum;
    }
}

void columns_add(const struct op_call *c, int64_t rows, int64_t width, int n_into,
                 void (*part)(const struct op_call *c, int64_t begin, int64_t end, real *sums),
                 real *const *into) {
    struct columns s = {c, part, rows, width, n_into * width, 0, into};

    s.n_blocks = blocks_of(rows, s.n_sums);
    team_run(c->team, s.n_blocks, sum_blocks, &s);
    team_run(c->team, s.n_sums, merge_sums, &s);
}
