/* Sums along one tree: the same bits on any number of ranks. */
#include "support/mpi_main.h"

#include "dist/allreduce/allreduce.h"
#include "dist/fold.h"

#include <math.h>
#include <sched.h>
#include <string.h>

enum { LEN = 1 << 16 };

/* A number whose sums depend on the order of addition; itself it is exact. */
static real term(int leaf, int64_t i) {
    const int64_t whole = (i * 104729 + leaf * 7919) % 20011 - 10005;

    return (real)ldexp((double)whole, (int)((i + leaf) % 7) * 3);
}

static double third(int leaf, int64_t i) {
    return (double)term(leaf, i) / 3;
}

/* The tree as it is drawn, from above. */
static real sum_of(int leaves, int begin, int width, int64_t i) {
    const int half = begin + width / 2;

    if (width == 1)
        return term(begin, i);
    const real left = sum_of(leaves, begin, width / 2, i);
    return half < leaves ? left + sum_of(leaves, half, width / 2, i) : left;
}

static double thirds_of(int leaves, int begin, int width, int64_t i) {
    const int half = begin + width / 2;

    if (width == 1)
        return third(begin, i);
    const double left = thirds_of(leaves, begin, width / 2, i);
    return half < leaves ? left + thirds_of(leaves, half, width / 2, i) : left;
}

static int width_of(int leaves) {
    int width = 1;

    while (width < leaves)
        width *= 2;
    return width;
}

static void pieces_are_few_and_cover(void **state) {
    struct fold_piece p[FOLD_MAX_PIECES];

    (void)state;
    assert_int_equal(fold_pieces(8, 0, 8, p), 1);
    assert_int_equal(p[0].width, 8);
    assert_int_equal(fold_pieces(8, 1, 7, p), 4); /* 1, 23, 45, 6 */
    assert_int_equal(fold_pieces(6, 4, 6, p), 1); /* reaches to 8, of which 6 and 7 are nothing */
    assert_int_equal(p[0].width, 4);
    assert_int_equal(fold_pieces(6, 3, 3, p), 0);
    assert_int_equal(fold_pieces(6, 3, 5, p), 2);
    assert_int_equal(fold_completes(8, 0, 7), 3);
    assert_int_equal(fold_completes(5, 0, 4), 1);
    assert_int_equal(fold_completes(8, 4, 5), 1);
    assert_int_equal(fold_completes(8, 3, 4), 0);
    assert_int_equal(fold_depth(8, 0, 8), 3);
    assert_int_equal(fold_depth(8, 4, 5), 0);
}

static void ranks_share_all_leaves(void **state) {
    (void)state;
    for (int leaves = 1; leaves < 40; leaves++)
        for (int size = 1; size <= leaves; size++) {
            assert_int_equal(fold_first(leaves, 0, size), 0);
            assert_int_equal(fold_first(leaves, size, size), leaves);
            for (int r = 0; r < size; r++)
                assert_true(fold_first(leaves, r + 1, size) > fold_first(leaves, r, size));
        }
}

static void rows_are_folded_along_the_tree(void **state) {
    (void)state;
    for (int leaves = 1; leaves < 20; leaves++) {
        double rows[20][3];
        for (int v = 0; v < leaves; v++)
            for (int i = 0; i < 3; i++)
                rows[v][i] = third(v, i);
        fold_rows(rows[0], leaves, 3);
        for (int i = 0; i < 3; i++)
            assert_true(rows[0][i] == thirds_of(leaves, 0, width_of(leaves), i));
    }
}

/* The gradient of each leaf in turn; what it completes is folded, as a step does. */
struct brought {
    real v[LEN + 1], pieces[4][LEN];
};

static void bring(struct brought *b, int leaves, int64_t len) {
    const int first = fold_first(leaves, comm_rank(comm), comm_size(comm));
    const int end = fold_first(leaves, comm_rank(comm) + 1, comm_size(comm));
    int depth = 0;

    for (int leaf = first; leaf < end; leaf++) {
        const int n = fold_completes(leaves, first, leaf);
        for (int64_t i = 0; i < len; i++)
            b->v[i] = term(leaf, i);
        depth -= n;
        fold_into(b->v, b->pieces[depth], LEN, n, len, leaf + 1 < end ? b->pieces[depth] : b->v);
        depth++;
    }
    b->v[len] = -7; /* must stay */
}

static void sums_over_ranks_are_those_of_one(void **state) {
    static struct brought b;
    const int p = comm_size(comm);
    const int64_t lengths[] = {0, 1, p - 1, p, p + 1, 1025, LEN};
    const struct applied fold = {allreduce_find("fold"), NULL};
    struct err err = {0};

    (void)state;
    for (int leaves = p; leaves <= 9; leaves++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            const int64_t len = lengths[k];
            const struct allreduce_vector vector = {.v = b.v,
                                                    .len = len,
                                                    .own = true,
                                                    .shards = leaves,
                                                    .partial = b.pieces[0],
                                                    .partial_stride = LEN};
            struct allreduce *a = NULL;
            if (allreduce_new(&a, comm, &fold, &vector, 1, &err))
                fail_msg("%s", err.msg);
            for (int step = 0; step < 2; step++) {
                bring(&b, leaves, len);
                allreduce_run(a, 0);
                for (int64_t i = 0; i < len; i++)
                    if (b.v[i] != sum_of(leaves, 0, width_of(leaves), i))
                        fail_msg("%d ranks, %d leaves: sum[%lld of %lld] is %.17g, not %.17g", p,
                                 leaves, (long long)i, (long long)len, (double)b.v[i],
                                 (double)sum_of(leaves, 0, width_of(leaves), i));
                assert_true(b.v[len] == -7);
            }
            allreduce_free(a);
        }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pieces_are_few_and_cover),
    cmocka_unit_test(ranks_share_all_leaves),
    cmocka_unit_test(rows_are_folded_along_the_tree),
    cmocka_unit_test(sums_over_ranks_are_those_of_one),
};

MPI_MAIN(tests)
