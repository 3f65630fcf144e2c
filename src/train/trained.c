#include "train/trained.h"
#include "io/weights/tensor_file.h"
#include "train/others.h"

#include <string.h>

int trained_read(struct trained *t, const char *file, struct err *err) {
    struct err inner = {0};

    *t = (struct trained){0};
    if (tensor_file_check(file, err))
        return -1;
    if (tensor_file_is_safetensors(file))
        return 0;
    if (!meta_open(&t->meta, file, &inner)) {
        t->n_classes = meta_classes(&t->meta, &t->pool, &t->classes);
        return 0;
    }
    const bool is_whole = t->meta.file; /* and says nothing */
    meta_release(&t->meta);
    if (is_whole)
        return 0;
    err_set(err, inner.kind, "%s", inner.msg);
    others_name(file, NULL, err);
    return -1;
}

void trained_release(struct trained *t) {
    meta_release(&t->meta);
    pool_release(&t->pool);
    *t = (struct trained){0};
}

/* Is there a `normalize` without numbers of its own? */
static bool normalises_by_file(const struct job *job) {
    static const char word[] = "normalize";
    const struct section *data = source_find(&job->source, "data", "");
    const struct entry *augment = data ? section_find(data, "augment") : NULL;
    const char *at = augment ? strstr(augment->value, word) : NULL;

    if (!at)
        return false;
    at += sizeof word - 1;
    at += strspn(at, " ");
    return *at != '(' || at[1 + strspn(at + 1, " ")] == ')';
}

static bool equal_floats(const json_t *list, const float *v, int64_t n) {
    if (json_array_size(list) != (size_t)n)
        return false;
    for (int64_t i = 0; i < n; i++)
        if ((float)json_number_value(json_array_get(list, (size_t)i)) != v[i])
            return false;
    return true;
}

void trained_warn_of_normalisation(const struct trained *t, const struct job *job,
                                   const struct feed *feed, const struct sinks *sinks) {
    const struct dataset *ds = feed->dataset;

    if (!normalises_by_file(job))
        return;
    for (int i = 0; i < dataset_n_fields(ds); i++) {
        const struct dataset_field *f = dataset_field(ds, i);
        const float *mean = dataset_mean(ds, i), *std = dataset_std(ds, i);
        const json_t *was = json_object_get(meta_at(&t->meta, "normalisation"), f->name);
        if (!mean || !std || !was)
            continue;
        const int64_t n = f->sample.dim[f->sample.rank - 1];
        if (!equal_floats(json_object_get(was, "mean"), mean, n) ||
            !equal_floats(json_object_get(was, "std"), std, n))
            sinks_warn(sinks,
                       "%s says another mean or standard deviation of %s than the data that the "
                       "network was trained on; normalize(mean, std) in [data] augment says which "
                       "to use",
                       dataset_name(ds), f->name);
    }
}

/* The same names, but not each in its place? */
static bool is_reordered(const struct feed_classes *c, const struct dataset *ds, int i) {
    int n_found = 0, n_in_place = 0;

    for (int k = 0; k < c->n; k++)
        for (int m = 0; m < dataset_field_classes(ds, i); m++)
            if (!strcmp(c->names[k], dataset_class_name(ds, i, m))) {
                n_found++;
                n_in_place += k == m;
                break;
            }
    return n_found == c->n && n_found == dataset_field_classes(ds, i) && n_in_place < n_found;
}

void trained_warn_of_order(const char *file, const struct feed *feed, const struct sinks *sinks) {
    const struct dataset *ds = feed->dataset;
    struct trained t = {0};
    struct err ignored = {0};

    if (trained_read(&t, file, &ignored))
        return; /* who loads the weights says why */
    for (int k = 0; k < t.n_classes; k++) {
        const int i = dataset_find_field(ds, t.classes[k].field);
        if (i >= 0 && t.classes[k].names && dataset_classes_named(ds, i) &&
            is_reordered(&t.classes[k], ds, i))
            sinks_warn(sinks,
                       "%s was trained on the classes of %s in another order than %s has them: "
                       "class 0 was '%s', is '%s'",
                       file, t.classes[k].field, dataset_name(ds), t.classes[k].names[0],
                       dataset_class_name(ds, i, 0));
    }
    trained_release(&t);
}
