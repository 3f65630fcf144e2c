#include "dist/fold.h"

#include <string.h>

enum { BLOCK = 1024 }; /* of reals: stays in the first cache */

int fold_first(int leaves, int rank, int size) {
    return (int)((int64_t)leaves * rank / size);
}

static int64_t tree_width(int leaves) {
    int64_t width = 1;

    while (width < leaves)
        width *= 2;
    return width;
}

int fold_pieces(int leaves, int begin, int end, struct fold_piece out[FOLD_MAX_PIECES]) {
    const int64_t all = tree_width(leaves), stop = end == leaves && begin < end ? all : end;
    int n = 0;

    for (int64_t at = begin; at < stop; at += out[n++].width) {
        int64_t width = all;
        while (at % width || at + width > stop)
            width /= 2;
        out[n] = (struct fold_piece){at, width};
    }
    return n;
}

int fold_completes(int leaves, int first, int leaf) {
    struct fold_piece pieces[FOLD_MAX_PIECES];
    const int before = fold_pieces(leaves, first, leaf, pieces);

    return before + 1 - fold_pieces(leaves, first, leaf + 1, pieces);
}

int fold_depth(int leaves, int begin, int end) {
    struct fold_piece pieces[FOLD_MAX_PIECES];
    int depth = 0;

    for (int leaf = begin; leaf < end; leaf++) {
        const int n = fold_pieces(leaves, begin, leaf, pieces);
        depth = n > depth ? n : depth;
    }
    return depth;
}

bool fold_fit(const struct fold_piece *left, const struct fold_piece *right) {
    return left->width == right->width && left->begin + left->width == right->begin &&
           left->begin % (2 * left->width) == 0;
}

static void add(real *restrict sum, const real *restrict left, int64_t len) {
    for (int64_t i = 0; i < len; i++)
        sum[i] = left[i] + sum[i];
}

void fold_into(const real *leaf, const real *piece, int64_t stride, int n, int64_t len, real *to) {
    real sum[BLOCK];

    for (int64_t at = 0; at < len; at += BLOCK) {
        const int64_t here = len - at < BLOCK ? len - at : BLOCK;
        memcpy(sum, leaf + at, (size_t)here * sizeof *sum);
        for (int k = n - 1; k >= 0; k--)
            add(sum, piece + k * stride + at, here);
        memcpy(to + at, sum, (size_t)here * sizeof *sum);
    }
}

void fold_rows(double *rows, int leaves, int64_t len) {
    for (int64_t i = 0; i < leaves * len; i++)
        rows[i] += 0.0;
    for (int64_t width = 1; width < leaves; width *= 2)
        for (int64_t left = 0; left + width < leaves; left += 2 * width)
            for (int64_t i = 0; i < len; i++)
                rows[left * len + i] += rows[(left + width) * len + i];
}
