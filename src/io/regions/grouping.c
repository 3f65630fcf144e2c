#include "io/regions/grouping.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct likely {
    float alike;
    int32_t a, b; /* a < b */
};

/* Neighbours of a piece. */
struct near {
    int32_t *of;
    int32_t n, room;
};

struct grouping {
    struct portion *piece;
    struct near *near;   /* [2 n - 1] */
    int32_t *seen;       /* [2 n - 1]: by which piece last */
    bool *gone;          /* [2 n - 1]: joined to another */
    struct likely *heap; /* the most alike first */
    int64_t n_heap, room;
    unsigned which;
    int64_t picture;
};

static bool before(const struct likely *a, const struct likely *b) {
    if (a->alike > b->alike || a->alike < b->alike)
        return a->alike > b->alike;
    return a->a != b->a ? a->a < b->a : a->b < b->b;
}

static bool push(struct grouping *g, struct likely pair) {
    if (g->n_heap == g->room) {
        const int64_t room = g->room ? 2 * g->room : 1024;
        struct likely *heap = realloc(g->heap, (size_t)room * sizeof *heap);
        if (!heap)
            return false;
        g->heap = heap;
        g->room = room;
    }
    int64_t i = g->n_heap++;
    for (; i && before(&pair, &g->heap[(i - 1) / 2]); i = (i - 1) / 2)
        g->heap[i] = g->heap[(i - 1) / 2];
    g->heap[i] = pair;
    return true;
}

static struct likely pop(struct grouping *g) {
    const struct likely first = g->heap[0], last = g->heap[--g->n_heap];
    int64_t i = 0;

    for (;;) {
        int64_t child = 2 * i + 1;
        if (child >= g->n_heap)
            break;
        if (child + 1 < g->n_heap && before(&g->heap[child + 1], &g->heap[child]))
            child++;
        if (!before(&g->heap[child], &last))
            break;
        g->heap[i] = g->heap[child];
        i = child;
    }
    if (g->n_heap)
        g->heap[i] = last;
    return first;
}

static bool add_near(struct near *to, int32_t piece) {
    if (to->n == to->room) {
        const int32_t room = to->room ? 2 * to->room : 8;
        int32_t *of = realloc(to->of, (size_t)room * sizeof *of);
        if (!of)
            return false;
        to->of = of;
        to->room = room;
    }
    to->of[to->n++] = piece;
    return true;
}

static bool push_alike(struct grouping *g, int32_t a, int32_t b) {
    const struct likely pair = {pieces_alike(&g->piece[a], &g->piece[b], g->which, g->picture),
                                a < b ? a : b, a < b ? b : a};

    return push(g, pair);
}

static bool meet(struct grouping *g, int32_t a, int32_t b) {
    const bool first = g->near[a].n < g->near[b].n;
    const struct near *fewer = &g->near[first ? a : b];

    for (int32_t i = 0; i < fewer->n; i++)
        if (fewer->of[i] == (first ? b : a))
            return true;
    return add_near(&g->near[a], b) && add_near(&g->near[b], a) && push_alike(g, a, b);
}

/* Pieces with pixels side by side are neighbours. */
static bool find_neighbours(struct grouping *g, const int32_t *label, int64_t height,
                            int64_t width) {
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            const int64_t i = y * width + x;
            if (x + 1 < width && label[i] != label[i + 1] && !meet(g, label[i], label[i + 1]))
                return false;
            if (y + 1 < height && label[i] != label[i + width] &&
                !meet(g, label[i], label[i + width]))
                return false;
        }
    return true;
}

/* The neighbours of both are those of the new one, which replaces them. */
static bool inherit(struct grouping *g, int32_t from, int32_t to) {
    for (int32_t i = 0; i < g->near[from].n; i++) {
        const int32_t other = g->near[from].of[i];
        if (g->gone[other] || g->seen[other] == to)
            continue;
        g->seen[other] = to;
        if (!add_near(&g->near[to], other) || !add_near(&g->near[other], to) ||
            !push_alike(g, other, to))
            return false;
    }
    free(g->near[from].of);
    g->near[from] = (struct near){0};
    return true;
}

static bool join_all(struct grouping *g, int32_t made, int32_t end) {
    while (made < end && g->n_heap) {
        const struct likely pair = pop(g);
        if (g->gone[pair.a] || g->gone[pair.b])
            continue;
        pieces_join(&g->piece[pair.a], &g->piece[pair.b], &g->piece[made]);
        g->gone[pair.a] = g->gone[pair.b] = true;
        if (!inherit(g, pair.a, made) || !inherit(g, pair.b, made))
            return false;
        made++;
    }
    return true;
}

int pieces_group(struct portion *piece, int64_t n, const int32_t *label, int64_t height,
                 int64_t width, unsigned which, struct err *err) {
    const size_t all = (size_t)(2 * n - 1);
    struct grouping g = {.piece = piece,
                         .near = calloc(all, sizeof *g.near),
                         .seen = calloc(all, sizeof *g.seen),
                         .gone = calloc(all, sizeof *g.gone),
                         .which = which,
                         .picture = height * width};
    const bool done = g.near && g.seen && g.gone && find_neighbours(&g, label, height, width) &&
                      join_all(&g, (int32_t)n, (int32_t)all);

    for (size_t i = 0; g.near && i < all; i++)
        free(g.near[i].of);
    free(g.near);
    free(g.seen);
    free(g.gone);
    free(g.heap);
    return done ? 0 : err_set(err, ERR_IO, "no memory to group %lld pieces", (long long)n);
}
