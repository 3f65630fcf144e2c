/* What becomes of the fields of several files that count as one: classes by name, labels one after
 * another, statistics of all pixels. */
#include "core/base/pool.h"
#include "io/dataset/dataset_private.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The classes of all parts that have names. */
struct united {
    struct pool pool;
    struct class_list list;
    const char **name;
    bool reordered; /* some part has them in another order, */
    bool differ;    /* or not all of them */
    int n_numbers;  /* parts that have only numbers, */
    int numbers;    /* the first of them, */
    int most;       /* and the most classes that one of them has */
};

static const struct dataset_field *field_of(const struct dataset_part *p, int i) {
    return &p->ds->field[p->field[i]];
}

static struct column *column_of(const struct dataset_part *p, int i) {
    return &p->ds->column[p->field[i]];
}

/* Names that the list has not come behind those that it has. */
static void add_names(struct united *u, const struct class_list *from) {
    for (int k = 0; k < from->n; k++) {
        int at = k;

        if (k >= u->list.n || strcmp(u->name[k], from->name[k]))
            for (at = 0; at < u->list.n && strcmp(u->name[at], from->name[k]); at++)
                ;
        u->reordered = u->reordered || at != k;
        if (at < u->list.n)
            continue;
        u->name = pool_grow(&u->pool, u->name, u->list.n, sizeof *u->name);
        u->name[u->list.n++] = pool_print(&u->pool, "%s", from->name[k]);
    }
}

static void unite(const struct dataset *ds, int i, struct united *u) {
    bool begun = false;
    int least = INT_MAX;

    for (int k = 0; k < ds->n_parts; k++) {
        const struct dataset_part *p = &ds->part[k];
        const struct class_list list = dataset_class_list(p->ds, p->field[i]);

        if (!list.name) {
            u->numbers = u->n_numbers++ ? u->numbers : k;
            u->most = list.n > u->most ? list.n : u->most;
            continue;
        }
        for (int c = 0; !begun && c < list.n; c++) { /* as they are, were it twice the same */
            u->name = pool_grow(&u->pool, u->name, c, sizeof *u->name);
            u->name[c] = pool_print(&u->pool, "%s", list.name[c]);
            u->list.n = c + 1;
        }
        begun = true;
        add_names(u, &list);
        least = list.n < least ? list.n : least;
    }
    u->differ = u->reordered || (u->name && least < u->list.n);
    u->list.name = u->name;
    u->list.n = u->name ? u->list.n : u->most;
    u->list.whose = ds->name;
}

/* Numbers can stand for names where all agree which is which. */
static int check_numbers(struct dataset *ds, int i, const struct united *u, struct err *err) {
    const char *numbers = ds->part[u->numbers].ds->name, *field = ds->field[i].name;

    if (!u->name || !u->n_numbers)
        return 0;
    if (u->reordered)
        return err_set(err, ERR_DATA,
                       "%s has only numbers for the classes of %s, 0 to %d, but the other parts of "
                       "%s have names in different orders; give it the attribute classes",
                       numbers, field, column_of(&ds->part[u->numbers], i)->n_classes - 1,
                       ds->name);
    if (u->most > u->list.n)
        return 0; /* refused with both lists */
    return dataset_guess(
        ds, err, "%s%s has only numbers for the classes of %s; 0 is taken for '%s', %d for '%s'",
        numbers, u->n_numbers > 1 ? " (and others)" : "", field, u->name[0], u->list.n - 1,
        u->name[u->list.n - 1]);
}

static int map_parts(struct dataset *ds, int i, const struct united *u, struct err *err) {
    char names[CLASS_LIST_TEXT];

    if (check_numbers(ds, i, u, err))
        return -1;
    if (u->differ && dataset_guess(ds, err,
                                   "the parts have different classes of %s, or in another order; "
                                   "they are matched by name: %s",
                                   ds->field[i].name, class_list_text(&u->list, names)))
        return -1;
    for (int k = 0; k < ds->n_parts; k++)
        if (dataset_map_classes(ds->part[k].ds, ds->part[k].field[i], &u->list, err))
            return -1;
    return 0;
}

/* All parts count alike by now. */
static int sum_counts(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];
    const size_t n = (size_t)c->n_classes;

    c->counts = calloc(n, sizeof *c->counts);
    c->first = malloc(n * sizeof *c->first);
    if (!c->counts || !c->first || !c->class_name)
        return dataset_no_memory(ds, err);
    for (size_t k = 0; k < n; k++)
        c->first[k] = -1;
    for (int k = 0; k < ds->n_parts; k++) {
        const struct column *from = column_of(&ds->part[k], i);

        for (size_t class = 0; class < n; class ++) {
            c->counts[class] += from->counts[class];
            if (c->first[class] < 0 && from->first[class] >= 0)
                c->first[class] = ds->part[k].begin[i] + from->first[class];
        }
    }
    return 0;
}

/* The parts give up theirs. */
static int join_labels(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];

    c->kept = malloc((size_t)ds->field[i].rows * c->row_bytes);
    if (!c->kept)
        return dataset_no_memory(ds, err);
    for (int k = 0; k < ds->n_parts; k++) {
        struct column *from = column_of(&ds->part[k], i);

        memcpy(c->kept + (size_t)ds->part[k].begin[i] * c->row_bytes, from->kept,
               (size_t)field_of(&ds->part[k], i)->rows * c->row_bytes);
        free(from->kept);
        from->kept = NULL;
    }
    return 0;
}

static int join_classes(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];
    struct united u = {0};

    unite(ds, i, &u);
    int rc = map_parts(ds, i, &u, err);
    if (!rc) {
        c->class_name = dataset_copy_names(&u.list);
        c->n_classes = u.list.n;
        c->named = u.list.name != NULL;
        rc = sum_counts(ds, i, err);
    }
    pool_release(&u.pool);
    if (!rc && !ds->field[i].sample.rank)
        rc = join_labels(ds, i, err);
    return rc;
}

/* Is it the same in all parts? Where one says nothing, nobody does. */
static bool same_statistics(const struct dataset *ds, int i, bool *absent) {
    const struct column *first = column_of(&ds->part[0], i);
    const size_t bytes = (size_t)shape_channels(&ds->field[i].sample) * sizeof(float);
    bool same = true;

    for (int k = 0; k < ds->n_parts; k++) {
        const struct column *c = column_of(&ds->part[k], i);

        *absent = *absent || !c->mean;
        same = same && c->mean && first->mean && !memcmp(c->mean, first->mean, bytes) &&
               !memcmp(c->std, first->std, bytes);
    }
    return same;
}

/* Of the pixels of all parts, which have `rows` times the same number of them: means of values and
 * of their squares add up. */
static void pool_channel(struct dataset *ds, int i, int channel) {
    struct column *c = &ds->column[i];
    double mean = 0, square = 0;

    for (int k = 0; k < ds->n_parts; k++) {
        const struct column *from = column_of(&ds->part[k], i);
        const double m = (double)from->mean[channel], s = (double)from->std[channel];
        const double share = (double)field_of(&ds->part[k], i)->rows / (double)ds->field[i].rows;

        mean += share * m;
        square += share * (m * m + s * s);
    }
    c->mean[channel] = (float)mean;
    c->std[channel] = (float)sqrt(square - mean * mean);
}

static int join_statistics(struct dataset *ds, int i, struct err *err) {
    struct column *c = &ds->column[i];
    const struct column *first = column_of(&ds->part[0], i);
    const int channels = (int)shape_channels(&ds->field[i].sample);
    bool absent = false;
    const bool same = same_statistics(ds, i, &absent);

    if (absent)
        return 0;
    c->mean = malloc((size_t)channels * sizeof *c->mean);
    c->std = malloc((size_t)channels * sizeof *c->std);
    if (!c->mean || !c->std)
        return dataset_no_memory(ds, err);
    for (int k = 0; k < channels; k++) {
        c->mean[k] = first->mean[k];
        c->std[k] = first->std[k];
        if (!same)
            pool_channel(ds, i, k);
    }
    if (same)
        return 0;
    return dataset_guess(
        ds, err, "the parts have different mean and std of %s; taken are those of all together",
        ds->field[i].name);
}

int dataset_join_field(struct dataset *ds, int i, struct err *err) {
    const struct dataset_field *f = &ds->field[i];
    struct column *c = &ds->column[i];

    strcpy(c->path, column_of(&ds->part[0], i)->path);
    c->type = f->kind == DATASET_REALS   ? H5_TYPE_F32
              : f->kind == DATASET_BYTES ? H5_TYPE_U8
                                         : H5_TYPE_I32; /* whatever it is in the files */
    c->row_bytes = (size_t)dataset_sample_len(f) * (c->type == H5_TYPE_U8 ? 1 : sizeof(float));
    if (f->kind == DATASET_CLASS || f->boxes)
        return join_classes(ds, i, err);
    return f->sample.rank ? join_statistics(ds, i, err) : 0;
}
