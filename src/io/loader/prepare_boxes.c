#include "io/loader/prepare_boxes.h"

enum { CLASS = 4 };

int boxes_check(const struct augment_plan *image, const char *name, struct err *err) {
    for (int k = 0; k < image->n; k++) {
        const struct augment_stage *s = &image->stage[k];

        if (s->augment->moves && !s->augment->affine)
            return err_set(err, ERR_CONFIG, "%s: the boxes of %s cannot move along",
                           s->augment->word.name, name);
    }
    return 0;
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
    if (check_inside(height, width, boxes, max, err))
        return -1;
    augment_run_boxes(image, draw, height, width, boxes, boxes, max);
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
