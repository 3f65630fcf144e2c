/* meta_fields.c - the data that a run was trained on, as its checkpoint describes it. */
#include "train/meta.h"

#include <string.h>

static struct shape read_shape(const json_t *list) {
    struct shape s = {0};

    for (; s.rank < SHAPE_MAX_RANK - 1 && s.rank < (int)json_array_size(list); s.rank++)
        s.dim[s.rank] = json_integer_value(json_array_get(list, (size_t)s.rank));
    return s;
}

static const float *read_floats(const json_t *list, int64_t n, struct pool *pool) {
    float *v;

    if (n < 1 || json_array_size(list) != (size_t)n)
        return NULL;
    v = pool_take(pool, (size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i] = (float)json_number_value(json_array_get(list, (size_t)i));
    return v;
}

static bool says(const json_t *field, const char *key, const char *value) {
    const char *text = json_string_value(json_object_get(field, key));

    return text && !strcmp(text, value);
}

static struct meta_field read_field(const struct meta *m, const json_t *field, const char *name,
                                    struct pool *pool) {
    const json_t *stored = json_object_get(field, "stored");
    struct meta_field f = {.name = pool_print(pool, "%s", name),
                           .sample = read_shape(json_object_get(field, "shape")),
                           .classes = says(field, "kind", "class"),
                           .reals = says(field, "stored_as", "reals"),
                           .n_classes = (int)json_integer_value(json_object_get(field, "classes"))};
    const json_t *norm = json_object_get(meta_at(m, "normalisation"), name);

    f.stored = stored ? read_shape(stored) : f.sample;
    f.image =
        stored ? json_is_true(json_object_get(field, "image")) : !f.classes && f.sample.rank == 3;
    f.mean = read_floats(json_object_get(norm, "mean"), shape_channels(&f.sample), pool);
    f.std = read_floats(json_object_get(norm, "std"), shape_channels(&f.sample), pool);
    return f;
}

int meta_fields(const struct meta *m, struct pool *pool, struct meta_field **out) {
    const json_t *fields = meta_at(m, "fields");
    int n = 0;

    *out = NULL;
    for (size_t i = 0; i < json_array_size(fields) && n < LOADER_MAX_FIELDS; i++) {
        const json_t *field = json_array_get(fields, i);
        const char *name = json_string_value(json_object_get(field, "name"));
        if (!name)
            continue;
        *out = pool_grow(pool, *out, n, sizeof **out);
        (*out)[n++] = read_field(m, field, name, pool);
    }
    return n;
}
