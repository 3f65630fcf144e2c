/* How each field of a dataset is prepared, found before the first batch. */
#include "io/loader/prepare_boxes.h"

#include <inttypes.h>

static bool is_volume(const struct dataset_field *f) {
    return f->sample.rank == 4 && (f->kind == DATASET_BYTES || f->kind == DATASET_REALS);
}

/* The field whose size others must have to move with it, an image or else a volume; or -1. */
static int first_image(const struct dataset *ds) {
    for (int i = 0; i < dataset_n_fields(ds); i++)
        if (dataset_field(ds, i)->image || dataset_field(ds, i)->kind == DATASET_ENCODED)
            return i;
    for (int i = 0; i < dataset_n_fields(ds); i++)
        if (is_volume(dataset_field(ds, i)))
            return i;
    return -1;
}

/* Has the field a height and a width to be moved? Class maps and [h, w] numbers become [h, w, 1].
 */
static bool is_map(const struct dataset_field *f) {
    return f->image || f->kind == DATASET_ENCODED || f->sample.rank == 2 ||
           (f->sample.rank == 3 && f->kind == DATASET_REALS);
}

/* Classes of voxels, which move with a volume. */
static bool is_volume_map(const struct dataset_field *f, const struct dataset_field *model) {
    return is_volume(model) && f->kind == DATASET_CLASS && f->sample.rank == 3;
}

static struct augment_source source_of(const struct dataset *ds, int i) {
    const struct dataset_field *f = dataset_field(ds, i);
    struct augment_source s = {f->sample, dataset_mean(ds, i), dataset_std(ds, i), AUGMENT_VALUES,
                               f->kind == DATASET_BYTES || f->kind == DATASET_ENCODED};

    if (s.shape.rank == 2)
        s.shape = (struct shape){3, {f->sample.dim[0], f->sample.dim[1], 1}};
    if (f->kind == DATASET_CLASS && f->sample.rank == 3) {
        s.shape.dim[3] = 1;
        s.shape.rank = 4;
    }
    if (f->kind == DATASET_CLASS)
        s.role = AUGMENT_MASK;
    else if (f->image || is_volume(f) || f->kind == DATASET_ENCODED)
        s.role = AUGMENT_IMAGE;
    return s;
}

static const struct augment *moving_word(const struct augment_plan *plan) {
    for (int i = 0; i < plan->n; i++)
        if (plan->stage[i].augment->moves)
            return plan->stage[i].augment;
    return NULL;
}

/* Pictures of many sizes are each cut and resized in a way of their own, which nothing beside them
 * can follow. */
static int refuse_many(const char *word, const struct dataset_field *f,
                       const struct dataset_field *model, struct err *err) {
    const struct dataset_field *many = f->kind == DATASET_ENCODED ? f : model;

    return err_set(err, ERR_CONFIG,
                   "%s: the pictures of %s have many sizes: %s and %s cannot be moved alike", word,
                   many->name, f->name, model->name);
}

/* Fields of another size stay where they are: fine where nothing moves, or where they are no
 * images. */
static int check_size(const struct prepare *p, int i, int model, struct err *err) {
    const struct dataset_field *f = dataset_field(p->dataset, i);
    const struct dataset_field *m = dataset_field(p->dataset, model);
    const struct augment *word = moving_word(&p->field[model].plan);

    if (!f->image && f->kind == DATASET_REALS)
        return 0;
    if (f->kind == DATASET_ENCODED || (word && m->kind == DATASET_ENCODED))
        return refuse_many(word ? word->word.name : "augment", f, m, err);
    if (!word)
        return 0;
    return err_set(err, ERR_CONFIG,
                   "%s: %s is %" PRId64 "x%" PRId64 " (height, width), but %s is %" PRId64
                   "x%" PRId64 ": they cannot be moved alike",
                   word->word.name, f->name, f->sample.dim[0], f->sample.dim[1], m->name,
                   m->sample.dim[0], m->sample.dim[1]);
}

/* Are field and model pixel for pixel the same place? Of unpaired pictures nobody expects it: each
 * goes through the pipeline by itself. */
static bool same_size(const struct dataset_field *f, const struct shape *shape,
                      const struct dataset_field *model) {
    if (f == model || (f->kind == DATASET_ENCODED && f->unpaired))
        return true;
    return f->kind != DATASET_ENCODED && model->kind != DATASET_ENCODED &&
           shape->dim[0] == model->sample.dim[0] && shape->dim[1] == model->sample.dim[1] &&
           (!is_volume(model) || (shape->rank == 4 && shape->dim[2] == model->sample.dim[2]));
}

/* Are they numbers whose scale is known? Those of a table [k], of series [t, c]. */
static bool is_measured(const struct dataset *ds, int i) {
    return dataset_field(ds, i)->kind == DATASET_REALS && dataset_mean(ds, i);
}

/* Without images, words that change values change measured numbers: as an image of one column. */
static int plan_numbers(struct prepare *p, int i, const struct prepare_config *config,
                        struct err *err) {
    const struct dataset_field *f = dataset_field(p->dataset, i);
    struct augment_source source = source_of(p->dataset, i);
    struct prepare_field *out = &p->field[i];

    if (!config->n_pipeline || !is_measured(p->dataset, i))
        return 0;
    source.role = AUGMENT_IMAGE;
    source.shape = (struct shape){
        3, {shape_len(&f->sample) / shape_channels(&f->sample), 1, shape_channels(&f->sample)}};
    if (augment_plan_init(&out->plan, config->pipeline, config->n_pipeline, p->training, &source,
                          err))
        return err_wrap(err, "%s", f->name);
    const struct augment *word = moving_word(&out->plan);
    if (word)
        return err_set(err, ERR_CONFIG, "%s: moves pixels, and %s is numbers: there are no images",
                       word->word.name, f->name);
    out->augmented = true;
    return 0;
}

static bool has_measured(const struct dataset *ds) {
    for (int i = 0; i < dataset_n_fields(ds); i++)
        if (is_measured(ds, i))
            return true;
    return false;
}

/* Masks of boxes, one after another as maps of the image's size. */
static int plan_masks(struct prepare *p, int i, int model, const struct prepare_config *config,
                      struct err *err) {
    const struct dataset_field *f = dataset_field(p->dataset, i),
                               *leads = model < 0 ? NULL : dataset_field(p->dataset, model);
    const int64_t *dim = f->sample.dim;
    const struct augment_source source = {.shape = {3, {dim[1], dim[2], 1}}, .role = AUGMENT_MASK};
    struct prepare_field *out = &p->field[i];

    out->masks = true;
    if (leads && moving_word(&p->field[model].plan) && leads->kind == DATASET_ENCODED)
        return refuse_many(moving_word(&p->field[model].plan)->word.name, f, leads, err);
    if (leads && (leads->sample.dim[0] != dim[1] || leads->sample.dim[1] != dim[2]))
        return err_set(
            err, ERR_CONFIG,
            "%s: masks are %" PRId64 "x%" PRId64 " (height, width), but %s is %" PRId64 "x%" PRId64,
            f->name, dim[1], dim[2], leads->name, leads->sample.dim[0], leads->sample.dim[1]);
    if (augment_plan_init(&out->plan, config->pipeline, config->n_pipeline, p->training, &source,
                          err))
        return err_wrap(err, "%s", f->name);
    out->plan.scratch_len += (dim[1] * dim[2] + 15) / 16 * 16;
    out->sample.dim[1] = out->plan.out.dim[0];
    out->sample.dim[2] = out->plan.out.dim[1];
    return 0;
}

static int plan_field(struct prepare *p, int i, int model, const struct prepare_config *config,
                      struct err *err) {
    const struct dataset_field *f = dataset_field(p->dataset, i);
    struct prepare_field *out = &p->field[i];
    const struct augment_source source = source_of(p->dataset, i);

    out->sample = f->sample;
    if (f->masks)
        return plan_masks(p, i, model, config, err);
    if (f->boxes) {
        out->boxes = model >= 0;
        return model < 0 ? 0 : boxes_check(&p->field[model].plan, f->name, err);
    }
    if (model < 0)
        return plan_numbers(p, i, config, err);
    const struct dataset_field *leads = dataset_field(p->dataset, model);
    if (is_volume(leads) ? !is_volume(f) && !is_volume_map(f, leads) : !is_map(f))
        return 0;
    const bool same = same_size(f, &source.shape, leads);
    if (!same && check_size(p, i, model, err))
        return -1;
    if (!same && !f->image)
        return 0;
    if (augment_plan_init(&out->plan, config->pipeline, config->n_pipeline, p->training, &source,
                          err))
        return i == model ? -1 : err_wrap(err, "%s", f->name);
    out->augmented = true;
    out->sample = out->plan.out;
    out->sample.rank = f->sample.rank;
    if (f->sample.rank < out->plan.out.rank)
        out->sample.dim[f->sample.rank] = 0;
    return 0;
}

/* Find what reading and preparing a planned field take. */
static void measure_field(struct prepare *p, int i) {
    const struct dataset_field *f = dataset_field(p->dataset, i);
    struct prepare_field *out = &p->field[i];
    const int64_t len = f->sample.rank ? shape_len(&f->sample) : 1;
    const int64_t opened = out->plan.many ? shape_len(&out->plan.opened) : 0;

    if (f->kind == DATASET_BYTES)
        out->raw_bytes = len;
    else if (out->augmented && f->kind != DATASET_ENCODED)
        out->raw_bytes = len * (int64_t)sizeof(float);
    if (out->plan.scratch_len > p->scratch_len)
        p->scratch_len = out->plan.scratch_len;
    if (opened > p->opened_bytes)
        p->opened_bytes = opened;
}

/* The map whose foreground a word of the pipeline looks for. */
static int find_focus(struct prepare *p, int model, struct err *err) {
    if (!p->field[model].plan.focuses || !p->training)
        return 0;
    for (int i = 0; i < p->n_fields && !p->focus; i++)
        if (p->field[i].augmented && dataset_field(p->dataset, i)->kind == DATASET_CLASS)
            p->focus = 1 + i;
    return p->focus ? 0
                    : err_set(err, ERR_CONFIG,
                              "random_crop3d: foreground is that of a mask, and "
                              "there is none beside %s",
                              dataset_field(p->dataset, model)->name);
}

/* The boxes that a word of the pipeline looks at: those called boxes, or else the first. */
static int find_boxes(struct prepare *p, int model, struct err *err) {
    const int named = dataset_find_field(p->dataset, "boxes");

    if (!p->field[model].plan.sees)
        return 0;
    for (int i = p->n_fields - 1; i >= 0; i--)
        if (p->field[i].boxes)
            p->boxes = 1 + i;
    if (named >= 0 && p->field[named].boxes)
        p->boxes = 1 + named;
    if (p->boxes)
        return 0;
    const struct augment_plan *plan = &p->field[model].plan;
    int i = 0;
    while (!plan->stage[i].augment->sees)
        i++;
    return err_set(err, ERR_CONFIG, "%s: looks at boxes, and there are none beside %s",
                   plan->stage[i].augment->word.name, dataset_field(p->dataset, model)->name);
}

int prepare_init(struct prepare *p, const struct prepare_config *config, struct err *err) {
    const int model = first_image(config->dataset);

    *p = (struct prepare){.dataset = config->dataset,
                          .seed = config->seed,
                          .training = config->training,
                          .reduced = config->reduced,
                          .model = model,
                          .n_fields = dataset_n_fields(config->dataset)};
    if (config->n_pipeline && model < 0 && !has_measured(config->dataset))
        return err_set(err, ERR_CONFIG, "%s: there are no images to change",
                       config->pipeline[0].word->name);
    if (model >= 0 && plan_field(p, model, model, config, err))
        return -1;
    for (int i = 0; i < p->n_fields; i++) {
        if (i != model && plan_field(p, i, model, config, err))
            return -1;
        measure_field(p, i);
    }
    if (model < 0)
        return 0;
    return find_focus(p, model, err) || find_boxes(p, model, err) ? -1 : 0;
}
