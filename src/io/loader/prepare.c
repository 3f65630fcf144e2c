#include "io/loader/prepare.h"

#include "core/base/rng.h"

#include <math.h>
#include <inttypes.h>
#include <string.h>

/* Draws of a sample from this element on are those of unpaired fields, far above those of words. */
#define UNPAIRED_DRAWS (UINT64_C(1) << 32)

static size_t item_bytes(enum dataset_kind kind) {
    return kind == DATASET_BYTES ? 1 : sizeof(float);
}

static int64_t sample_len(const struct shape *s) {
    return s->rank ? shape_len(s) : 1;
}

/* The field whose size others must have to move with it, or -1. */
static int first_image(const struct dataset *ds) {
    for (int i = 0; i < dataset_n_fields(ds); i++)
        if (dataset_field(ds, i)->image)
            return i;
    return -1;
}

/* Has the field a height and a width to be moved? Class maps and [h, w] numbers become [h, w, 1].
 */
static bool is_map(const struct dataset_field *f) {
    return f->image || f->sample.rank == 2 || (f->sample.rank == 3 && f->kind == DATASET_REALS);
}

static struct augment_source source_of(const struct dataset *ds, int i) {
    const struct dataset_field *f = dataset_field(ds, i);
    struct augment_source s = {f->sample, dataset_mean(ds, i), dataset_std(ds, i), AUGMENT_VALUES,
                               f->kind == DATASET_BYTES};

    if (s.shape.rank == 2)
        s.shape = (struct shape){3, {f->sample.dim[0], f->sample.dim[1], 1}};
    if (f->kind == DATASET_CLASS)
        s.role = AUGMENT_MASK;
    else if (f->image)
        s.role = AUGMENT_IMAGE;
    return s;
}

static const struct augment *moving_word(const struct augment_plan *plan) {
    for (int i = 0; i < plan->n; i++)
        if (plan->stage[i].augment->moves)
            return plan->stage[i].augment;
    return NULL;
}

/* Fields of another size stay where they are: fine where nothing moves, or where they are no
 * images. */
static int check_size(const struct prepare *p, int i, int model, struct err *err) {
    const struct dataset_field *f = dataset_field(p->dataset, i);
    const struct dataset_field *m = dataset_field(p->dataset, model);
    const struct augment *word = moving_word(&p->field[model].plan);

    if (!word || (!f->image && f->kind == DATASET_REALS))
        return 0;
    return err_set(err, ERR_CONFIG,
                   "%s: %s is %" PRId64 "x%" PRId64 " (height, width), but %s is %" PRId64
                   "x%" PRId64 ": they cannot be moved alike",
                   word->word.name, f->name, f->sample.dim[0], f->sample.dim[1], m->name,
                   m->sample.dim[0], m->sample.dim[1]);
}

static int plan_field(struct prepare *p, int i, int model, const struct applied *pipeline, int n,
                      struct err *err) {
    const struct dataset_field *f = dataset_field(p->dataset, i);
    struct prepare_field *out = &p->field[i];
    const struct augment_source source = source_of(p->dataset, i);

    out->sample = f->sample;
    if (model < 0 || !is_map(f))
        return 0;
    const struct shape *size = &dataset_field(p->dataset, model)->sample;
    const bool same = source.shape.dim[0] == size->dim[0] && source.shape.dim[1] == size->dim[1];
    if (!same && check_size(p, i, model, err))
        return -1;
    if (!same && !f->image)
        return 0;
    if (augment_plan_init(&out->plan, pipeline, n, p->training, &source, err))
        return i == model ? -1 : err_wrap(err, "%s", f->name);
    out->augmented = true;
    out->sample = out->plan.out;
    out->sample.rank = f->sample.rank;
    if (f->sample.rank == 2)
        out->sample.dim[2] = 0;
    return 0;
}

int prepare_init(struct prepare *p, struct dataset *dataset, const struct applied *pipeline, int n,
                 uint64_t seed, bool training, struct err *err) {
    const int model = first_image(dataset);

    *p = (struct prepare){.dataset = dataset,
                          .seed = seed,
                          .training = training,
                          .n_fields = dataset_n_fields(dataset)};
    if (n && model < 0)
        return err_set(err, ERR_CONFIG, "%s: there are no images to change",
                       pipeline[0].word->name);
    if (model >= 0 && plan_field(p, model, model, pipeline, n, err))
        return -1;
    for (int i = 0; i < p->n_fields; i++) {
        const struct dataset_field *f = dataset_field(dataset, i);
        const int64_t bytes = sample_len(&f->sample) * (int64_t)item_bytes(f->kind);

        if (i != model && plan_field(p, i, model, pipeline, n, err))
            return -1;
        p->raw_bytes = bytes > p->raw_bytes ? bytes : p->raw_bytes;
        if (p->field[i].augmented && p->field[i].plan.scratch_len > p->scratch_len)
            p->scratch_len = p->field[i].plan.scratch_len;
    }
    return 0;
}

/* 2^40 samples are more than there are. */
static uint64_t key_of(const struct prepare *p, const struct prepare_batch *b, int64_t epoch,
                       int64_t i) {
    const uint64_t visit = b->visits ? (uint64_t)b->visits[i] : 0;

    return rng_key(p->seed, RNG_AUGMENT, (uint64_t)epoch, visit << 40 | (uint64_t)b->samples[i]);
}

/* Its own; of an unpaired field any, in validation always the same. */
int64_t prepare_row(const struct prepare *p, const struct prepare_batch *b, int field, int64_t i) {
    const struct dataset_field *f = dataset_field(p->dataset, field);

    if (!f->unpaired)
        return b->samples[i];
    return p->training ? (int64_t)rng_below(key_of(p, b, b->epoch, i),
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

static void copy_field(const struct dataset_field *f, const void *raw, int64_t len, void *out) {
    const unsigned char *bytes = raw;
    float *numbers = out;

    if (f->kind != DATASET_BYTES) {
        memcpy(out, raw, (size_t)len * item_bytes(f->kind));
        return;
    }
    for (int64_t i = 0; i < len; i++)
        numbers[i] = (float)bytes[i] / 255;
}

static void augment_field(const struct prepare *p, const struct prepare_batch *b, int field,
                          const atomic_bool *stop) {
    const struct prepare_field *t = &p->field[field];
    const struct dataset_field *f = dataset_field(p->dataset, field);
    const int64_t in_len = sample_len(&f->sample), out_len = sample_len(&t->sample);
    const unsigned char *bytes = b->raw;
    const float *floats = b->raw;
    float *out = b->out[field];

    if (f->kind == DATASET_CLASS)
        classes_to_floats(b->raw, b->n * in_len);
    for (int64_t i = 0; i < b->n && !atomic_load(stop); i++) {
        const bool is_bytes = f->kind == DATASET_BYTES;

        const struct augment_draw draw = {key_of(p, b, b->epoch, i), key_of(p, b, -1, i),
                                          b->epoch & 1};

        augment_run(&t->plan, &draw, is_bytes ? bytes + i * in_len : NULL,
                    is_bytes ? NULL : floats + i * in_len, b->scratch, out + i * out_len);
    }
    if (f->kind == DATASET_CLASS)
        floats_to_classes(out, b->n * out_len);
}

int prepare_run(const struct prepare *p, const struct prepare_batch *b, const atomic_bool *stop,
                struct err *err) {
    for (int i = 0; i < p->n_fields && b->n && !atomic_load(stop); i++) {
        const struct dataset_field *f = dataset_field(p->dataset, i);
        const int64_t len = b->n * sample_len(&f->sample);

        if (dataset_read(p->dataset, i, rows_of(p, b, i), b->n, b->raw, err))
            return -1;
        if (p->field[i].augmented)
            augment_field(p, b, i, stop);
        else
            copy_field(f, b->raw, len, b->out[i]);
    }
    return 0;
}
