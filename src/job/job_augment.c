/* job_augment.c - [data] augment: a pipeline of words. */
#include "io/augment/augment.h"
#include "job/kind.h"

#include <string.h>

static int no_image(const struct expr *e, struct err *err) {
    return pos_error(err, e->pos,
                     "%s: expected `image` at the start of the pipeline, as in image | %s", e->text,
                     e->text);
}

/* The words of a pipeline, which grows from the name `image`. */
static int augment_name(struct evaluator *ev, const struct expr *e, struct value *out,
                        struct err *err) {
    (void)ev;
    if (augment_find(e->text))
        return no_image(e, err);
    if (strcmp(e->text, "image"))
        return 0;
    *out = (struct value){.kind = VALUE_LIST, .pos = e->pos};
    return 1;
}

static int augment_call(struct evaluator *ev, const struct expr *e, const struct value *piped,
                        struct value *out, struct err *err) {
    const struct word *word = augment_find(e->text);
    struct value applied = {.kind = VALUE_APPLIED, .pos = e->pos};

    if (!word)
        return 0;
    if (eval_apply(ev, e, 0, word, &applied.applied, err))
        return -1;
    if (!piped || piped->kind != VALUE_LIST)
        return no_image(e, err);
    struct value *items = pool_take(ev->pool, (size_t)(piped->n_items + 1) * sizeof *items);
    if (piped->n_items)
        memcpy(items, piped->items, (size_t)piped->n_items * sizeof *items);
    items[piped->n_items] = applied;
    *out = *piped;
    out->items = items;
    out->n_items++;
    return 1;
}

static int augment_known(const struct evaluator *ev, const char **names, int n, int max) {
    int n_augment;
    const struct augment *const *augment = augment_table(&n_augment);

    (void)ev;
    for (int i = 0; i < n_augment && n < max; i++)
        names[n++] = augment[i]->word.name;
    return n;
}

static const struct eval_host augment_host = {
    .name = augment_name,
    .call = augment_call,
    .known = augment_known,
    .what = "augmentation",
};

static int read_pipeline(struct job *job, const struct key *key, const struct entry *entry,
                         void *at, struct err *err) {
    struct evaluator ev = kind_evaluator(job, &augment_host);
    struct value v;

    (void)key, (void)at;
    if (eval_entry(&ev, entry, &v, err))
        return -1;
    if (v.kind != VALUE_LIST)
        return pos_error(err, entry->pos,
                         "augment: expected a pipeline as in image | random_flip | normalize");
    if (v.n_items > JOB_MAX_PIPELINE)
        return pos_error(err, entry->pos, "augment: %d stages, expected at most %d", v.n_items,
                         JOB_MAX_PIPELINE);
    for (int i = 0; i < v.n_items; i++) {
        if (v.items[i].kind != VALUE_APPLIED)
            return pos_error(err, entry->pos, "augment: found %s, expected augmentations",
                             value_kind_name(v.items[i].kind));
        job->augment[job->n_augment++] = v.items[i].applied;
    }
    return 0;
}

const struct kind kind_pipeline = {
    .name = "pipeline",
    .form = "`image` and what happens to it: `image | random_flip | normalize`",
    .read = read_pipeline,
};
