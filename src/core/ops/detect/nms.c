/* nms(regions, scores[, regions, scores, ..], iou=0.5, score=0.05, top=100, before=1000, each=list,
 * kind=greedy, classes=own, background=none, smallest=0, sigma=0.5): the boxes that a network
 * found: [n, top, 6]. Of each list of regions (of a level, [n, r, 4], or a box for each class, [n,
 * r, 4 * C]) and scores [n, r, C] the `before` best scores above `score` are candidates, or as many
 * of each class of it (each=class). In the order of their scores, over all lists, greedy  one that
 * shares more than `iou` with a better one is left out soft    scores fall by exp(-iou^2 / sigma)
 * with each better one, and order with them linear  by 1 - iou, where that is more than `iou` among
 * its own class, or among all. background=first: channel 0 of scores (and of boxes for each class)
 * is none. No gradient. Source: Bodla et al. 2017, doi:10.1109/ICCV.2017.593 */
#include "core/ops/detect/coder.h"
#include "core/ops/detect/lists.h"
#include "core/ops/detect/ranked.h"
#include "core/ops/parts/share.h"

#include <string.h>

enum { KIND_GREEDY, KIND_SOFT, KIND_LINEAR };

struct nms {
    double iou, score, smallest, sigma;
    int top, before, each, kind, classes, background;
};

static const char *const each_words[] = {"list", "class", NULL};
static const char *const kinds[] = {"greedy", "soft", "linear", NULL};
static const char *const class_words[] = {"own", "all", NULL};
static const char *const backgrounds[] = {"none", "first", NULL};

static const struct arg_spec specs[] = {
    {.name = "iou",
     .kind = ARG_REAL,
     .offset = offsetof(struct nms, iou),
     .fallback = 0.5,
     .min = 0,
     .max = 1,
     .help = "intersection over union that is too much"},
    {.name = "score",
     .kind = ARG_REAL,
     .offset = offsetof(struct nms, score),
     .fallback = 0.05,
     .help = "candidates have more"},
    {.name = "top",
     .kind = ARG_INT,
     .offset = offsetof(struct nms, top),
     .fallback = 100,
     .min = 1,
     .max = 1 << 20,
     .help = "boxes that remain at most"},
    {.name = "before",
     .kind = ARG_INT,
     .offset = offsetof(struct nms, before),
     .fallback = 1000,
     .min = 1,
     .max = 1 << 24,
     .help = "candidates of each list at most"},
    {.name = "each",
     .kind = ARG_WORD,
     .offset = offsetof(struct nms, each),
     .words = each_words,
     .help = "class: `before` is of each class of a list"},
    {.name = "kind",
     .kind = ARG_WORD,
     .offset = offsetof(struct nms, kind),
     .words = kinds,
     .help = "what becomes of a box that shares much with a better one"},
    {.name = "classes",
     .kind = ARG_WORD,
     .offset = offsetof(struct nms, classes),
     .words = class_words,
     .help = "among boxes of its own class, or of all"},
    {.name = "background",
     .kind = ARG_WORD,
     .offset = offsetof(struct nms, background),
     .words = backgrounds,
     .help = "first: channel 0 is no class"},
    {.name = "smallest",
     .kind = ARG_REAL,
     .offset = offsetof(struct nms, smallest),
     .fallback = 0,
     .min = 0,
     .max = -1,
     .help = "width and height of a box, pixels at least"},
    {.name = "sigma",
     .kind = ARG_REAL,
     .offset = offsetof(struct nms, sigma),
     .fallback = 0.5,
     .min = ARG_ABOVE_0,
     .max = -1,
     .help = "of soft"},
    {0},
};

/* A candidate: row of found as it may become. */
struct nms_row {
    act row[FOUND];
};

/* Candidates that the lists k give at most. */
static int64_t most_of(const struct nms *a, const struct shape *scores) {
    const int64_t r = scores->dim[1], n = scores->dim[2] - a->background;

    if (a->each)
        return n * (r < a->before ? r : a->before);
    return r * n < a->before ? r * n : a->before;
}

static int64_t most_of_all(const struct nms *a, const struct op_call *c) {
    int64_t sum = 0;

    for (int k = 1; k < c->n_x; k += 2)
        sum += most_of(a, &c->x[k].shape);
    return sum;
}

static int check(const struct nms *a, const struct shape *x, int k, struct err *err) {
    char text[SHAPE_TEXT], text1[SHAPE_TEXT];
    const struct shape *regions = &x[k], *scores = &x[k + 1];

    if (scores->rank != 3 || regions->rank != 3)
        return err_set(err, ERR_CONFIG, "nms: regions and scores are %s and %s, expected lists",
                       shape_text(regions, text), shape_text(scores, text1));
    if (scores->dim[2] - a->background < 1)
        return err_set(err, ERR_CONFIG, "nms: scores are %s, without a class beside the background",
                       shape_text(scores, text));
    if (regions->dim[2] != BOX && regions->dim[2] != BOX * scores->dim[2])
        return err_set(err, ERR_CONFIG,
                       "nms: regions of %s are neither 4 nor 4 * %lld numbers a row",
                       shape_text(regions, text), (long long)scores->dim[2]);
    if (scores->dim[2] != x[1].dim[2])
        return err_set(err, ERR_CONFIG, "nms: scores %d are of %lld classes and the first of %lld",
                       k / 2 + 1, (long long)scores->dim[2], (long long)x[1].dim[2]);
    if (shape_len(scores) / (scores->dim[0] ? scores->dim[0] : 1) > INT32_MAX)
        return err_set(err, ERR_CONFIG, "nms: %s are more scores than 2147483647 a sample",
                       shape_text(scores, text));
    return list_rows_check("nms", "regions", regions, "scores", scores, err);
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct nms *a = args;
    int64_t most = 0;

    if (n_x % 2)
        return err_set(err, ERR_CONFIG, "nms: %d inputs, expected pairs of regions and scores",
                       n_x);
    for (int k = 0; k < n_x; k += 2) {
        if (check(a, x, k, err))
            return -1;
        most += most_of(a, &x[k + 1]);
        plan->flops += (double)shape_len(&x[k + 1]);
    }
    plan->y = (struct shape){3, {x[0].dim[0], a->top, FOUND}};
    plan->scratch_bytes =
        (size_t)(x[0].dim[0] * most) * (sizeof(struct nms_row) + sizeof(struct ranked));
    return 0;
}

/* The box of a row, or of a class of a row. */
static const act *box_of(const struct tensor *regions, int64_t row, int64_t channel) {
    const int64_t n = shape_channels(&regions->shape);

    return regions->data + row * n + (n == BOX ? 0 : channel * BOX);
}

static bool large_enough(const struct nms *a, const act *box) {
    return box_is(box) && (double)box[2] - (double)box[0] >= a->smallest &&
           (double)box[3] - (double)box[1] >= a->smallest;
}

/* Of channels from .. to - 1 of a list the best scores into heap[most]; returns how many. */
static int64_t best_of(const struct op_call *c, int k, int64_t sample, int64_t from, int64_t to,
                       struct ranked *heap, int64_t most) {
    const struct nms *a = c->args;
    const struct tensor *scores = &c->x[k + 1];
    const int64_t r = scores->shape.dim[1], n = scores->shape.dim[2];
    const act *score = scores->data + sample * r * n, least = (act)a->score;
    int64_t kept = 0;

    for (int64_t row = 0; row < r; row++)
        for (int64_t j = from; j < to; j++) {
            const act one = score[row * n + j];

            if (one > least && (kept < most || one > heap[0].score) &&
                box_is(box_of(&c->x[k], sample * r + row, j)))
                ranked_offer(heap, &kept, most, (struct ranked){one, (int32_t)(row * n + j)});
        }
    ranked_sort(heap, kept);
    return kept;
}

/* All candidates of a sample, list by list; returns how many. */
static int64_t candidates_of(const struct op_call *c, int64_t sample, struct nms_row *out,
                             struct ranked *heap) {
    const struct nms *a = c->args;
    int64_t n_out = 0;

    for (int k = 0; k < c->n_x; k += 2) {
        const int64_t n = c->x[k + 1].shape.dim[2], r = c->x[k + 1].shape.dim[1];
        const int64_t step = a->each ? 1 : n - a->background;

        for (int64_t from = a->background; from < n; from += step) {
            const int64_t all = r * step, most = all < a->before ? all : a->before;
            const int64_t kept = best_of(c, k, sample, from, from + step, heap, most);

            for (int64_t i = 0; i < kept; i++) {
                const int64_t channel = heap[i].at % n;
                const act *box = box_of(&c->x[k], sample * r + heap[i].at / n, channel);

                if (!large_enough(a, box))
                    continue;
                memcpy(out[n_out].row, box, BOX * sizeof *box);
                out[n_out].row[4] = (act)(channel - a->background);
                out[n_out++].row[5] = heap[i].score;
            }
        }
    }
    return n_out;
}

/* Does the candidate share too much with one that was found? Of one class, unless all count. */
static bool shares(const struct nms *a, const act *one, const act *found, int64_t n) {
    for (int64_t i = 0; i < n; i++, found += FOUND)
        if ((a->classes || one[4] == found[4]) && box_iou(one, found) > a->iou)
            return true;
    return false;
}

static int64_t greedy(const struct nms *a, const struct nms_row *all, struct ranked *order,
                      int64_t n, act *found) {
    int64_t kept = 0, ranked = 0;

    for (int64_t i = 0; i < n; i++)
        ranked_offer(order, &ranked, n, (struct ranked){all[i].row[5], (int32_t)i});
    ranked_sort(order, n);
    for (int64_t i = 0; i < n && kept < a->top; i++) {
        const act *one = all[order[i].at].row;

        if (!shares(a, one, found, kept))
            memcpy(found + kept++ * FOUND, one, FOUND * sizeof *one);
    }
    return kept;
}

/* What is left of a score beside a better box. */
static double left_of(const struct nms *a, const act *one, const act *better) {
    if (!a->classes && one[4] != better[4])
        return 1;
    const double iou = box_iou(one, better);
    return a->kind == KIND_SOFT ? exp(-iou * iou / a->sigma) : iou > a->iou ? 1 - iou : 1;
}

static int64_t soft(const struct nms *a, struct nms_row *all, int64_t n, act *found) {
    int64_t kept = 0;

    while (n && kept < a->top) {
        int64_t best = 0, left = 0;

        for (int64_t i = 1; i < n; i++)
            if (all[i].row[5] > all[best].row[5])
                best = i;
        act *one = found + kept++ * FOUND;
        memcpy(one, all[best].row, FOUND * sizeof *one);
        for (int64_t i = 0; i < n; i++) {
            if (i == best)
                continue;
            all[i].row[5] = (act)((double)all[i].row[5] * left_of(a, all[i].row, one));
            if ((double)all[i].row[5] > a->score)
                all[left++] = all[i];
        }
        n = left;
    }
    return kept;
}

static void forward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct nms *a = c->args;
    const int64_t most = most_of_all(a, c), samples = c->y.shape.dim[0];
    struct nms_row *all = (struct nms_row *)c->scratch + begin * most;
    struct ranked *heap =
        (struct ranked *)(void *)((struct nms_row *)c->scratch + samples * most) + begin * most;

    for (int64_t sample = begin; sample < end; sample++, all += most, heap += most) {
        act *found = c->y.data + sample * a->top * FOUND;
        const int64_t n = candidates_of(c, sample, all, heap);
        const int64_t kept =
            a->kind == KIND_GREEDY ? greedy(a, all, heap, n, found) : soft(a, all, n, found);

        memset(found + kept * FOUND, 0, (size_t)((a->top - kept) * FOUND) * sizeof *found);
        for (int64_t i = kept; i < a->top; i++)
            found[i * FOUND + 4] = -1;
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0], forward_samples);
}

const struct op op_nms = {
    .word = {"nms",
             "the boxes that a network found, without those that share much with a better one",
             sizeof(struct nms), specs},
    .min_x = 2,
    .max_x = OP_ANY_INPUTS,
    .plan = plan,
    .forward = forward,
};
