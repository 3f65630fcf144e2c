/* Boxes: every number is looked at, and how often each class occurs. */
#include "io/dataset/dataset_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_CLASSES = 1 << 24 };

/* What is known of all boxes. */
struct boxes_census {
    int64_t *count, *first; /* [room] of each class; first: its row */
    int room, n;
    double height, width;       /* of the images; 0: each has its own */
    int64_t over;               /* boxes that reach over the edge */
    int64_t over_row, over_box; /* the first of them */
};

static int refuse(const struct dataset *ds, int i, int64_t row, int64_t box, const float *b,
                  struct err *err, const char *why) {
    return err_set(err, ERR_DATA,
                   "%s: %s: box %" PRId64 " of sample %" PRId64
                   " is x1 %g, y1 %g, x2 %g, y2 %g, class %g: %s",
                   ds->name, ds->column[i].path, box, row, (double)b[0], (double)b[1], (double)b[2],
                   (double)b[3], (double)b[4], why);
}

/* Is it a box, of less than `most` classes? Rows of class -1 are none, whatever they hold. */
static int check_box(const struct dataset *ds, int i, int64_t row, int64_t box, const float *b,
                     int most, struct err *err) {
    char why[96];

    for (int k = 0; k < DATASET_BOX; k++)
        if (!isfinite(b[k]))
            return refuse(ds, i, row, box, b, err, "expected finite numbers");
    if (b[4] == -1)
        return 0;
    if (b[4] != floorf(b[4]) || b[4] < 0 || b[4] >= (float)most) {
        snprintf(why, sizeof why, "expected a class from 0 to %d, or -1 for no box", most - 1);
        return refuse(ds, i, row, box, b, err, why);
    }
    if (b[2] <= b[0] || b[3] <= b[1])
        return refuse(ds, i, row, box, b, err, "it has no area; expected x1 < x2 and y1 < y2");
    return 0;
}

static int grow(const struct dataset *ds, struct boxes_census *s, int class, struct err *err) {
    const int room = class < 128 ? 256 : 2 * (class + 1);
    int64_t *count = realloc(s->count, (size_t)room * sizeof *count);

    s->count = count ? count : s->count;
    int64_t *first = realloc(s->first, (size_t)room * sizeof *first);
    s->first = first ? first : s->first;
    if (!count || !first)
        return dataset_no_memory(ds, err);
    for (; s->room < room; s->room++) {
        count[s->room] = 0;
        first[s->room] = -1;
    }
    return 0;
}

/* Where the image ends, of images of one size. */
static int check_place(const struct dataset *ds, int i, int64_t row, int64_t box, const float *b,
                       struct boxes_census *s, struct err *err) {
    char why[96];

    if (s->width <= 0)
        return 0;
    if ((double)b[2] <= 0 || (double)b[3] <= 0 || (double)b[0] >= s->width ||
        (double)b[1] >= s->height) {
        snprintf(why, sizeof why, "it is outside of the image, which is %g wide and %g high",
                 s->width, s->height);
        return refuse(ds, i, row, box, b, err, why);
    }
    if (b[0] < 0 || b[1] < 0 || (double)b[2] > s->width || (double)b[3] > s->height) {
        if (!s->over++) {
            s->over_row = row;
            s->over_box = box;
        }
    }
    return 0;
}

static int count_rows(struct dataset *ds, int i, const float *rows, int64_t first, int64_t n,
                      struct boxes_census *s, struct err *err) {
    const struct column *c = &ds->column[i];
    const int64_t max = ds->field[i].sample.dim[0];
    const int most = c->n_classes ? c->n_classes : MOST_CLASSES;

    for (int64_t k = 0; k < n * max; k++) {
        const float *b = rows + k * DATASET_BOX;

        if (check_box(ds, i, first + k / max, k % max, b, most, err))
            return -1;
        const int class = (int)b[4];
        if (class < 0)
            continue;
        if (check_place(ds, i, first + k / max, k % max, b, s, err) ||
            (class >= s->room && grow(ds, s, class, err)))
            return -1;
        if (!s->count[class]++)
            s->first[class] = first + k / max;
        s->n = class >= s->n ? class + 1 : s->n;
    }
    return 0;
}

static int count_all(struct dataset *ds, int i, struct boxes_census *s, struct err *err) {
    const struct column *c = &ds->column[i];
    const int64_t rows = ds->field[i].rows, most = column_run_rows(c);

    if (c->kept)
        return count_rows(ds, i, (const float *)(const void *)c->kept, 0, rows, s, err);
    for (int64_t first = 0; first < rows; first += most) {
        const int64_t n = rows - first < most ? rows - first : most;

        if (dataset_read_run(ds, i, first, n, err) ||
            count_rows(ds, i, (const float *)(const void *)ds->run, first, n, s, err))
            return -1;
    }
    return 0;
}

/* What was found, for dataset_field_classes and others. */
static int settle(struct dataset *ds, int i, struct boxes_census *s, struct err *err) {
    struct column *c = &ds->column[i];

    if (!s->n && !c->n_classes)
        return err_set(err, ERR_DATA,
                       "%s: %s holds no box, only rows of class -1, and there are no names of "
                       "classes: f['%s'].attrs['classes'] = [...]",
                       ds->name, c->path, c->path);
    c->n_classes = c->n_classes ? c->n_classes : s->n;
    if (c->n_classes > s->room && grow(ds, s, c->n_classes, err))
        return -1;
    if (!c->class_name && !(c->class_name = dataset_number_names(c->n_classes)))
        return dataset_no_memory(ds, err);
    if (!s->over)
        return 0;
    return dataset_guess(ds, err,
                         "%s: %" PRId64 " box%s over the edge of the image, the first box %" PRId64
                         " of sample %" PRId64 "; what is cut or moved ends at the edge",
                         c->path, s->over, s->over == 1 ? " reaches" : "es reach", s->over_box,
                         s->over_row);
}

int dataset_boxes_init(struct dataset *ds, int i, const struct attr_homes *homes, struct err *err) {
    struct column *c = &ds->column[i];
    struct boxes_census s = {0};

    if (dataset_read_names(ds, i, homes, err))
        return -1;
    for (int k = ds->n_fields - 1; k >= 0; k--)
        if (ds->field[k].image && !ds->field[k].unpaired) {
            s.height = (double)ds->field[k].sample.dim[0];
            s.width = (double)ds->field[k].sample.dim[1];
        }
    const int status = count_all(ds, i, &s, err) || settle(ds, i, &s, err) ? -1 : 0;
    c->counts = s.count;
    c->first = s.first;
    return status;
}

int dataset_boxes_read(const struct dataset *ds, int i, const int64_t *index, int64_t n,
                       float *rows, struct err *err) {
    const struct column *c = &ds->column[i];
    const int64_t max = ds->field[i].sample.dim[0];
    const int most = c->map ? c->n_map : c->n_classes;

    for (int64_t k = 0; k < n * max; k++) {
        float *b = rows + k * DATASET_BOX;
        int32_t class;

        if (check_box(ds, i, index[k / max], k % max, b, most, err))
            return -1;
        class = (int32_t)b[4];
        if (c->map && dataset_map_read(ds, i, &class, 1, err))
            return -1;
        b[4] = (float)class;
    }
    return 0;
}
