/* The words at the beginning of a pipeline as one piece of an image and one table: of a file only
 * that piece need be decoded, and each of its bytes is looked at once. */
#include "io/augment/augment_piece.h"
#include "io/augment/augment_parts.h"

#include <math.h>
#include <string.h>

/* What the words n_mirror .. n_done - 1 make of every byte of every channel: found by those words
 * themselves, from an image of all bytes, so that they could as well be applied. */
static void fill_table(struct augment_plan *plan) {
    const int64_t channels = plan->opened.dim[2];
    const struct shape all = {3, {256, 1, channels}};

    for (int64_t k = 0; k < 256 * channels; k++)
        plan->table[k] = (float)(k / channels) / 255;
    for (int i = plan->n_mirror; i < plan->n_done; i++) {
        struct augment_call c = augment_call_of(plan, &(struct augment_draw){0}, i, 256, 1);

        c.in = c.out = plan->table;
        c.in_shape = c.out_shape = all;
        plan->stage[i].augment->apply(&c);
    }
}

int augment_plan_piece(struct augment_plan *plan, struct err *err) {
    const struct augment_stage *s = plan->stage;

    if (!plan->n)
        return augment_refuse_many("augment", err);
    if (s[plan->n - 1].many_out)
        return err_set(err, ERR_CONFIG,
                       "%s: the shorter side alone leaves images of many sizes; expected "
                       "center_crop(224) or random_crop(224) after it",
                       s[plan->n - 1].augment->word.name);
    while (plan->n_piece < plan->n && s[plan->n_piece].many_in)
        plan->n_piece++;
    plan->opened = s[plan->n_piece - 1].out;
    plan->n_mirror = plan->n_piece;
    while (plan->n_mirror < plan->n && s[plan->n_mirror].mirrors)
        plan->n_mirror++;
    plan->n_done = plan->n_mirror;
    while (plan->n_done < plan->n && s[plan->n_done].augment->fixed)
        plan->n_done++;
    fill_table(plan);
    return 0;
}

/* The second of two pieces, of the image that the first became, as a piece of the first's image. */
static void compose(const struct augment_piece *first, struct augment_piece *second) {
    const double down = first->height / (double)first->out_height;
    const double across = first->width / (double)first->out_width;

    second->top = first->top + second->top * down;
    second->left = first->left + second->left * across;
    second->height *= down;
    second->width *= across;
    second->bound = first->bound;
    second->value = second->value != 0 ? second->value : first->value;
}

void augment_piece(const struct augment_plan *plan, const struct augment_draw *draw, int64_t height,
                   int64_t width, struct augment_piece *piece) {
    struct augment_call c = augment_call_of(plan, draw, 0, height, width);

    c.in_shape.dim[0] = height;
    c.in_shape.dim[1] = width;
    plan->stage[0].augment->piece(&c, piece);
    for (int i = 1; i < plan->n_piece; i++) {
        const struct augment_piece first = *piece;

        c = augment_call_of(plan, draw, i, height, width);
        c.in_shape.dim[0] = first.out_height;
        c.in_shape.dim[1] = first.out_width;
        plan->stage[i].augment->piece(&c, piece);
        compose(&first, piece);
    }
    for (int i = plan->n_piece; i < plan->n_mirror; i++) {
        c = augment_call_of(plan, draw, i, height, width);
        piece->mirrored = piece->mirrored != plan->stage[i].augment->mirrors(&c);
    }
    augment_within(piece, height, width);
    if (piece->mirrored)
        piece->inner.left = piece->out_width - piece->inner.left - piece->inner.width;
    piece->out_height = piece->inner.height;
    piece->out_width = piece->inner.width;
}

/* The last line first: nothing lies behind where it goes. */
void augment_lay(const struct augment_plan *plan, const struct augment_piece *piece,
                 unsigned char *bytes) {
    const struct augment_box *in = &piece->inner;
    const int64_t h = plan->opened.dim[0], c = plan->opened.dim[2], row = plan->opened.dim[1] * c;
    const int64_t len = in->width * c, before = in->left * c;
    const int around = (int)(255 * fminf(fmaxf(piece->value, 0), 1) + 0.5F);

    if (in->height == h && len == row)
        return;
    for (int64_t i = h - 1; i >= 0; i--) {
        unsigned char *line = bytes + i * row;
        const bool seen = i >= in->top && i < in->top + in->height && len > 0;

        if (!seen) {
            if (i >= in->top)
                memset(line, around, (size_t)row);
            continue;
        }
        memmove(line + before, bytes + (i - in->top) * len, (size_t)len);
        memset(line + before + len, around, (size_t)(row - before - len));
        memset(line, around, (size_t)before);
    }
    memset(bytes, around, (size_t)((in->top < h ? in->top : h) * row));
}

void augment_seen(const struct augment_plan *plan, int64_t height, int64_t width,
                  struct augment_piece *piece) {
    const struct augment_box all = {0, 0, height, width};

    *piece = augment_piece_of(&all);
    for (int i = 0; i < plan->n; i++) {
        const struct augment_piece first = *piece;
        struct augment_call c = augment_call_of(plan, &(struct augment_draw){0}, i, height, width);

        if (!plan->stage[i].augment->piece)
            continue;
        c.in_shape.dim[0] = first.out_height;
        c.in_shape.dim[1] = first.out_width;
        plan->stage[i].augment->piece(&c, piece);
        compose(&first, piece);
    }
}

void augment_look_up(const struct augment_plan *plan, const unsigned char *bytes, float *image) {
    const int64_t pixels = plan->opened.dim[0] * plan->opened.dim[1];
    const float *table = plan->table;

    if (plan->opened.dim[2] == 1) {
        for (int64_t i = 0; i < pixels; i++)
            image[i] = table[bytes[i]];
        return;
    }
    for (int64_t i = 0; i < 3 * pixels; i += 3) {
        image[i] = table[3 * bytes[i]];
        image[i + 1] = table[3 * bytes[i + 1] + 1];
        image[i + 2] = table[3 * bytes[i + 2] + 2];
    }
}
