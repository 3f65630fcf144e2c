#include "io/regions/search.h"
#include "core/base/rng.h"
#include "io/regions/grouping.h"
#include "io/regions/segment.h"

#include <stdlib.h>
#include <string.h>

/* The paper's strategies, section 5.1.4, "Fast" and "Quality"; of a picture in grey, intensity is
 * the only space that is not the same again. */
struct strategy {
    enum colour_space space[5];
    int n_spaces;
    double k[4];
    int n_ks;
    unsigned which[4];
    int n_which;
};

enum {
    CTSF = LIKE_COLOUR | LIKE_TEXTURE | LIKE_SIZE | LIKE_FILL,
    TSF = LIKE_TEXTURE | LIKE_SIZE | LIKE_FILL
};

static const struct strategy fast = {{COLOUR_HSV, COLOUR_LAB}, 2, {50, 100}, 2, {CTSF, TSF}, 2};
static const struct strategy quality = {
    {COLOUR_HSV, COLOUR_LAB, COLOUR_RGI, COLOUR_HUE, COLOUR_INTENSITY},
    5,
    {50, 100, 150, 300},
    4,
    {CTSF, TSF, LIKE_FILL, LIKE_SIZE},
    4};

static const double smoothing = 0.8; /* of the picture, section 3.1's source */

struct finds {
    struct search_box *box;
    int64_t n, room;
    uint64_t key, drawn;
};

/* One picture in one colour space. */
struct scene {
    int64_t height, width;
    int c;
    float *planes, *smoothed, *slopes; /* [c], [c] and [2, c] of height x width */
    int32_t *label;
};

static int no_memory(struct err *err) {
    return err_set(err, ERR_IO, "no memory to look for regions");
}

/* Pieces that were joined last come first: the last has place 1. */
static int take_boxes(struct finds *f, const struct portion *piece, int64_t n, struct err *err) {
    if (f->n + n > f->room) {
        const int64_t room = 2 * (f->n + n);
        struct search_box *box = realloc(f->box, (size_t)room * sizeof *box);
        if (!box)
            return no_memory(err);
        f->box = box;
        f->room = room;
    }
    for (int64_t i = 0; i < n; i++)
        f->box[f->n++] =
            (struct search_box){.at = {(int32_t)piece[i].left, (int32_t)piece[i].top,
                                       (int32_t)piece[i].right, (int32_t)piece[i].bottom},
                                .place = (double)(n - i) * (double)rng_uniform(f->key, f->drawn++)};
    return 0;
}

/* Differences of the smoothed picture to both sides, half of them. */
static int find_slopes(const struct scene *v, struct err *err) {
    const int64_t len = v->height * v->width;
    float *smooth = v->smoothed;

    memcpy(smooth, v->planes, (size_t)(v->c * len) * sizeof *smooth);
    if (segment_smooth(smooth, v->c, v->height, v->width, 1, err))
        return -1;
    for (int64_t i = 0; i < v->c * len; i++) {
        const int64_t x = i % v->width, y = i / v->width % v->height;
        const int64_t left = x ? i - 1 : i, right = x + 1 < v->width ? i + 1 : i;
        const int64_t up = y ? i - v->width : i, down = y + 1 < v->height ? i + v->width : i;
        v->slopes[i] = (smooth[right] - smooth[left]) / 2;
        v->slopes[v->c * len + i] = (smooth[down] - smooth[up]) / 2;
    }
    return 0;
}

static int search_scale(const struct scene *v, double k, const struct strategy *s, struct finds *f,
                        struct err *err) {
    const struct segment_options options = {smoothing, k, (int64_t)k};
    int64_t n;

    memcpy(v->smoothed, v->planes, (size_t)(v->c * v->height * v->width) * sizeof *v->planes);
    if (segment_picture(v->smoothed, v->c, v->height, v->width, &options, v->label, &n, err))
        return -1;
    struct portion *piece = malloc((size_t)(2 * n - 1) * sizeof *piece);
    int rc = piece ? 0 : no_memory(err);
    if (!rc)
        pieces_describe(v->planes, v->slopes, v->c, v->height, v->width, v->label, n, piece);
    for (int i = 0; i < s->n_which && !rc; i++)
        rc = pieces_group(piece, n, v->label, v->height, v->width, s->which[i], err) ||
                     take_boxes(f, piece, 2 * n - 1, err)
                 ? -1
                 : 0;
    free(piece);
    return rc;
}

static int search_space(const unsigned char *pixels, int channels, enum colour_space space,
                        struct scene *v, const struct strategy *s, struct finds *f,
                        struct err *err) {
    v->c = colour_planes(space);
    colour_convert(pixels, v->height * v->width, channels, space, v->planes);
    if (find_slopes(v, err))
        return -1;
    for (int i = 0; i < s->n_ks; i++)
        if (search_scale(v, s->k[i], s, f, err))
            return -1;
    return 0;
}

static int by_box(const void *a, const void *b) {
    const struct search_box *p = a, *q = b;

    for (int i = 0; i < 4; i++)
        if (p->at[i] != q->at[i])
            return p->at[i] < q->at[i] ? -1 : 1;
    return (p->place > q->place) - (p->place < q->place);
}

static int by_place(const void *a, const void *b) {
    const struct search_box *p = a, *q = b;

    return p->place > q->place || p->place < q->place ? (p->place > q->place) * 2 - 1
                                                      : by_box(a, b);
}

/* Every box once, at its first place, in the order of places. */
static void settle(struct finds *f) {
    int64_t n = 0;

    qsort(f->box, (size_t)f->n, sizeof *f->box, by_box);
    for (int64_t i = 0; i < f->n; i++)
        if (!n || memcmp(f->box[i].at, f->box[n - 1].at, sizeof f->box[i].at) != 0)
            f->box[n++] = f->box[i];
    f->n = n;
    qsort(f->box, (size_t)f->n, sizeof *f->box, by_place);
}

int regions_search(const unsigned char *pixels, int64_t height, int64_t width, int channels,
                   const struct search_options *options, struct search_box **out, int64_t *n,
                   struct err *err) {
    struct strategy s = options->quality ? quality : fast;
    const size_t len = (size_t)(height * width);
    struct finds f = {.key = rng_key(options->seed, RNG_REGIONS, options->sample, 0)};
    struct scene v = {.height = height,
                      .width = width,
                      .planes = malloc(COLOUR_MOST_PLANES * len * sizeof(float)),
                      .smoothed = malloc(COLOUR_MOST_PLANES * len * sizeof(float)),
                      .slopes = malloc(2 * COLOUR_MOST_PLANES * len * sizeof(float)),
                      .label = malloc(len * sizeof(int32_t))};
    int rc = v.planes && v.smoothed && v.slopes && v.label ? 0 : no_memory(err);

    if (channels == 1)
        s.space[0] = COLOUR_INTENSITY, s.n_spaces = 1;
    for (int i = 0; i < s.n_spaces && !rc; i++)
        rc = search_space(pixels, channels, s.space[i], &v, &s, &f, err);
    free(v.planes);
    free(v.smoothed);
    free(v.slopes);
    free(v.label);
    if (rc) {
        free(f.box);
        return -1;
    }
    settle(&f);
    *out = f.box;
    *n = f.n < options->most ? f.n : options->most;
    return 0;
}
