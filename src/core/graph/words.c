/* words.c - the words of nets and steps beside operators. */
#include "core/graph/build.h"

#include <string.h>

static int model_value(struct builder *b, const struct expr *e, const struct value *piped,
                       struct value *out, struct err *err) {
    (void)piped;
    if (!b->config->model_entry)
        return pos_error(err, e->pos, "found 'model', but [job] has no key model");
    if (eval_entry(&b->eval, b->config->model_entry, out, err))
        return -1;
    if (out->kind != VALUE_NET)
        return pos_error(err, b->config->model_entry->pos,
                         "model: found %s, expected a net as in resnet20(classes=10)",
                         value_kind_name(out->kind));
    return 0;
}

/* The shape of the one tensor that a word takes; NULL with err. */
static const struct shape *shape_of(struct builder *b, const struct expr *e,
                                    const struct value *piped, struct err *err) {
    struct value v;

    if (piped) {
        v = *piped;
    } else if (e->n_args != 1) {
        pos_error(err, e->pos, "%s takes one tensor", e->text);
        return NULL;
    } else if (eval(&b->eval, e->args[0].value, &v, err)) {
        return NULL;
    }
    const int node = build_node(b, &v, e->text, err);
    return node < 0 ? NULL : &b->graph->nodes[node].plan.y;
}

static int channels_value(struct builder *b, const struct expr *e, const struct value *piped,
                          struct value *out, struct err *err) {
    const struct shape *s = shape_of(b, e, piped, err);

    if (!s)
        return -1;
    *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = (double)shape_channels(s)};
    return 0;
}

static int image_value(struct builder *b, const struct expr *e, const struct value *piped, int dim,
                       struct value *out, struct err *err) {
    const struct shape *s = shape_of(b, e, piped, err);

    if (!s)
        return -1;
    if (s->rank != 4)
        return pos_error(err, e->pos, "%s takes images [n, h, w, c]", e->text);
    *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = (double)s->dim[dim]};
    return 0;
}

static int height_value(struct builder *b, const struct expr *e, const struct value *piped,
                        struct value *out, struct err *err) {
    return image_value(b, e, piped, 1, out, err);
}

static int width_value(struct builder *b, const struct expr *e, const struct value *piped,
                       struct value *out, struct err *err) {
    return image_value(b, e, piped, 2, out, err);
}

static const struct graph_word table[] = {
    {{"if", "if(condition, a, b): a or b, whichever is taken; the other one is not made", 0, NULL},
     0,
     NULL}, /* the evaluator's own */
    {{"channels", "channels(x): the last dimension of a tensor, as a number", 0, NULL},
     WORD_CALL | WORD_PIPED,
     channels_value},
    {{"height", "height(x): of images, as a number", 0, NULL},
     WORD_CALL | WORD_PIPED,
     height_value},
    {{"width", "width(x): of images, as a number", 0, NULL}, WORD_CALL | WORD_PIPED, width_value},
    {{"classes", "classes(label): how many classes a field of the data has, as a number", 0, NULL},
     WORD_CALL,
     build_classes},
    {{"share", "share(block, ...): one instance of a block, whose uses share its parameters", 0,
      NULL},
     WORD_CALL,
     build_share},
    {{"numbered",
      "x | numbered | f | g: parameters of f and g are named after the statement and 0, 1, ...", 0,
      NULL},
     WORD_CALL | WORD_PIPED,
     build_numbered},
    {{"arch", "arch(\"C64 B R P L10\"): a net in the notation of lectures, for [job] model", 0,
      NULL},
     WORD_CALL,
     build_arch},
    {{"model", "the net that [job] model names", 0, NULL}, WORD_NAME | WORD_STEP, model_value},
    {{"balanced", "balanced(label): class weights total / (classes * count), for weights=", 0,
      NULL},
     WORD_CALL | WORD_NAME | WORD_STEP,
     build_balanced},
};

enum { N_WORDS = sizeof table / sizeof *table };

const struct graph_word *build_word(const struct builder *b, const char *name, unsigned how) {
    for (int i = 0; i < N_WORDS; i++)
        if (table[i].how & how && !(table[i].how & WORD_STEP && b->frame->net) &&
            !strcmp(table[i].word.name, name))
            return &table[i];
    return NULL;
}

const struct word *graph_word_at(int i) {
    return i < N_WORDS ? &table[i].word : NULL;
}
