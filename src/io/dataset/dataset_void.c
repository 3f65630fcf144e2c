/* What stands for "does not count" in maps of classes: 255 in bytes, -1 in signed integers, and in
 * files from elsewhere also 255 in wider integers, where it is no class. */
#include "io/dataset/dataset_private.h"

#include <stdlib.h>

enum { VOID = 255 };

/* What a pass over a map of wide integers finds. */
struct void_census {
    int32_t largest; /* but VOID */
    int64_t n_void;
};

static void census_add(struct void_census *s, const int32_t *classes, int64_t len) {
    for (int64_t k = 0; k < len; k++) {
        s->n_void += classes[k] == VOID;
        if (classes[k] != VOID && classes[k] > s->largest)
            s->largest = classes[k];
    }
}

static int measure(struct dataset *ds, int i, struct void_census *s, struct err *err) {
    const struct column *c = &ds->column[i];
    const int64_t rows = ds->field[i].rows, row = dataset_sample_len(&ds->field[i]);
    const int64_t most = column_run_rows(c);

    *s = (struct void_census){.largest = -1};
    if (c->kept) {
        census_add(s, (const int32_t *)(const void *)c->kept, rows * row);
        return 0;
    }
    for (int64_t first = 0; first < rows; first += most) {
        const int64_t n = rows - first < most ? rows - first : most;

        if (dataset_read_run(ds, i, first, n, err))
            return -1;
        census_add(s, (const int32_t *)(const void *)ds->run, n * row);
    }
    return 0;
}

static int take_void(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];

    c->void_255 = true;
    if (c->kept)
        dataset_drop_void((int32_t *)(void *)c->kept,
                          ds->field[i].rows * dataset_sample_len(&ds->field[i]));
    return dataset_guess(ds, err,
                         "%s: 255 is taken for what does not count; name 256 classes (attribute "
                         "classes) where it is one of them",
                         c->path);
}

/* Labels of samples: 255 is a class, but where it stands far above the others it may be a -1 that
 * was stored as uint8. */
static int say_class(struct dataset *ds, int i, const struct void_census *s, struct err *err) {
    if (s->largest == VOID - 1 || ds->column[i].n_classes)
        return 0;
    return dataset_guess(ds, err,
                         "%s: 255 is taken for a class, above 0 to %d; what does not count is -1",
                         ds->column[i].path, (int)s->largest);
}

int dataset_find_void(struct dataset *ds, int i, struct err *err) {
    const struct column *c = &ds->column[i];
    struct void_census s;

    if (c->type != H5_TYPE_I32 || ds->field[i].sample.rank == 1 || c->n_classes > VOID)
        return 0;
    if (measure(ds, i, &s, err))
        return -1;
    if (!s.n_void || s.largest > VOID)
        return 0;
    if (!ds->field[i].sample.rank)
        return say_class(ds, i, &s, err);
    if (s.largest == VOID - 1 && !c->n_classes)
        return err_set(
            err, ERR_DATA,
            "%s: %s holds 254 and 255: is 255 a class, or what does not count? Store the "
            "latter as -1, or name the classes (attribute classes)",
            ds->name, c->path);
    return take_void(ds, i, err);
}

int64_t dataset_stored_value(const struct dataset *ds, int i, int64_t row, int64_t k,
                             int64_t as_read) {
    const int64_t len = dataset_sample_len(&ds->field[i]);
    int64_t *values = malloc((size_t)len * sizeof *values), value = as_read;
    struct h5_data *data = NULL;
    struct err unreadable = {0};

    if (values && ds->file && !h5_data_open(&data, ds->file, ds->column[i].path, &unreadable) &&
        !h5_data_read(data, row, 1, H5_TYPE_I64, values, &unreadable))
        value = values[k];
    h5_data_close(data);
    free(values);
    return value;
}
