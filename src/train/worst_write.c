/* worst_write.c - worst.json and the pictures beside it. */
#include "io/augment/augment.h"
#include "io/file/file.h"
#include "io/image/grid.h"
#include "io/loader/loader.h"
#include "job/job.h"
#include "train/worst.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 1024, BATCH = 16 };

/* The first field that can be drawn, or -1. */
static int field_to_draw(const struct loader *loader) {
    for (int i = 0; i < loader_n_fields(loader); i++) {
        const struct loader_field *f = loader_field(loader, i);
        const int64_t c = f->sample.rank == 3 ? f->sample.dim[2] : 0;

        if (f->kind != DATASET_CLASS && (c == 1 || c == 3))
            return i;
    }
    return -1;
}

/* Pixels of bytes are from 0 to 1 before they are normalised; others between what occurs. */
static void draw_range(const struct dataset *ds, const char *field, struct grid_tile *tile) {
    const int i = dataset_find_field(ds, field);
    const enum dataset_kind kind = i < 0 ? DATASET_REALS : dataset_field(ds, i)->kind;

    tile->low = 0, tile->high = 1;
    if (kind != DATASET_BYTES && kind != DATASET_ENCODED)
        grid_find_range(tile, 1);
}

static void picture_name(int64_t number, char *text) {
    snprintf(text, PATH, "worst/%04" PRId64 ".png", number + 1);
}

/* Pictures of samples [first, first + n). */
static int draw_batch(const struct worst *w, struct loader *loader, struct dataset *ds,
                      const char *folder, int64_t first, int64_t n, struct err *err) {
    const int field = field_to_draw(loader);
    const struct loader_field *f = loader_field(loader, field);
    struct loader_batch batch;
    int64_t index[BATCH];
    char file[2 * PATH], name[PATH];

    for (int64_t i = 0; i < n; i++)
        index[i] = w->sample[first + i].index;
    loader_request(loader, index, NULL, n, 0);
    int rc = loader_wait(loader, &batch, err);
    for (int64_t i = 0; i < n && !rc; i++) {
        struct grid_tile tile = {
            .h = f->sample.dim[0], .w = f->sample.dim[1], .c = f->sample.dim[2]};

        tile.values = (float *)(uintptr_t)batch.field[field] + i * grid_tile_len(&tile);
        draw_range(ds, f->name, &tile);
        picture_name(first + i, name);
        snprintf(file, sizeof file, "%s/%s", folder, name);
        rc = grid_write(file, &tile, 1, 1, 1, err);
    }
    loader_release_batch(loader);
    return rc;
}

/* What networks see is drawn before it is normalised. *draws: there is something to be drawn. */
static int draw(const struct worst *w, const struct worst_run *run, const char *folder, bool *draws,
                struct err *err) {
    struct applied pipeline[AUGMENT_MAX];
    struct loader_config config = {.dataset = run->dataset,
                                   .pipeline = pipeline,
                                   .seed = run->job->seed,
                                   .reduced = run->job->decodes_reduced,
                                   .max_batch = BATCH,
                                   .workers = 1};
    struct loader *loader = NULL;
    char path[PATH];

    for (int i = 0; i < run->job->n_augment; i++)
        if (strcmp(run->job->augment[i].word->name, "normalize") != 0)
            pipeline[config.n_pipeline++] = run->job->augment[i];
    int rc = loader_new(&loader, &config, err);
    *draws = !rc && field_to_draw(loader) >= 0;
    if (*draws) {
        snprintf(path, sizeof path, "%s/worst", folder);
        rc = file_make_folders(path, err);
    }
    for (int64_t first = 0; first < w->n && *draws && !rc; first += BATCH)
        rc = draw_batch(w, loader, run->dataset, folder, first,
                        w->n - first < BATCH ? w->n - first : BATCH, err);
    loader_free(loader);
    return rc;
}

/* A class by its number and, where the data names it, its name. */
static void set_class(json_t *to, const char *key, int32_t class, const struct dataset *ds,
                      int field) {
    char name_key[32];

    json_object_set_new(to, key, class < 0 ? json_null() : json_integer(class));
    snprintf(name_key, sizeof name_key, "%s_name", key);
    if (class >= 0 && field >= 0 && class < dataset_field_classes(ds, field))
        json_object_set_new(to, name_key, json_string(dataset_class_name(ds, field, class)));
}

static json_t *number(double v) {
    json_t *out = json_real(v); /* NULL where it is not finite */

    return out ? out : json_null();
}

static json_t *sample_json(const struct worst *w, const struct worst_run *run, int64_t i,
                           bool draws) {
    const struct worst_sample *s = &w->sample[i];
    const int field = w->field ? dataset_find_field(run->dataset, w->field) : -1;
    json_t *out = json_object();
    char text[PATH];

    json_object_set_new(out, "index", json_integer(s->index));
    if (*dataset_row_name(run->dataset, 0, s->index, text))
        json_object_set_new(out, "name", json_string(text));
    json_object_set_new(out, "loss", number(s->loss));
    if (w->classifies) {
        set_class(out, "label", s->label, run->dataset, field);
        set_class(out, "guess", s->guess, run->dataset, field);
        json_object_set_new(out, "p", number(s->p));
        json_object_set_new(out, "p_label", number(s->p_label));
    }
    picture_name(i, text);
    json_object_set_new(out, "picture", draws ? json_string(text) : json_null());
    return out;
}

static int write_json(const struct worst *w, const struct worst_run *run, const char *folder,
                      bool draws, struct err *err) {
    json_t *root = json_object(), *samples = json_array();
    char path[PATH];

    json_object_set_new(root, "step", json_integer(run->step));
    json_object_set_new(root, "epoch", number(run->epoch));
    for (int64_t i = 0; i < w->n; i++)
        json_array_append_new(samples, sample_json(w, run, i, draws));
    json_object_set_new(root, "samples", samples);
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    snprintf(path, sizeof path, "%s/worst.json", folder);
    const int rc = text ? file_replace(path, text, strlen(text), err)
                        : err_set(err, ERR_IO, "%s: no memory", path);
    free(text);
    json_decref(root);
    return rc;
}

int worst_write(const struct worst *w, const struct worst_run *run, const char *folder,
                struct err *err) {
    bool draws;

    return file_make_folders(folder, err) || draw(w, run, folder, &draws, err) ||
                   write_json(w, run, folder, draws, err)
               ? -1
               : 0;
}
