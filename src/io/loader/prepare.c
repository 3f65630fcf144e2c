#include "io/loader/prepare_boxes.h"

#include "core/base/rng.h"

#include <math.h>
#include <string.h>

/* Draws of a sample from this element on are those of unpaired fields, far above those of words. */
#define UNPAIRED_DRAWS (UINT64_C(1) << 32)

/* Above those, which voxel of a mask is the focus. */
#define FOCUS_DRAW (UINT64_C(1) << 33)

/* What a picture is called until prepare_explain gives it its name: that may take reading. */
static const char NAMELESS[] = "picture";

static int64_t sample_len(const struct shape *s) {
    return s->rank ? shape_len(s) : 1;
}

/* 2^40 samples are more than there are. */
uint64_t prepare_key(const struct prepare *p, const struct prepare_batch *b, int64_t epoch,
                     int64_t i) {
    const uint64_t visit = b->visits ? (uint64_t)b->visits[i] : 0;

    return rng_key(p->seed, RNG_AUGMENT, (uint64_t)epoch, visit << 40 | (uint64_t)b->samples[i]);
}

/* Its own; of an unpaired field any, in validation always the same. */
int64_t prepare_row(const struct prepare *p, const struct prepare_batch *b, int field, int64_t i) {
    const struct dataset_field *f = dataset_field(p->dataset, field);

    if (!f->unpaired)
        return b->samples[i];
    return p->training ? (int64_t)rng_below(prepare_key(p, b, b->epoch, i),
                                            UNPAIRED_DRAWS + (uint64_t)field, (uint64_t)f->rows)
                       : b->samples[i] % f->rows;
}

static const int64_t *rows_of(const struct prepare *p, const struct prepare_batch *b, int field) {
    if (!dataset_field(p->dataset, field)->unpaired)
        return b->samples;
    for (int64_t i = 0; i < b->n; i++)
        b->rows[i] = prepare_row(p, b, field, i);
    return b->rows;
}

int prepare_read(const struct prepare *p, const struct prepare_batch *b, const atomic_bool *stop,
                 struct err *err) {
    for (int i = 0; i < p->n_fields && b->n && !atomic_load(stop); i++) {
        const int64_t *rows = rows_of(p, b, i);
        void *to = p->field[i].raw_bytes ? b->raw[i] : b->out[i];

        if (dataset_field(p->dataset, i)->kind == DATASET_ENCODED
                ? dataset_read_encoded(p->dataset, i, rows, b->n, b->blob[i], b->buffer[i], err)
                : dataset_read(p->dataset, i, rows, b->n, to, err))
            return -1;
    }
    return 0;
}

/* Classes to floats where they are. */
static void classes_to_floats(void *values, int64_t len) {
    unsigned char *at = values;

    for (int64_t i = 0; i < len; i++, at += sizeof(float)) {
        int32_t class;
        memcpy(&class, at, sizeof class);
        const float number = (float)class;
        memcpy(at, &number, sizeof number);
    }
}

/* And back: what moves the pixels of a map leaves classes whole; a number that is none is none. */
static void floats_to_classes(void *values, int64_t len) {
    unsigned char *at = values;

    for (int64_t i = 0; i < len; i++, at += sizeof(float)) {
        float number;
        memcpy(&number, at, sizeof number);
        const int32_t class = number == floorf(number) ? (int32_t)number : -1;
        memcpy(at, &class, sizeof class);
    }
}

static void bytes_to_floats(const unsigned char *bytes, int64_t len, float *out) {
    for (int64_t i = 0; i < len; i++)
        out[i] = (float)bytes[i] / 255;
}

static struct augment_draw draw_of(const struct prepare *p, const struct prepare_batch *b,
                                   int64_t i) {
    return (struct augment_draw){.key = prepare_key(p, b, b->epoch, i),
                                 .steady = prepare_key(p, b, -1, i),
                                 .odd = b->epoch & 1};
}

/* A voxel of the sample's mask that is of no class 0, all equally likely. Before any field of the
 * sample is prepared, as maps are turned to floats where they are. */
static void find_focus(const struct prepare *p, const struct prepare_batch *b, int64_t i,
                       struct augment_draw *draw) {
    const int map = p->focus - 1;
    const struct shape *s = &dataset_field(p->dataset, map)->sample;
    const int32_t *class = (const int32_t *)b->raw[map] + i * shape_len(s);
    const int64_t len = shape_len(s);
    int64_t n = 0;

    for (int64_t k = 0; k < len; k++)
        n += class[k] > 0;
    draw->focused = n > 0;
    if (!n)
        return;
    int64_t left = (int64_t)rng_below(draw->key, FOCUS_DRAW, (uint64_t)n);
    for (int64_t k = 0; k < len; k++)
        if (class[k] > 0 && !left--) {
            draw->focus[0] = k / (s->dim[1] * s->dim[2]);
            draw->focus[1] = k / s->dim[2] % s->dim[1];
            draw->focus[2] = k % s->dim[2];
            return;
        }
}

static void augment_sample(const struct prepare *p, const struct prepare_batch *b, int field,
                           int64_t i, const struct augment_draw *draw, float *scratch) {
    const struct prepare_field *t = &p->field[field];
    const struct dataset_field *f = dataset_field(p->dataset, field);
    const int64_t out_len = sample_len(&t->sample);
    void *raw = (char *)b->raw[field] + i * t->raw_bytes;
    float *out = (float *)b->out[field] + i * out_len;

    if (f->kind == DATASET_CLASS)
        classes_to_floats(raw, sample_len(&f->sample));
    augment_run(&t->plan, draw, f->kind == DATASET_BYTES ? raw : NULL,
                f->kind == DATASET_BYTES ? NULL : raw, scratch, out);
    if (f->kind == DATASET_CLASS)
        floats_to_classes(out, out_len);
}

/* A picture's size says which piece of it is wanted, and of the file only that is decoded. */
static int decode_sample(const struct prepare *p, const struct prepare_batch *b, int field,
                         int64_t i, const struct augment_draw *draw,
                         struct prepare_scratch *scratch, struct err *err) {
    const struct prepare_field *t = &p->field[field];
    const struct dataset_blob *file = &b->blob[field][i];
    const enum image_mode mode = t->plan.opened.dim[2] == 1 ? IMAGE_GREY : IMAGE_COLOUR;
    struct augment_piece a;
    int width, height, channels;

    if (image_size(file->bytes, file->len, NAMELESS, &width, &height, &channels, err))
        return -1;
    augment_piece(&t->plan, draw, height, width, &a);
    const struct image_piece piece = {.left = a.left,
                                      .top = a.top,
                                      .width = a.width,
                                      .height = a.height,
                                      .bound_left = (int)a.bound.left,
                                      .bound_top = (int)a.bound.top,
                                      .bound_width = (int)a.bound.width,
                                      .bound_height = (int)a.bound.height,
                                      .out_width = (int)a.out_width,
                                      .out_height = (int)a.out_height,
                                      .mirrored = a.mirrored,
                                      .reduced = p->reduced};
    if (piece.out_width > 0 && piece.out_height > 0 &&
        image_decode_piece(file->bytes, file->len, NAMELESS, mode, &piece, &scratch->room,
                           scratch->opened, err))
        return -1;
    augment_lay(&t->plan, &a, scratch->opened);
    augment_run(&t->plan, draw, scratch->opened, NULL, scratch->floats,
                (float *)b->out[field] + i * sample_len(&t->sample));
    return 0;
}

/* Boxes as the image that they are in. */
static int move_boxes(const struct prepare *p, const struct prepare_batch *b, int field, int64_t i,
                      const struct augment_draw *draw, struct err *err) {
    const struct dataset_field *leads = dataset_field(p->dataset, p->model);
    const int64_t max = p->field[field].sample.dim[0];
    int height = (int)leads->sample.dim[0], width = (int)leads->sample.dim[1], channels;

    if (leads->kind == DATASET_ENCODED) {
        const struct dataset_blob *file = &b->blob[p->model][i];

        if (image_size(file->bytes, file->len, NAMELESS, &width, &height, &channels, err))
            return -1;
    }
    return boxes_move(&p->field[p->model].plan, draw, height, width,
                      (float *)b->out[field] + i * max * DATASET_BOX, max, err);
}

/* All boxes of a sample, behind what looks at those that are seen; these at last. */
static int move_all_boxes(const struct prepare *p, const struct prepare_batch *b, int64_t i,
                          const struct augment_draw *draw, int *field, struct err *err) {
    for (int k = 0; k < p->n_fields; k++) {
        *field = k;
        if (p->field[k].boxes && k != p->boxes - 1 && move_boxes(p, b, k, i, draw, err))
            return -1;
    }
    if (!p->boxes)
        return 0;
    *field = p->boxes - 1;
    return move_boxes(p, b, *field, i, draw, err);
}

int prepare_sample(const struct prepare *p, const struct prepare_batch *b, int64_t i,
                   struct prepare_scratch *scratch, int *field, struct err *err) {
    struct augment_draw draw = draw_of(p, b, i);

    if (p->focus)
        find_focus(p, b, i, &draw);
    if (p->boxes) {
        draw.n_boxes = p->field[p->boxes - 1].sample.dim[0];
        draw.boxes = (const float *)b->out[p->boxes - 1] + i * draw.n_boxes * DATASET_BOX;
    }
    for (int k = 0; k < p->n_fields; k++) {
        const struct dataset_field *f = dataset_field(p->dataset, k);
        const struct prepare_field *t = &p->field[k];

        if (f->kind == DATASET_ENCODED) {
            *field = k;
            if (decode_sample(p, b, k, i, &draw, scratch, err))
                return -1;
        } else if (t->boxes) {
            continue;
        } else if (t->masks) {
            masks_move(&t->plan, &draw, (const unsigned char *)b->raw[k] + i * t->raw_bytes,
                       t->sample.dim[0], scratch->floats,
                       (float *)b->out[k] + i * shape_len(&t->sample));
        } else if (t->augmented) {
            augment_sample(p, b, k, i, &draw, scratch->floats);
        } else if (f->kind == DATASET_BYTES) {
            bytes_to_floats((unsigned char *)b->raw[k] + i * t->raw_bytes, t->raw_bytes,
                            (float *)b->out[k] + i * t->raw_bytes);
        }
    }
    return move_all_boxes(p, b, i, &draw, field, err);
}

void prepare_explain(const struct prepare *p, const struct prepare_batch *b, int64_t i, int field,
                     struct err *err) {
    const struct err found = *err;
    const size_t named = strncmp(found.msg, NAMELESS, strlen(NAMELESS)) ? 0 : strlen(NAMELESS);
    char text[DATASET_ROW_TEXT];

    dataset_row_text(p->dataset, field, prepare_row(p, b, field, i), text);
    err_set(err, found.kind, "%s%s%s", text, named ? "" : ": ", found.msg + named);
}
