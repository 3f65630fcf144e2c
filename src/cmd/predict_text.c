/* predict_text.c - predictions as lines of JSON and of CSV (RFC 4180). */
#include "cmd/predict.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOP = 1000, DIGITS = 7 };

const char *predict_class_name(const struct predict *p, int64_t class, char number[24]) {
    if (p->class_name && class >= 0 && class < p->n_classes)
        return p->class_name[class];
    snprintf(number, 24, "%" PRId64, class);
    return number;
}

/* One channel is the probability of the second of two classes. */
static double probability(const struct predict *p, const float *values, int64_t class) {
    return !p->predictor.binary ? (double)values[class]
           : class              ? (double)values[0]
                                : 1 - (double)values[0];
}

static int64_t n_choices(const struct predict *p, const struct shape *shape) {
    return p->predictor.binary ? 2 : shape_channels(shape);
}

int64_t predict_class_at(const struct predict *p, const float *values) {
    const int64_t n = n_choices(p, &p->predictor.sample);
    int64_t best = 0;

    if (p->predictor.kind == PREDICT_INDICES)
        return (int64_t)values[0];
    for (int64_t k = 1; k < n; k++)
        if (probability(p, values, k) > probability(p, values, best))
            best = k;
    return best;
}

int64_t predict_pixels(const struct predict *p, const struct shape *shape) {
    if (p->predictor.kind == PREDICT_INDICES)
        return shape->rank ? shape_len(shape) : 1;
    return shape_len(shape) / shape_channels(shape);
}

int predict_top(const struct predict *p, const float *values, int *place, int n) {
    const int64_t all = n_choices(p, &p->predictor.sample);
    int found = 0;

    for (int64_t k = 0; k < all; k++) {
        int at = found < n ? found++ : n;
        for (; at > 0 && probability(p, values, k) > probability(p, values, place[at - 1]); at--)
            if (at < n)
                place[at] = place[at - 1];
        if (at < n)
            place[at] = (int)k;
    }
    return found;
}

/* JSON is UTF-8: of names in another encoding what is not ASCII is lost. */
static json_t *text_json(const char *text) {
    json_t *json = json_string(text);
    char *ascii = json ? NULL : strdup(text);

    for (char *at = ascii; at && *at; at++)
        if ((unsigned char)*at > 127)
            *at = '?';
    if (ascii)
        json = json_string(ascii);
    free(ascii);
    return json;
}

/* JSON has no numbers that are not finite. */
static json_t *number_json(double v) {
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *top_json(const struct predict *p, const float *values) {
    int place[MOST_TOP];
    const int n = predict_top(p, values, place, (int)p->args.top);
    json_t *list = json_array();
    char number[24];

    for (int k = 0; k < n; k++)
        json_array_append_new(list, json_pack("{s:o, s:o}", "class",
                                              text_json(predict_class_name(p, place[k], number)),
                                              "p", number_json(probability(p, values, place[k]))));
    return list;
}

/* How many pixels have each class, [n_classes] and one for all others; malloc'd. */
static int64_t *count_pixels(const struct predict *p, const struct predicted *v) {
    const int64_t pixels = predict_pixels(p, &v->shape);
    const int64_t step = p->predictor.kind == PREDICT_INDICES ? 1 : shape_channels(&v->shape);
    int64_t *counts = calloc((size_t)p->n_classes + 1, sizeof *counts);

    for (int64_t i = 0; counts && i < pixels; i++) {
        const int64_t class = predict_class_at(p, v->values + i * step);
        counts[class >= 0 && class < p->n_classes ? class : p->n_classes]++;
    }
    return counts;
}

static json_t *shares_json(const struct predict *p, const struct predicted *v) {
    const double pixels = (double)predict_pixels(p, &v->shape);
    int64_t *counts = count_pixels(p, v);
    json_t *shares = json_object();
    char number[24];

    for (int k = 0; counts && k < p->n_classes; k++)
        if (counts[k])
            json_object_set_new(shares, predict_class_name(p, k, number),
                                json_real((double)counts[k] / pixels));
    free(counts);
    return shares;
}

static json_t *values_json(const struct predicted *v) {
    json_t *list = json_array();

    for (int64_t i = 0; i < shape_len(&v->shape); i++)
        json_array_append_new(list, number_json((double)v->values[i]));
    return list;
}

static void set_prediction(const struct predict *p, const struct predicted *v, json_t *line) {
    char number[24];

    switch (p->predictor.kind) {
    case PREDICT_CLASSES:
        json_object_set_new(line, "top", top_json(p, v->values));
        return;
    case PREDICT_INDICES:
        if (!v->shape.rank) {
            const char *name = predict_class_name(p, (int64_t)v->values[0], number);
            json_object_set_new(line, "class", text_json(name));
            return;
        }
        json_object_set_new(line, "classes", shares_json(p, v));
        return;
    case PREDICT_MASK:
        json_object_set_new(line, "classes", shares_json(p, v));
        return;
    case PREDICT_VALUES:
        if (v->shape.rank)
            json_object_set_new(line, "values", values_json(v));
        else
            json_object_set_new(line, "value", number_json((double)v->values[0]));
        return;
    case PREDICT_IMAGE:
        return;
    }
}

int predict_json(const struct predict *p, const struct predicted *v, const char *picture) {
    json_t *line = json_object();
    char number[24];

    if (p->inputs.path)
        json_object_set_new(line, "file", text_json(p->inputs.path[v->index]));
    else
        json_object_set_new(line, "index", json_integer(v->index));
    if (v->label >= 0)
        json_object_set_new(line, "label", text_json(predict_class_name(p, v->label, number)));
    if (v->error)
        json_object_set_new(line, "error", text_json(v->error));
    else
        set_prediction(p, v, line);
    if (picture)
        json_object_set_new(
            line, predict_is_drawn(p) && p->predictor.kind != PREDICT_IMAGE ? "mask" : "picture",
            text_json(picture));
    const int rc = json_dumpf(line, p->lines,
                              JSON_COMPACT | JSON_REAL_PRECISION(DIGITS) | JSON_PRESERVE_ORDER);
    json_decref(line);
    fputc('\n', p->lines);
    return rc;
}

/* --- CSV --- */

static void put(FILE *to, const char *text) {
    const bool quoted = text[strcspn(text, ",\"\r\n")];

    if (quoted)
        fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    if (quoted)
        fputc('"', to);
}

static void put_titled(FILE *to, const char *title, const char *name) {
    char *text = NULL;
    size_t len;
    FILE *stream = open_memstream(&text, &len);

    if (!stream)
        return;
    fprintf(stream, "%s%s", title, name);
    fclose(stream);
    put(to, text);
    free(text);
}

static bool is_map(const struct predict *p) {
    return p->predictor.kind == PREDICT_MASK ||
           (p->predictor.kind == PREDICT_INDICES && p->predictor.sample.rank);
}

static int64_t n_top(const struct predict *p) {
    const int64_t n = n_choices(p, &p->predictor.sample);

    return n < p->args.top ? n : p->args.top;
}

static void columns(const struct predict *p, FILE *to) {
    const enum predictor_kind kind = p->predictor.kind;
    char number[24];

    for (int64_t k = 1; kind == PREDICT_CLASSES && k <= n_top(p); k++)
        fprintf(to, ",class_%" PRId64 ",p_%" PRId64, k, k);
    for (int k = 0; is_map(p) && k < p->n_classes; k++) {
        fputc(',', to);
        put_titled(to, "share of ", predict_class_name(p, k, number));
    }
    if (kind == PREDICT_INDICES && !is_map(p))
        fputs(",class", to);
    for (int64_t k = 0; kind == PREDICT_VALUES && k < predictor_len(&p->predictor); k++)
        fprintf(to, ",value_%" PRId64, k + 1);
}

void predict_csv_header(const struct predict *p, FILE *to) {
    fputs(p->inputs.path ? "file" : "index", to);
    if (p->source.labels >= 0 || p->source.label)
        fputs(",label", to);
    columns(p, to);
    if (p->args.skip_broken)
        fputs(",error", to);
    fputs("\r\n", to);
}

static void put_classes(const struct predict *p, const struct predicted *v) {
    int place[MOST_TOP];
    const int64_t n = n_top(p);
    char number[24];

    if (v->values)
        predict_top(p, v->values, place, (int)n);
    for (int64_t k = 0; k < n; k++) {
        fputc(',', p->lines);
        if (v->values)
            put(p->lines, predict_class_name(p, place[k], number));
        fputc(',', p->lines);
        if (v->values)
            fprintf(p->lines, "%.*g", DIGITS, probability(p, v->values, place[k]));
    }
}

static void put_shares(const struct predict *p, const struct predicted *v) {
    int64_t *counts = v->values ? count_pixels(p, v) : NULL;

    for (int k = 0; k < p->n_classes; k++) {
        fputc(',', p->lines);
        if (counts)
            fprintf(p->lines, "%.*g", DIGITS,
                    (double)counts[k] / (double)predict_pixels(p, &v->shape));
    }
    free(counts);
}

static void put_prediction(const struct predict *p, const struct predicted *v) {
    const enum predictor_kind kind = p->predictor.kind;
    char number[24];

    if (kind == PREDICT_CLASSES)
        put_classes(p, v);
    if (is_map(p))
        put_shares(p, v);
    if (kind == PREDICT_INDICES && !is_map(p)) {
        fputc(',', p->lines);
        if (v->values)
            put(p->lines, predict_class_name(p, (int64_t)v->values[0], number));
    }
    for (int64_t k = 0; kind == PREDICT_VALUES && k < predictor_len(&p->predictor); k++) {
        fputc(',', p->lines);
        if (v->values)
            fprintf(p->lines, "%.*g", DIGITS, (double)v->values[k]);
    }
}

void predict_csv(const struct predict *p, const struct predicted *v) {
    char number[24];

    if (p->inputs.path)
        put(p->lines, p->inputs.path[v->index]);
    else
        fprintf(p->lines, "%" PRId64, v->index);
    if (p->source.labels >= 0 || p->source.label) {
        fputc(',', p->lines);
        if (v->label >= 0)
            put(p->lines, predict_class_name(p, v->label, number));
    }
    put_prediction(p, v);
    if (p->args.skip_broken) {
        fputc(',', p->lines);
        put(p->lines, v->error ? v->error : "");
    }
    fputs("\r\n", p->lines);
}
