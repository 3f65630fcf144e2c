#include "train/said.h"

#include <stdio.h>
#include <string.h>

enum { FIELD_TEXT = SHAPE_TEXT + 40 };

bool said_any(const struct job *job) {
    return job->image.n || job->n_fields;
}

static struct shape shape_of(const struct ints *dims) {
    struct shape s = {.rank = dims->n};

    for (int i = 0; i < s.rank; i++)
        s.dim[i] = ints_at(dims, i);
    return s;
}

/* Lists of boxes, called as a dataset is that says nothing more: [max, 5]. */
static bool is_boxes(const char *name, const struct shape *s) {
    return s->rank == 2 && s->dim[1] == 5 && (!strcmp(name, "boxes") || !strcmp(name, "bboxes"));
}

static struct loader_field field_of(const struct job_field *f) {
    const struct shape s = shape_of(&f->shape);
    const bool class = !s.rank || (s.rank == 2 && !is_boxes(f->name, &s));

    return (struct loader_field){f->name, s, class ? DATASET_CLASS : DATASET_REALS, class ? -1 : 0,
                                 NULL};
}

int said_fields(const struct job *job, struct loader_field fields[LOADER_MAX_FIELDS], int *n,
                struct err *err) {
    *n = 0;
    if (job->image.n) {
        fields[(*n)++] =
            (struct loader_field){"image", shape_of(&job->image), DATASET_REALS, 0, NULL};
        fields[(*n)++] = (struct loader_field){"label", {0}, DATASET_CLASS, -1, NULL};
    }
    for (int i = 0; i < job->n_fields; i++) {
        if (*n == LOADER_MAX_FIELDS)
            return err_set(err, ERR_CONFIG,
                           "%s: [data] fields: there are more than %d with image "
                           "and label",
                           job->path, LOADER_MAX_FIELDS);
        fields[(*n)++] = field_of(&job->field[i]);
    }
    return 0;
}

/* "64x64 class numbers", "one class number", "3 numbers" */
static const char *text_of(const struct loader_field *f, char text[FIELD_TEXT]) {
    const bool class = f->kind == DATASET_CLASS;
    char shape[SHAPE_TEXT];

    if (f->sample.rank)
        snprintf(text, FIELD_TEXT, "%s %s", shape_text(&f->sample, shape),
                 class ? "class numbers" : "numbers");
    else
        snprintf(text, FIELD_TEXT, class ? "one class number" : "one number");
    return text;
}

/* One number a sample can only be said as a list of one. */
static bool alike(const struct loader_field *said, const struct loader_field *found) {
    const bool class = said->kind == DATASET_CLASS;

    if (class != (found->kind == DATASET_CLASS))
        return false;
    return shape_equal(&said->sample, &found->sample) ||
           (!class && !found->sample.rank && shape_len(&said->sample) == 1);
}

static int check_one(const struct job *job, const char *key, const struct loader_field *said,
                     const struct loader *loader, const char *data, struct err *err) {
    const struct section *section = source_find(&job->source, "data", "");
    const struct pos pos = section_find(section, key)->pos;
    char a[FIELD_TEXT], b[FIELD_TEXT];
    int i = 0;

    while (i < loader_n_fields(loader) && strcmp(loader_field(loader, i)->name, said->name))
        i++;
    if (i == loader_n_fields(loader))
        return pos_error(err, pos, "%s: says that there is %s %s, but %s has no %s", key,
                         said->name, text_of(said, a), data, said->name);
    if (!alike(said, loader_field(loader, i)))
        return pos_error(err, pos, "%s: says that %s is %s, but with %s and augment it is %s", key,
                         said->name, text_of(said, a), data, text_of(loader_field(loader, i), b));
    return 0;
}

int said_check(const struct job *job, const struct loader *loader, const char *data,
               struct err *err) {
    const struct loader_field image = {"image", shape_of(&job->image), DATASET_REALS, 0, NULL};

    if (job->image.n && check_one(job, "image", &image, loader, data, err))
        return -1;
    for (int i = 0; i < job->n_fields; i++) {
        const struct loader_field said = field_of(&job->field[i]);
        if (check_one(job, "fields", &said, loader, data, err))
            return -1;
    }
    return 0;
}
