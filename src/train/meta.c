#include "train/meta.h"
#include "io/weights/checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FORMAT = 2 }; /* 1 did not say what it was of */

/* --- writing --- */

/* JSON is UTF-8; of a text in another encoding, what is not ASCII is lost. */
static json_t *text_json(const char *text) {
    json_t *json = json_string(text);
    struct pool pool = {0};

    if (json)
        return json;
    char *ascii = pool_print(&pool, "%s", text);
    for (char *at = ascii; *at; at++)
        if ((unsigned char)*at > 127)
            *at = '?';
    json = json_string(ascii);
    pool_release(&pool);
    return json;
}

const char *meta_fingerprint(const struct feed *feed, char text[META_FINGERPRINT]) {
    snprintf(text, META_FINGERPRINT, "%016" PRIx64, dataset_fingerprint(feed->dataset));
    return text;
}

static json_t *describe_data(const struct feed *feed) {
    char text[META_FINGERPRINT];

    return json_pack("{s:o, s:I, s:s}", "file", text_json(dataset_name(feed->dataset)), "samples",
                     (json_int_t)dataset_len(feed->dataset), "fingerprint",
                     meta_fingerprint(feed, text));
}

static json_t *describe_shape(const struct shape *s) {
    json_t *shape = json_array();

    for (int k = 0; k < s->rank; k++)
        json_array_append_new(shape, json_integer(s->dim[k]));
    return shape;
}

/* As networks see them, and as the data has them: pictures to predict are made like these. */
static json_t *describe_fields(const struct feed *feed) {
    static const char *const stored_as[] = {[DATASET_BYTES] = "bytes",
                                            [DATASET_REALS] = "reals",
                                            [DATASET_CLASS] = "classes",
                                            [DATASET_ENCODED] = "files"};
    json_t *fields = json_array();

    for (int i = 0; i < loader_n_fields(feed->loader); i++) {
        const struct loader_field *f = loader_field(feed->loader, i);
        json_t *field = json_pack(
            "{s:o, s:o, s:s, s:i}", "name", text_json(f->name), "shape", describe_shape(&f->sample),
            "kind", f->kind == DATASET_CLASS ? "class" : "real", "classes", f->n_classes);
        if (i < dataset_n_fields(feed->dataset)) {
            const struct dataset_field *stored = dataset_field(feed->dataset, i);
            json_object_set_new(field, "stored", describe_shape(&stored->sample));
            json_object_set_new(field, "stored_as", json_string(stored_as[stored->kind]));
            json_object_set_new(field, "image", json_boolean(stored->image));
        }
        json_array_append_new(fields, field);
    }
    return fields;
}

static json_t *describe_classes(const struct dataset *ds) {
    json_t *classes = json_object();

    for (int i = 0; i < dataset_n_fields(ds); i++) {
        if (!dataset_classes_named(ds, i))
            continue;
        json_t *names = json_array();
        for (int c = 0; c < dataset_field_classes(ds, i); c++)
            json_array_append_new(names, text_json(dataset_class_name(ds, i, c)));
        json_object_set_new(classes, dataset_field(ds, i)->name, names);
    }
    return classes;
}

static json_t *describe_floats(const float *v, int64_t n) {
    json_t *list = json_array();

    for (int64_t i = 0; i < n; i++)
        json_array_append_new(list, json_real((double)v[i]));
    return list;
}

/* What `normalize` without arguments takes. */
static json_t *describe_normalisation(const struct dataset *ds) {
    json_t *fields = json_object();

    for (int i = 0; i < dataset_n_fields(ds); i++) {
        const struct shape *s = &dataset_field(ds, i)->sample;
        const float *mean = dataset_mean(ds, i), *std = dataset_std(ds, i);
        if (!mean || !std)
            continue;
        const int64_t channels = s->dim[s->rank - 1];
        json_object_set_new(fields, dataset_field(ds, i)->name,
                            json_pack("{s:o, s:o}", "mean", describe_floats(mean, channels), "std",
                                      describe_floats(std, channels)));
    }
    return fields;
}

static json_t *describe_steps(const struct replica *r) {
    json_t *steps = json_array();

    for (int i = 0; i < r->n_steps; i++) {
        const struct replica_step *s = &r->step[i];
        json_array_append_new(steps,
                              json_pack("{s:o, s:s, s:f}", "name", text_json(s->job->name),
                                        "optimizer", s->optimizer->word.name, "ema", s->job->ema));
    }
    return steps;
}

/* JSON has no numbers that are not finite. */
static json_t *number(double v) {
    return isfinite(v) ? json_real(v) : json_string(isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
}

static double number_of(const json_t *v) {
    const char *text = json_string_value(v);

    if (!text)
        return json_is_number(v) ? json_number_value(v) : (double)NAN;
    return !strcmp(text, "inf") ? HUGE_VAL : !strcmp(text, "-inf") ? -HUGE_VAL : (double)NAN;
}

static json_t *describe_history(const struct identity *id, const struct progress *p) {
    json_t *values = json_array();
    char data[META_FINGERPRINT];

    for (int i = 0; i < p->n_measures; i++)
        json_array_append_new(values,
                              json_pack("{s:I, s:f, s:o}", "step", (json_int_t)p->measured_at[i],
                                        "epoch", progress_epoch(p, p->measured_at[i]), "value",
                                        number(p->measure[i])));
    return json_pack("{s:o, s:o, s:s, s:s, s:o}", "name", text_json(id->measure), "of",
                     text_json(id->measured), "better", id->maximise ? "larger" : "smaller", "data",
                     id->validate ? meta_fingerprint(id->validate, data) : "", "values", values);
}

static json_t *describe(const struct identity *id, const struct replica *r,
                        const struct progress *p) {
    json_t *updates = json_array();
    json_t *data = json_pack("{s:o}", "train", describe_data(id->train));
    const struct dataset *ds = id->train->dataset;

    if (id->validate)
        json_object_set_new(data, "validate", describe_data(id->validate));
    for (int i = 0; i < r->n_spans; i++)
        if (r->spans[i].kind == SPAN_COUNTER)
            json_array_append_new(updates, json_integer(*(const int64_t *)r->spans[i].data));
    json_t *meta = json_pack(
        "{s:i, s:s, s:o, s:o, s:I, s:f, s:b, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
        "format", FORMAT, "program", "dltrain " DLTRAIN_VERSION, "name", text_json(id->job->name),
        "job", text_json(id->text), "step", (json_int_t)p->step, "epoch",
        progress_epoch(p, p->step), "validated", p->validated, "batch", (json_int_t)id->job->batch,
        "accumulate", (json_int_t)id->job->accumulate, "seed", (json_int_t)id->job->seed, "steps",
        describe_steps(r), "updates", updates, "data", data, "fields", describe_fields(id->train),
        "classes", describe_classes(ds), "normalisation", describe_normalisation(ds));
    if (id->measure)
        json_object_set_new(meta, "measures", describe_history(id, p));
    return meta;
}

char *meta_text(const struct identity *id, const struct replica *r, const struct progress *p) {
    json_t *meta = describe(id, r, p);
    char *text = meta ? json_dumps(meta, JSON_REAL_PRECISION(17)) : NULL;

    json_decref(meta);
    return text;
}

/* --- reading --- */

int meta_read(struct meta *m, const char *file, const char *text, struct err *err) {
    *m = (struct meta){.file = file, .json = json_loads(text, 0, NULL)};
    if (!m->json)
        return err_set(err, ERR_DATA, "%s: its meta text is not JSON", file);
    if (!json_is_integer(meta_at(m, "step")))
        return err_set(
            err, ERR_DATA,
            "%s: is no checkpoint of a run: it holds weights alone, no job and no history", file);
    if (meta_whole(m, "format") != FORMAT || !meta_at(m, "job"))
        return err_set(err, ERR_DATA,
                       "%s: was saved by another version of the program and does not say the job "
                       "and the data that it is of",
                       file);
    if (meta_step(m) < 0)
        return err_set(err, ERR_DATA, "%s: its step is %lld, expected at least 0", file,
                       (long long)meta_step(m));
    return 0;
}

int meta_open(struct meta *m, const char *file, struct err *err) {
    struct checkpoint *ck = NULL;

    *m = (struct meta){0};
    if (checkpoint_open(&ck, file, err))
        return -1;
    const int rc = meta_read(m, file, checkpoint_meta(ck), err);
    checkpoint_close(ck);
    return rc;
}

void meta_release(struct meta *m) {
    json_decref(m->json);
    *m = (struct meta){0};
}

const json_t *meta_at(const struct meta *m, const char *path) {
    const json_t *v = m->json;
    char key[64];

    while (v && *path) {
        const size_t len = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)len, path);
        v = json_object_get(v, key);
        path += len + (path[len] == '.');
    }
    return v;
}

int64_t meta_whole(const struct meta *m, const char *path) {
    return json_integer_value(meta_at(m, path));
}

const char *meta_string(const struct meta *m, const char *path) {
    const char *text = json_string_value(meta_at(m, path));

    return text ? text : "";
}

const char *meta_job(const struct meta *m) {
    return meta_string(m, "job");
}

const char *meta_name(const struct meta *m) {
    return meta_string(m, "name");
}

int64_t meta_step(const struct meta *m) {
    return meta_whole(m, "step");
}

double meta_epoch(const struct meta *m) {
    return json_number_value(meta_at(m, "epoch"));
}

int meta_progress(const struct meta *m, bool history, struct replica *r, struct progress *p,
                  struct err *err) {
    const json_t *values = meta_at(m, "measures.values"), *updates = meta_at(m, "updates");
    size_t n = 0;

    p->step = meta_step(m);
    p->validated = history && json_is_true(meta_at(m, "validated"));
    for (size_t i = 0; history && i < json_array_size(values); i++) {
        const json_t *v = json_array_get(values, i);
        if (progress_add(p, json_integer_value(json_object_get(v, "step")),
                         number_of(json_object_get(v, "value")), err))
            return -1;
    }
    for (int i = 0; i < r->n_spans; i++)
        if (r->spans[i].kind == SPAN_COUNTER)
            *(int64_t *)r->spans[i].data = json_integer_value(json_array_get(updates, n++));
    return 0;
}

/* Texts of a list, in the pool. */
static const char *const *copy_names(const json_t *names, struct pool *pool) {
    const size_t n = json_array_size(names);
    const char **name = pool_take(pool, (n + 1) * sizeof *name);

    for (size_t k = 0; k < n; k++) {
        const char *text = json_string_value(json_array_get(names, k));
        name[k] = pool_print(pool, "%s", text ? text : "");
    }
    return name;
}

int meta_classes(const struct meta *m, struct pool *pool, struct feed_classes **out) {
    const json_t *fields = meta_at(m, "fields"), *classes = meta_at(m, "classes");
    int n = 0;

    *out = NULL;
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *name = json_string_value(json_object_get(field, "name"));
        const int size = (int)json_integer_value(json_object_get(field, "classes"));
        const json_t *names = name ? json_object_get(classes, name) : NULL;
        if (!name || size <= 0)
            continue;
        *out = pool_grow(pool, *out, n, sizeof **out);
        (*out)[n++] = (struct feed_classes){
            pool_print(pool, "%s", name), size,
            json_array_size(names) == (size_t)size ? copy_names(names, pool) : NULL};
    }
    return n;
}
