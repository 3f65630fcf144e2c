/* A profile as a file: what was measured on a quiet host serves questions that come later. */
#include "cmd/scale.h"
#include "io/file/file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 2 };

/* The numbers of a profile that stand by themselves. */
static const struct {
    const char *name;
    size_t offset;
} numbers[] = {
    {"slowdown", offsetof(struct scale_profile, slowdown)},
    {"memory_bytes_per_s", offsetof(struct scale_profile, memory_bytes_per_s)},
    {"cache_bytes", offsetof(struct scale_profile, cache_bytes)},
    {"host_bytes", offsetof(struct scale_profile, host_bytes)},
    {"samples", offsetof(struct scale_profile, samples)},
    {"sample_bytes", offsetof(struct scale_profile, sample_bytes)},
    {"decode_s", offsetof(struct scale_profile, decode_s)},
};

static const struct {
    const char *name;
    size_t offset;
} lines[] = {
    {"optimizer", offsetof(struct scale_profile, optimizer)},
    {"other", offsetof(struct scale_profile, other)},
    {"rank_bytes", offsetof(struct scale_profile, rank_bytes)},
};

static const struct {
    const char *name;
    size_t offset;
} operator_lines[] = {
    {"forward", offsetof(struct scale_operator, forward)},
    {"backward", offsetof(struct scale_operator, backward)},
    {"forward_bytes", offsetof(struct scale_operator, forward_bytes)},
    {"backward_bytes", offsetof(struct scale_operator, backward_bytes)},
};

#define N(array) (sizeof(array) / sizeof *(array))

static json_t *line_json(const struct scale_line *line) {
    return json_pack("[f, f]", line->fixed, line->per_sample);
}

static json_t *operator_json(const struct scale_operator *op) {
    json_t *out = json_pack("{s:s}", "name", op->name);

    for (size_t i = 0; i < N(operator_lines); i++)
        json_object_set_new(out, operator_lines[i].name,
                            line_json((const void *)((const char *)op + operator_lines[i].offset)));
    return out;
}

static json_t *step_json(const struct scale_step *step) {
    json_t *operators = json_array(), *buckets = json_array();

    for (int i = 0; i < step->n_operators; i++)
        json_array_append_new(operators, operator_json(&step->operators[i]));
    for (int i = 0; i < step->n_buckets; i++)
        json_array_append_new(buckets,
                              json_pack("[f, i]", step->buckets[i].bytes, step->buckets[i].behind));
    return json_pack("{s:s, s:I, s:b, s:o, s:o}", "name", step->name, "every",
                     (json_int_t)step->every, "waits", (int)step->waits, "operators", operators,
                     "buckets", buckets);
}

static json_t *profile_json(const struct scale_profile *p) {
    json_t *steps = json_array(), *sizes = json_array(), *job = json_object();
    json_t *out = json_pack("{s:i, s:s, s:i, s:i}", "version", VERSION, "model", p->model,
                            "threads", p->threads, "sharing", p->sharing);

    for (int i = 0; i < p->n_keys; i++)
        json_object_set_new(job, p->keys[i].key, json_string(p->keys[i].value));
    json_object_set_new(out, "job", job);
    for (int i = 0; i < p->n_sizes; i++)
        json_array_append_new(sizes, json_integer((json_int_t)p->sizes[i]));
    json_object_set_new(out, "sizes", sizes);
    for (size_t i = 0; i < N(numbers); i++)
        json_object_set_new(
            out, numbers[i].name,
            json_real(*(const double *)(const void *)((const char *)p + numbers[i].offset)));
    for (size_t i = 0; i < N(lines); i++)
        json_object_set_new(out, lines[i].name,
                            line_json((const void *)((const char *)p + lines[i].offset)));
    for (int i = 0; i < p->n_steps; i++)
        json_array_append_new(steps, step_json(&p->step[i]));
    json_object_set_new(out, "steps", steps);
    return out;
}

int scale_profile_write(const struct scale_profile *p, const char *path, struct err *err) {
    json_t *json = profile_json(p);
    char *text = json ? json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    const int rc = text ? file_replace(path, text, strlen(text), err)
                        : err_set(err, ERR_IO, "%s: no memory for the profile", path);

    free(text);
    json_decref(json);
    return rc;
}

/* A number of at least 0, or an element of an array. */
static bool read_number(const json_t *value, double *out) {
    *out = json_is_number(value) ? json_number_value(value) : -1;
    return *out >= 0;
}

static bool read_whole(const json_t *value, int64_t least, int64_t most, int64_t *out) {
    *out = json_is_integer(value) ? json_integer_value(value) : least - 1;
    return *out >= least && *out <= most;
}

static bool read_line(const json_t *value, struct scale_line *out) {
    return read_number(json_array_get(value, 0), &out->fixed) &&
           read_number(json_array_get(value, 1), &out->per_sample);
}

static bool read_operator(const json_t *value, struct pool *pool, struct scale_operator *out) {
    const char *name = json_string_value(json_object_get(value, "name"));

    out->name = name ? pool_print(pool, "%s", name) : NULL;
    for (size_t i = 0; i < N(operator_lines); i++)
        if (!read_line(json_object_get(value, operator_lines[i].name),
                       (void *)((char *)out + operator_lines[i].offset)))
            return false;
    return name;
}

static bool read_bucket(const json_t *value, int most, struct scale_bucket *out) {
    int64_t behind = 0;
    const bool good = read_number(json_array_get(value, 0), &out->bytes) &&
                      read_whole(json_array_get(value, 1), 0, most, &behind);

    out->behind = (int)behind;
    return good;
}

static bool read_step(const json_t *value, struct pool *pool, struct scale_step *out) {
    const json_t *operators = json_object_get(value, "operators");
    const json_t *buckets = json_object_get(value, "buckets");
    const char *name = json_string_value(json_object_get(value, "name"));
    bool good = name && read_whole(json_object_get(value, "every"), 1, INT32_MAX, &out->every);

    out->name = name ? pool_print(pool, "%s", name) : NULL;
    out->waits = json_is_true(json_object_get(value, "waits"));
    out->n_operators = (int)json_array_size(operators);
    out->n_buckets = (int)json_array_size(buckets);
    out->operators = pool_take(pool, ((size_t)out->n_operators + 1) * sizeof *out->operators);
    out->buckets = pool_take(pool, ((size_t)out->n_buckets + 1) * sizeof *out->buckets);
    for (int i = 0; i < out->n_operators && good; i++)
        good = read_operator(json_array_get(operators, (size_t)i), pool, &out->operators[i]);
    for (int i = 0; i < out->n_buckets && good; i++)
        good = read_bucket(json_array_get(buckets, (size_t)i), out->n_operators, &out->buckets[i]);
    return good;
}

static bool read_keys(json_t *value, struct pool *pool, struct scale_profile *p) {
    const char *key;
    json_t *text;

    p->keys = pool_take(pool, (json_object_size(value) + 1) * sizeof *p->keys);
    json_object_foreach(value, key, text) {
        if (!json_is_string(text))
            return false;
        p->keys[p->n_keys++] = (struct scale_key){pool_print(pool, "%s", key),
                                                  pool_print(pool, "%s", json_string_value(text))};
    }
    return json_is_object(value);
}

static bool read_profile(const json_t *json, struct pool *pool, struct scale_profile *p) {
    const json_t *steps = json_object_get(json, "steps"), *sizes = json_object_get(json, "sizes");
    const char *model = json_string_value(json_object_get(json, "model"));
    int64_t version, threads, sharing;
    bool good = model && json_array_size(steps) <= JOB_MAX_STEPS && json_array_size(steps) > 0 &&
                json_array_size(sizes) > 0 &&
                json_array_size(sizes) <= sizeof p->sizes / sizeof *p->sizes &&
                read_whole(json_object_get(json, "version"), VERSION, VERSION, &version) &&
                read_whole(json_object_get(json, "threads"), 1, INT32_MAX, &threads) &&
                read_whole(json_object_get(json, "sharing"), 1, INT32_MAX, &sharing);

    if (!good)
        return false;
    *p = (struct scale_profile){.model = pool_print(pool, "%s", model),
                                .n_steps = (int)json_array_size(steps),
                                .n_sizes = (int)json_array_size(sizes),
                                .threads = (int)threads,
                                .sharing = (int)sharing};
    good = read_keys(json_object_get(json, "job"), pool, p);
    for (int i = 0; i < p->n_sizes && good; i++)
        good = read_whole(json_array_get(sizes, (size_t)i), 1, INT64_MAX, &p->sizes[i]);
    for (size_t i = 0; i < N(numbers) && good; i++)
        good = read_number(json_object_get(json, numbers[i].name),
                           (void *)((char *)p + numbers[i].offset));
    for (size_t i = 0; i < N(lines) && good; i++)
        good =
            read_line(json_object_get(json, lines[i].name), (void *)((char *)p + lines[i].offset));
    for (int i = 0; i < p->n_steps && good; i++)
        good = read_step(json_array_get(steps, (size_t)i), pool, &p->step[i]);
    return good && p->memory_bytes_per_s > 0 && p->slowdown >= 1;
}

int scale_profile_read(struct scale_profile *p, const char *path, struct pool *pool,
                       struct err *err) {
    char *text;
    size_t len;

    if (file_read(path, &text, &len, err))
        return -1;
    json_t *json = json_loadb(text, len, 0, NULL);
    const bool good = read_profile(json, pool, p);
    json_decref(json);
    free(text);
    return good ? 0
                : err_set(err, ERR_DATA,
                          "%s: found no profile of version %d, expected a file that "
                          "--save-profile wrote",
                          path, VERSION);
}
