#include "io/loader/mix.h"

#include "core/base/rng.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- planning --- */

/* The word that mixes: the last one of the pipeline. -1: none; -2 with err. */
static int find_word(const struct prepare_config *c, struct augment_mixing *how, struct err *err) {
    int found = -1;

    for (int i = 0; i < c->n_pipeline; i++) {
        struct augment_mixing other;
        const bool mixes = augment_mixes(&c->pipeline[i], &other);

        if (found < 0 && mixes) {
            found = i;
            *how = other;
        } else if (found >= 0) {
            const char *word = c->pipeline[found].word->name;
            if (mixes)
                err_set(err, ERR_CONFIG,
                        "%s: %s mixes, too; mix(mixup=0.2, cutmix=1) takes one of both for each "
                        "sample",
                        word, c->pipeline[i].word->name);
            else
                err_set(err, ERR_CONFIG,
                        "%s: mixes samples that are finished; put it at the end, behind %s", word,
                        c->pipeline[c->n_pipeline - 1].word->name);
            return -2;
        }
    }
    return found;
}

static bool is_image(const struct dataset_field *f) {
    return f->image || f->kind == DATASET_ENCODED;
}

/* Does field i change with the image? Numbers beside it are those of the sample itself. */
static bool goes_along(const struct prepare *p, int i) {
    const struct dataset_field *f = dataset_field(p->dataset, i);

    return !f->unpaired &&
           (p->field[i].augmented || (f->kind == DATASET_CLASS && f->sample.rank > 1));
}

static int check_field(const struct mix *m, const struct prepare *p, int i, const char *word,
                       struct err *err) {
    const struct dataset_field *f = dataset_field(p->dataset, i);
    const struct shape *s = &p->field[i].sample;
    char text[SHAPE_TEXT];

    if (m->how.mixup > 0 && f->kind == DATASET_CLASS)
        return err_set(err, ERR_CONFIG,
                       "%s: %s holds a class for each pixel, of which there are no shares; cutmix "
                       "exchanges pixels with their classes",
                       word, f->name);
    if (m->how.cutmix > 0 && (s->dim[0] != m->height || s->dim[1] != m->width))
        return err_set(err, ERR_CONFIG,
                       "%s: %s is %s, but images are %" PRId64 "x%" PRId64
                       " (height, width): no rectangle is the same in both",
                       word, f->name, shape_text(s, text), m->height, m->width);
    return 0;
}

static int plan_fields(struct mix *m, const struct prepare *p, const char *word, struct err *err) {
    for (int i = p->n_fields - 1; i >= 0; i--)
        if (is_image(dataset_field(p->dataset, i)) && goes_along(p, i)) {
            m->height = p->field[i].sample.dim[0];
            m->width = p->field[i].sample.dim[1];
        }
    for (int i = 0; i < p->n_fields; i++) {
        if (dataset_field(p->dataset, i)->boxes)
            return err_set(err, ERR_CONFIG,
                           "%s: mixes pictures, but not %s: what is in one is not in the mixture",
                           word, dataset_field(p->dataset, i)->name);
        m->mixed[i] = goes_along(p, i);
        if (m->mixed[i] && check_field(m, p, i, word, err))
            return -1;
    }
    return 0;
}

static int plan_target(struct mix *m, const struct prepare *p, const char *word, struct err *err) {
    const int i = dataset_find_field(p->dataset, "label");
    const struct dataset_field *f = i < 0 ? NULL : dataset_field(p->dataset, i);

    if (!f || f->kind != DATASET_CLASS || f->sample.rank || f->unpaired)
        return 0;
    if (dataset_find_field(p->dataset, "target") >= 0)
        return err_set(err, ERR_CONFIG,
                       "%s: calls the shares of classes target, which the data has already; give "
                       "that another name",
                       word);
    m->label = i;
    m->n_classes = dataset_field_classes(p->dataset, i);
    if (m->how.classes && m->how.classes < m->n_classes)
        return err_set(err, ERR_CONFIG, "%s: classes is %d, but %s has %d", word, m->how.classes,
                       f->name, m->n_classes);
    if (m->how.classes)
        m->n_classes = m->how.classes;
    return 0;
}

int mix_init(struct mix *m, const struct prepare *p, const struct prepare_config *config,
             struct err *err) {
    *m = (struct mix){0};
    const int at = find_word(config, &m->how, err);
    if (at < 0)
        return at < -1 ? -1 : 0;
    const char *word = config->pipeline[at].word->name;
    m->mixes = p->training;
    m->first = (uint64_t)at * AUGMENT_DRAWS;
    return plan_fields(m, p, word, err) || plan_target(m, p, word, err) ? -1 : 0;
}

/* --- mixing --- */

/* How a pair becomes one. */
struct mixed_pair {
    bool cut;
    float share; /* of the sample itself; the other one has the rest */
    struct augment_box box;
};

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

/* A rectangle of the image's form and of 1 - share of its area around a point anywhere, as far as
 * it is inside; the share is then what it leaves. As torchvision's CutMix. */
static void draw_box(const struct mix *m, uint64_t key, struct mixed_pair *pair) {
    const int64_t h = m->height, w = m->width;
    const double half = 0.5 * sqrt(1 - (double)pair->share);
    const int64_t half_h = (int64_t)(half * (double)h), half_w = (int64_t)(half * (double)w);
    const int64_t y = (int64_t)rng_below(key, m->first + 3, (uint64_t)h);
    const int64_t x = (int64_t)rng_below(key, m->first + 4, (uint64_t)w);
    struct augment_box *box = &pair->box;

    box->top = clamp(y - half_h, 0, h);
    box->left = clamp(x - half_w, 0, w);
    box->height = clamp(y + half_h, 0, h) - box->top;
    box->width = clamp(x + half_w, 0, w) - box->left;
    pair->share = (float)(1 - (double)(box->height * box->width) / (double)(h * w));
}

static struct mixed_pair draw_pair(const struct mix *m, uint64_t key) {
    struct mixed_pair pair = {.share = 1};

    if (!m->mixes || (double)rng_uniform(key, m->first) >= m->how.p)
        return pair;
    pair.cut = (double)rng_uniform(key, m->first + 1) < m->how.cuts;
    const double alpha = pair.cut ? m->how.cutmix : m->how.mixup;
    pair.share = (float)rng_beta(key, m->first + 2, alpha, alpha);
    if (pair.cut)
        draw_box(m, key, &pair);
    return pair;
}

static void mix_shares(float *restrict x, const float *restrict other, int64_t len, float share) {
    for (int64_t i = 0; i < len; i++)
        x[i] = share * x[i] + (1 - share) * other[i];
}

/* Numbers and classes alike: both are of 4 bytes.
 *   channels  numbers of a pixel */
static void cut(char *x, const char *other, int64_t width, int64_t channels,
                const struct augment_box *box) {
    const size_t pixel = (size_t)channels * sizeof(float);

    for (int64_t i = box->top; i < box->top + box->height; i++) {
        const size_t at = (size_t)(i * width + box->left) * pixel;
        memcpy(x + at, other + at, (size_t)box->width * pixel);
    }
}

/* Sample i with the one behind it. */
static void mix_fields(const struct mix *m, const struct prepare *p, const struct prepare_batch *b,
                       int64_t i, const struct mixed_pair *pair) {
    for (int k = 0; k < p->n_fields; k++) {
        const struct shape *s = &p->field[k].sample;
        const int64_t len = m->mixed[k] ? shape_len(s) : 0;
        float *x = (float *)b->out[k] + i * len;

        if (!m->mixed[k])
            continue;
        if (pair->cut)
            cut((char *)x, (const char *)(x + len), m->width, len / (m->height * m->width),
                &pair->box);
        else if (pair->share < 1)
            mix_shares(x, x + len, len, pair->share);
    }
}

/* [n_classes] of one sample. */
static void find_target(const struct mix *m, const struct prepare_batch *b, int64_t i, float share,
                        float *target) {
    const int32_t *label = (const int32_t *)b->out[m->label] + i;

    memset(target, 0, (size_t)m->n_classes * sizeof *target);
    if (label[0] >= 0)
        target[label[0]] += share;
    if (m->mixes && label[1] >= 0)
        target[label[1]] += 1 - share;
}

void mix_run(const struct mix *m, const struct prepare *p, const struct prepare_batch *b, int64_t n,
             float *target) {
    for (int64_t i = 0; i < n; i++) {
        const struct mixed_pair pair = draw_pair(m, m->mixes ? prepare_key(p, b, b->epoch, i) : 0);

        if (m->mixes)
            mix_fields(m, p, b, i, &pair);
        if (m->n_classes)
            find_target(m, b, i, pair.share, target + i * m->n_classes);
    }
}
