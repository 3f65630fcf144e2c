#include "io/augment/augment_parts.h"
#include "io/augment/augment_piece.h"

#include <string.h>

#define AUGMENT(name) extern const struct augment augment_##name;
#include "io/augment/augment.def"
#undef AUGMENT

static const struct augment *const table[] = {
#define AUGMENT(name) &augment_##name,
#include "io/augment/augment.def"
#undef AUGMENT
};

const struct word *augment_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i]->word.name, name))
            return &table[i]->word;
    return NULL;
}

const struct augment *const *augment_table(int *n) {
    *n = (int)(sizeof table / sizeof *table);
    return table;
}

/* A number of floats that keeps what follows aligned to 64 bytes. */
static int64_t aligned(int64_t len) {
    return (len + 15) / 16 * 16;
}

/* What augment_run begins with. */
static const struct shape *first_shape(const struct augment_plan *plan) {
    return plan->many ? &plan->opened : &plan->source.shape;
}

/* The longest image on the way through, in floats. */
static int64_t longest(const struct augment_plan *plan) {
    int64_t len = shape_len(first_shape(plan));

    for (int i = plan->n_done; i < plan->n; i++)
        if (shape_len(&plan->stage[i].out) > len)
            len = shape_len(&plan->stage[i].out);
    return aligned(len);
}

/* Colours are bounded to 0 .. 1: values beyond would be lost without a word.
 *   before  the word after which they are no longer such; NULL: never were */
static int check_values(const struct augment *augment, const struct augment_source *source,
                        const char *before, struct err *err) {
    if (augment->values != AUGMENT_NEEDS_UNIT || source->role != AUGMENT_IMAGE)
        return 0;
    if (!source->unit)
        return err_set(err, ERR_CONFIG,
                       "%s: needs values from 0 to 1, as of images of bytes; the images are floats",
                       augment->word.name);
    return before ? err_set(err, ERR_CONFIG, "%s: needs values from 0 to 1; put it before %s",
                            augment->word.name, before)
                  : 0;
}

/* Does one of the words that are planned move anything? */
static bool moved_before(const struct augment_plan *plan) {
    for (int i = 0; i < plan->n; i++)
        if (plan->stage[i].augment->moves)
            return true;
    return false;
}

/* Boxes follow words that say where points go. */
static int check_boxes(const struct augment *augment, const struct augment_source *source,
                       struct err *err) {
    if (source->role == AUGMENT_BOXES && augment->mixes)
        return err_set(err, ERR_CONFIG, "%s: mixes images, and boxes cannot be mixed",
                       augment->word.name);
    if (source->role == AUGMENT_BOXES && augment->moves && !augment->affine)
        return err_set(err, ERR_CONFIG, "%s: boxes cannot follow it", augment->word.name);
    return 0;
}

/* One more word, behind those that are planned. */
static int add_stage(struct augment_plan *plan, const struct applied *applied, int position,
                     bool scaled, struct err *err) {
    const struct augment *augment = (const struct augment *)(const void *)applied->word;
    struct augment_stage *stage = &plan->stage[plan->n];
    const bool many = plan->n ? stage[-1].many_out : plan->many;

    if (plan->n == AUGMENT_MAX)
        return err_set(err, ERR_CONFIG, "%s: a pipeline has %d words at most", augment->word.name,
                       AUGMENT_MAX);
    *stage = (struct augment_stage){.augment = augment,
                                    .args = applied->args,
                                    .position = position,
                                    .in = plan->out,
                                    .out = plan->out,
                                    .scaled = scaled,
                                    .many_in = many,
                                    .many_out = many};
    if (plan->source.shape.rank == 4 && !augment->volumes)
        return err_set(err, ERR_CONFIG, "%s: is for images; these are volumes [d, h, w, c]",
                       augment->word.name);
    if (many && !augment->piece)
        return augment_refuse_many(augment->word.name, err);
    if (augment->plan(stage->args, plan->training, &plan->source, stage, err))
        return -1;
    if (stage->focuses && moved_before(plan))
        return err_set(err, ERR_CONFIG,
                       "%s: foreground is that of the mask as stored; put it before "
                       "other words that move voxels",
                       augment->word.name);
    plan->focuses = plan->focuses || stage->focuses;
    plan->sees = plan->sees || (augment->sees && plan->training);
    plan->out = stage->out;
    plan->n++;
    return 0;
}

int augment_plan_init(struct augment_plan *plan, const struct applied *pipeline, int n,
                      bool training, const struct augment_source *source, struct err *err) {
    const char *ended = NULL;
    bool scaled = source->unit;
    int64_t scratch = 0;

    *plan = (struct augment_plan){.source = *source,
                                  .training = training,
                                  .out = source->shape,
                                  .many = !source->shape.dim[0]};
    for (int i = 0; i < n; i++) {
        const struct augment *augment = (const struct augment *)(const void *)pipeline[i].word;

        if ((!augment->mixes || training) && (!augment->training_only || training) &&
            check_boxes(augment, source, err))
            return -1;
        if ((augment->training_only && !training) || augment->mixes ||
            (!augment->moves && source->role != AUGMENT_IMAGE))
            continue;
        if (check_values(augment, source, ended, err) ||
            add_stage(plan, &pipeline[i], i, scaled, err))
            return -1;
        if (augment->values >= AUGMENT_ENDS_UNIT)
            ended = augment->word.name;
        scaled = scaled && augment->values != AUGMENT_ENDS_SCALE;
        if (plan->stage[plan->n - 1].scratch_len > scratch)
            scratch = plan->stage[plan->n - 1].scratch_len;
    }
    if (plan->many && augment_plan_piece(plan, err))
        return -1;
    plan->scratch_len = 2 * longest(plan) + scratch;
    return 0;
}

struct augment_call augment_call_of(const struct augment_plan *plan,
                                    const struct augment_draw *draw, int i, int64_t height,
                                    int64_t width) {
    const struct augment_stage *s = &plan->stage[i];

    return (struct augment_call){.args = s->args,
                                 .source = &plan->source,
                                 .training = plan->training,
                                 .key = draw->key,
                                 .steady = draw->steady,
                                 .odd = draw->odd,
                                 .focused = draw->focused,
                                 .focus = {draw->focus[0], draw->focus[1], draw->focus[2]},
                                 .first = (uint64_t)s->position * AUGMENT_DRAWS,
                                 .in_shape = s->in,
                                 .out_shape = s->out,
                                 .plan = plan,
                                 .draw = draw,
                                 .stage = i,
                                 .height = height,
                                 .width = width};
}

/* What augment_run begins with, as floats. */
static void load(const struct augment_plan *plan, const unsigned char *bytes, const float *floats,
                 float *image) {
    const int64_t len = shape_len(first_shape(plan));

    if (plan->many)
        augment_look_up(plan, bytes, image);
    else if (bytes)
        for (int64_t i = 0; i < len; i++)
            image[i] = (float)bytes[i] / 255;
    else
        memcpy(image, floats, (size_t)len * sizeof *image);
}

/* The image goes back and forth between two buffers; the last word that cannot work in place
 * writes to out, and those after it work there. */
void augment_run(const struct augment_plan *plan, const struct augment_draw *draw,
                 const unsigned char *bytes, const float *floats, float *scratch, float *out) {
    const int64_t half = longest(plan);
    float *const buffer[2] = {scratch, scratch + half};
    float *image;
    int last = -1, side = 0;

    for (int i = plan->n_done; i < plan->n; i++)
        if (!plan->stage[i].augment->in_place)
            last = i;
    image = last < 0 ? out : buffer[side];
    load(plan, bytes, floats, image);
    for (int i = plan->n_done; i < plan->n; i++) {
        struct augment_call c =
            augment_call_of(plan, draw, i, plan->source.shape.dim[0], plan->source.shape.dim[1]);

        c.in = image;
        c.scratch = scratch + 2 * half;
        if (!plan->stage[i].augment->in_place)
            image = i == last ? out : buffer[side ^= 1];
        c.out = image;
        plan->stage[i].augment->apply(&c);
    }
}
