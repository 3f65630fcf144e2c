#include "io/loader/prepare_boxes.h"

#include "io/augment/augment_parts.h"
#include "io/augment/augment_piece.h"

enum { CLASS = 4 };

int boxes_check(const struct augment_plan *image, const char *name, struct err *err) {
    for (int k = 0; k < image->n; k++) {
        const struct augment_stage *s = &image->stage[k];

        if (s->augment->moves && !s->augment->piece && !s->mirrors)
            return err_set(err, ERR_CONFIG, "%s: the boxes of %s cannot move along",
                           s->augment->word.name, name);
    }
    return 0;
}

/* From pixels of an image to those of what the piece of it becomes. */
static void move_box(const struct augment_piece *p, float *b) {
    const double across = (double)p->out_width / p->width, down = (double)p->out_height / p->height;

    for (int k = 0; k < CLASS; k += 2) {
        b[k] = (float)(((double)b[k] - p->left) * across);
        b[k + 1] = (float)(((double)b[k + 1] - p->top) * down);
    }
}

static void mirror_box(int64_t width, float *b) {
    const float left = (float)width - b[2];

    b[2] = (float)width - b[0];
    b[0] = left;
}

static void end_box(int64_t height, int64_t width, float *b) {
    const float most[2] = {(float)width, (float)height};

    for (int k = 0; k < CLASS; k++)
        b[k] = b[k] < 0 ? 0 : b[k] > most[k % 2] ? most[k % 2] : b[k];
    if (b[2] > b[0] && b[3] > b[1])
        return;
    b[0] = b[1] = b[2] = b[3] = 0;
    b[CLASS] = -1;
}

static void move_all(float *boxes, int64_t max, const struct augment_piece *p, bool mirrors) {
    for (int64_t k = 0; k < max; k++) {
        float *b = boxes + k * DATASET_BOX;

        if (b[CLASS] < 0)
            continue;
        if (mirrors)
            mirror_box(p->out_width, b);
        else
            move_box(p, b);
        end_box(p->out_height, p->out_width, b);
    }
}

static int check_inside(int64_t height, int64_t width, const float *boxes, int64_t max,
                        struct err *err) {
    for (int64_t k = 0; k < max; k++) {
        const float *b = boxes + k * DATASET_BOX;

        if (b[CLASS] >= 0 &&
            (b[2] <= 0 || b[3] <= 0 || b[0] >= (float)width || b[1] >= (float)height))
            return err_set(err, ERR_DATA,
                           "box %lld, x1 %g, y1 %g, x2 %g, y2 %g, is outside of the picture, which "
                           "is %lld wide and %lld high",
                           (long long)k, (double)b[0], (double)b[1], (double)b[2], (double)b[3],
                           (long long)width, (long long)height);
    }
    return 0;
}

int boxes_move(const struct augment_plan *image, const struct augment_draw *draw, int64_t height,
               int64_t width, float *boxes, int64_t max, struct err *err) {
    struct augment_piece piece = {.out_height = height, .out_width = width};

    if (check_inside(height, width, boxes, max, err))
        return -1;
    for (int k = 0; k < image->n; k++) {
        const struct augment *word = image->stage[k].augment;
        struct augment_call c = augment_call_of(image, draw, k);

        if (!word->moves)
            continue;
        c.in_shape.dim[0] = piece.out_height;
        c.in_shape.dim[1] = piece.out_width;
        if (word->piece) {
            word->piece(&c, &piece);
            move_all(boxes, max, &piece, false);
            if (piece.mirrored)
                move_all(boxes, max, &piece, true);
        } else if (word->mirrors(&c)) {
            move_all(boxes, max, &piece, true);
        }
    }
    return 0;
}

void masks_move(const struct augment_plan *plan, const struct augment_draw *draw,
                const unsigned char *masks, int64_t max, float *scratch, float *out) {
    const int64_t area = shape_len(&plan->source.shape), moved = shape_len(&plan->out);
    float *const mask = scratch, *const rest = scratch + (area + 15) / 16 * 16;

    for (int64_t m = 0; m < max; m++) {
        for (int64_t k = 0; k < area; k++)
            mask[k] = masks[m * area + k] ? 1 : 0;
        augment_run(plan, draw, NULL, mask, rest, out + m * moved);
        for (int64_t k = 0; k < moved; k++)
            out[m * moved + k] = out[m * moved + k] > 0 ? 1 : 0;
    }
}
