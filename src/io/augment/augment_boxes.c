/* How boxes follow images through a pipeline: every word that moves pixels says where points go. */
#include "io/augment/augment_parts.h"
#include "io/augment/augment_piece.h"

#include <math.h>
#include <string.h>

enum { CORNERS = 4, ROW = 5 };

struct augment_affine augment_then(const struct augment_affine *a, const struct augment_affine *b) {
    return (struct augment_affine){.yy = b->yy * a->yy + b->yx * a->xy,
                                   .yx = b->yy * a->yx + b->yx * a->xx,
                                   .dy = b->yy * a->dy + b->yx * a->dx + b->dy,
                                   .xy = b->xy * a->yy + b->xx * a->xy,
                                   .xx = b->xy * a->yx + b->xx * a->xx,
                                   .dx = b->xy * a->dy + b->xx * a->dx + b->dx};
}

struct augment_affine augment_inverse(const struct augment_affine *m) {
    const double area = m->yy * m->xx - m->yx * m->xy;
    struct augment_affine back = {
        .yy = m->xx / area, .yx = -m->yx / area, .xy = -m->xy / area, .xx = m->yy / area};

    back.dy = -(back.yy * m->dy + back.yx * m->dx);
    back.dx = -(back.xy * m->dy + back.xx * m->dx);
    return back;
}

struct augment_affine augment_affine_of(const struct augment_piece *p) {
    const double down = (double)p->out_height / p->height;
    const double across = (double)p->out_width / p->width;

    return (struct augment_affine){down, 0, -p->top * down, 0, across, -p->left * across};
}

void augment_affine_piece(const struct augment_call *c, struct augment_affine *map) {
    struct augment_piece piece;

    c->plan->stage[c->stage].augment->piece(c, &piece);
    *map = augment_affine_of(&piece);
}

void augment_apply_piece(const struct augment_call *c) {
    struct augment_piece piece;

    c->plan->stage[c->stage].augment->piece(c, &piece);
    augment_resample(c, &piece);
}

void augment_move_box(const struct augment_affine *m, const double in[CORNERS],
                      double out[CORNERS]) {
    double box[CORNERS] = {INFINITY, INFINITY, -INFINITY, -INFINITY};

    for (int i = 0; i < CORNERS; i++) {
        const double x = in[i & 1 ? 2 : 0], y = in[i & 2 ? 3 : 1];
        const double to_y = m->yy * y + m->yx * x + m->dy, to_x = m->xy * y + m->xx * x + m->dx;

        box[0] = fmin(box[0], to_x);
        box[1] = fmin(box[1], to_y);
        box[2] = fmax(box[2], to_x);
        box[3] = fmax(box[3], to_y);
    }
    memcpy(out, box, sizeof box);
}

/* --- pieces that reach over --- */

/* Along one side: what of [*begin, *begin + *extent) lies in 0 .. len, and where of out_len.
 * Returns the pixels that it becomes. */
static int64_t within(double *begin, double *extent, double len, int64_t out_len, int64_t *at) {
    const double slack = 1e-6, scale = (double)out_len / *extent, end = *begin + *extent;

    *at = 0;
    if (*begin >= -slack && end <= len + slack)
        return out_len;
    const double from = fmax(*begin, 0), to = fmin(end, len);
    if (to <= from)
        return 0;
    *at = (int64_t)floor((from - *begin) * scale + 0.5);
    const int64_t last = (int64_t)floor((to - *begin) * scale + 0.5);
    *begin = from;
    *extent = to - from;
    return last - *at;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void bound_within(int64_t *at, int64_t *len, int64_t side) {
    const int64_t end = least(*at + *len, side);

    *at = *at < 0 ? 0 : *at;
    *len = end - *at;
}

void augment_within(struct augment_piece *p, int64_t h, int64_t w) {
    p->inner.height = within(&p->top, &p->height, (double)h, p->out_height, &p->inner.top);
    p->inner.width = within(&p->left, &p->width, (double)w, p->out_width, &p->inner.left);
    bound_within(&p->bound.top, &p->bound.height, h);
    bound_within(&p->bound.left, &p->bound.width, w);
}

/* --- the way of boxes --- */

static double least_of(const struct augment *augment, const void *args) {
    double least = AUGMENT_VISIBLE_USUAL;

    if (augment->by_centre)
        return -1;
    if (augment->visible)
        memcpy(&least, (const char *)args + augment->visible, sizeof least);
    return least;
}

/* One word: c->in_shape has the image's size. */
static void follow_word(const struct augment_stage *s, const struct augment_call *c,
                        struct augment_step *step) {
    *step = (struct augment_step){augment_same, c->out_shape.dim[0], c->out_shape.dim[1],
                                  least_of(s->augment, s->args)};
    if (s->many_in) {
        struct augment_piece piece;

        s->augment->piece(c, &piece);
        step->map = augment_affine_of(&piece);
        step->height = piece.out_height;
        step->width = piece.out_width;
    } else {
        s->augment->affine(c, &step->map);
    }
}

void augment_follow(const struct augment_plan *plan, const struct augment_draw *draw, int n,
                    int64_t height, int64_t width, struct augment_track *track) {
    int64_t h = height, w = width;

    track->n = 0;
    for (int i = 0; i < n; i++) {
        struct augment_call c = augment_call_of(plan, draw, i, height, width);

        if (!plan->stage[i].augment->moves)
            continue;
        c.in_shape.dim[0] = h;
        c.in_shape.dim[1] = w;
        follow_word(&plan->stage[i], &c, &track->step[track->n]);
        h = track->step[track->n].height;
        w = track->step[track->n].width;
        track->n++;
    }
}

/* What of a box is left in the image; false: too little. */
static bool cut(const struct augment_step *s, double box[CORNERS]) {
    const double area = (box[2] - box[0]) * (box[3] - box[1]);
    const double x = (box[0] + box[2]) / 2, y = (box[1] + box[3]) / 2;

    for (int i = 0; i < CORNERS; i++)
        box[i] = fmin(fmax(box[i], 0), (double)(i & 1 ? s->height : s->width));
    const double left = (box[2] - box[0]) * (box[3] - box[1]);
    if (!(left > 0))
        return false;
    if (s->least < 0)
        return x > 0 && x < (double)s->width && y > 0 && y < (double)s->height;
    return left >= s->least * area * (1 - 1e-9);
}

void augment_track_box(const struct augment_track *track, const float *in, float *out) {
    double box[CORNERS] = {(double)in[0], (double)in[1], (double)in[2], (double)in[3]};
    bool there = in[CORNERS] >= 0;

    for (int i = 0; i < track->n && there; i++) {
        augment_move_box(&track->step[i].map, box, box);
        there = cut(&track->step[i], box);
    }
    for (int i = 0; i < CORNERS; i++)
        out[i] = there ? (float)box[i] : 0;
    out[CORNERS] = there ? in[CORNERS] : -1;
}

void augment_run_boxes(const struct augment_plan *plan, const struct augment_draw *draw,
                       int64_t height, int64_t width, const float *in, float *out, int64_t max) {
    struct augment_track track;

    augment_follow(plan, draw, plan->n, height, width, &track);
    for (int64_t i = 0; i < max; i++)
        augment_track_box(&track, in + ROW * i, out + ROW * i);
}

void augment_run_masks(const struct augment_plan *plan, const struct augment_draw *draw,
                       const float *in, float *scratch, float *out, int64_t max) {
    const int64_t len = shape_len(&plan->source.shape), out_len = shape_len(&plan->out);

    for (int64_t i = 0; i < max; i++) {
        bool any = false;

        for (int64_t k = 0; k < len && !any; k++)
            any = in[i * len + k] != 0;
        if (any)
            augment_run(plan, draw, NULL, in + i * len, scratch, out + i * out_len);
        else
            memset(out + i * out_len, 0, (size_t)out_len * sizeof *out);
    }
}

int augment_back(const struct augment_plan *plan, int64_t height, int64_t width,
                 const float in[CORNERS], float out[CORNERS]) {
    const double side[CORNERS] = {(double)width, (double)height, (double)width, (double)height};
    struct augment_affine map = augment_same;
    struct augment_track track;
    double box[CORNERS];

    augment_follow(plan, &(struct augment_draw){0}, plan->n, height, width, &track);
    for (int i = 0; i < track.n; i++)
        map = augment_then(&map, &track.step[i].map);
    map = augment_inverse(&map);
    for (int i = 0; i < CORNERS; i++)
        box[i] = (double)in[i];
    augment_move_box(&map, box, box);
    for (int i = 0; i < CORNERS; i++)
        box[i] = fmin(fmax(box[i], 0), side[i]);
    const bool there = box[2] > box[0] && box[3] > box[1];
    for (int i = 0; i < CORNERS; i++)
        out[i] = there ? (float)box[i] : 0;
    return there ? 0 : -1;
}
