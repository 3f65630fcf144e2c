#include "io/dataset/dataset_split.h"

#include "io/dataset/content_hash.h"
#include "io/dataset/dataset_file.h"
#include "io/dataset/dataset_layout.h"
#include "io/dataset/dataset_split_encoded.h"
#include "io/dataset/folds.h"
#include "io/dataset/row_hash.h"
#include "io/dataset/dataset_verify.h"
#include "io/dataset/verify_rows.h"
#include "io/h5/h5_copy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUN_BYTES = 8 << 20 };

/* What is written anew, not copied. */
static const char *const written_anew[] = {CONTENT_HASH, "class_counts", "dltrain_dataset", NULL};

/* The part of a field that goes to one group. */
struct piece {
    struct h5_data *data;
    struct content_hash *hash;
    struct row_hash *rows;
    int64_t *count; /* [n_classes] of class maps */
};

struct splitting {
    const struct split_plan *plan;
    struct split_result *result;
    struct dataset *ds; /* what the rows mean */
    struct h5 *from;    /* and where they are stored */
    struct dataset_layout at;
    struct dataset_file to;
    int n_groups;
    int32_t *group; /* [rows] of each row */
    int64_t done, total;
    /* of the field that is being copied */
    struct h5_data *source;
    struct verify_rows was; /* what its rows were when they were written */
    struct piece piece[SPLIT_MOST_FOLDS];
    char name[DATASET_FIELD_NAME + 8]; /* of its dataset in each group */
    int n_classes;                     /* 0: it is no class map */
    unsigned char *run, *some;         /* [RUN_BYTES or a row] read; of one group */
};

void split_name(const struct split_plan *plan, int g, char name[SPLIT_NAME]) {
    if (plan->folds)
        snprintf(name, SPLIT_NAME, "fold%d", g + 1);
    else
        strcpy(name, g ? "validate" : "train");
}

static int no_memory(const struct splitting *s, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", dataset_name(s->ds));
}

/* Decide for each of `rows` rows of a field into which group it goes. */
static int draw(struct splitting *s, const int32_t *label, int64_t rows, const char *what,
                struct err *err) {
    const struct split_plan *p = s->plan;
    const int64_t held = p->n ? p->n : (int64_t)((double)rows * p->share + 0.5);

    free(s->group);
    s->group = malloc((size_t)rows * sizeof *s->group);
    if (!s->group)
        return no_memory(s, err);
    if (p->folds > rows)
        return err_set(err, ERR_USAGE, "%s: has %lld %ss, too few for %d folds",
                       dataset_name(s->ds), (long long)rows, what, p->folds);
    if (!p->folds && (held < 1 || held >= rows))
        return err_set(err, ERR_USAGE,
                       "%s: validate would be %lld of %lld %ss, expected some, not all",
                       dataset_name(s->ds), (long long)held, (long long)rows, what);
    if (p->folds)
        return folds_deal(label, rows, p->folds, p->seed, s->group, err);
    const int64_t n = folds_hold_out(label, rows, held, p->seed, s->group, err);
    if (n == 0)
        return err_set(err, ERR_USAGE, "%s: there is nothing to hold out: each class has one %s",
                       dataset_name(s->ds), what);
    return n < 0 ? -1 : 0;
}

/* The field whose classes are to be in proportion, or -1. */
static int find_label(const struct dataset *ds) {
    const int label = dataset_find_field(ds, "label");

    if (label >= 0 && dataset_labels(ds, label))
        return label;
    for (int i = 0; i < dataset_n_fields(ds); i++)
        if (dataset_labels(ds, i) && !dataset_field(ds, i)->unpaired)
            return i;
    return -1;
}

/* Add a line to the note. */
__attribute__((format(printf, 2, 3))) static void note(struct splitting *s, const char *fmt, ...) {
    char *text = s->result->note;
    size_t used = strlen(text);
    va_list ap;

    if (used && used + 1 < SPLIT_NOTE)
        text[used++] = '\n';
    va_start(ap, fmt);
    vsnprintf(text + used, SPLIT_NOTE - used, fmt, ap);
    va_end(ap);
}

/* Classes of which not every group can have a row; what is no field and was left out; what the new
 * file is taken for as the old one was. */
static void note_draw(struct splitting *s, int label) {
    const int64_t *count = label < 0 ? NULL : dataset_class_counts(s->ds, label);
    int few = 0, example = 0;

    for (int k = 0; count && k < dataset_field_classes(s->ds, label); k++)
        if (count[k] && count[k] < s->n_groups) {
            example = few ? example : k;
            few++;
        }
    if (!count)
        note(s, "there is no class for each row: rows were drawn from all");
    if (few)
        note(s, "classes with fewer rows than there are groups: %.200s and %d more",
             dataset_class_name(s->ds, label, example), few - 1);
    if (*dataset_ignored(s->ds))
        note(s, "left out, as no fields of samples: %.300s", dataset_ignored(s->ds));
    if (*dataset_guesses(s->ds))
        note(s, "%s", dataset_guesses(s->ds));
}

/* x_train and train_x of the file without groups are x in the new one's groups. */
static void name_field(struct splitting *s, int field) {
    const char *path = s->at.field[field].path, *base = strrchr(path, '/') + 1;
    const char *spec = strrchr(dataset_name(s->ds), ':');
    const char *split = spec && strcmp(s->at.group, "/") == 0 ? spec + 1 : "";
    const size_t n = strlen(base), m = strlen(split);

    snprintf(s->name, sizeof s->name, "%.39s", base);
    if (m && n > m + 1 && strcmp(base + n - m, split) == 0 && base[n - m - 1] == '_')
        snprintf(s->name, sizeof s->name, "%.*s", (int)(n - m - 1), base);
    else if (m && n > m + 1 && strncmp(base, split, m) == 0 && base[m] == '_')
        snprintf(s->name, sizeof s->name, "%.39s", base + m + 1);
    if (m && strncmp(s->name, "set_", 4) == 0) /* train_set_x */
        memmove(s->name, s->name + 4, strlen(s->name + 4) + 1);
}

static void close_field(struct splitting *s) {
    for (int g = 0; g < s->n_groups; g++) {
        h5_data_close(s->piece[g].data);
        content_hash_free(s->piece[g].hash);
        row_hash_free(s->piece[g].rows);
        free(s->piece[g].count);
    }
    memset(s->piece, 0, sizeof s->piece);
    h5_data_close(s->source);
    verify_rows_release(&s->was);
    free(s->run);
    free(s->some);
    s->source = NULL;
    s->run = s->some = NULL;
}

static void piece_path(const struct splitting *s, int g, char path[LAYOUT_PATH]) {
    char group[SPLIT_NAME];

    split_name(s->plan, g, group);
    snprintf(path, LAYOUT_PATH, "/%s/%s", group, s->name);
}

static int open_field(struct splitting *s, int field, int64_t run_rows, struct err *err) {
    const struct h5_info *info = h5_data_info(s->source);
    const size_t row = (size_t)h5_row_len(info) * (size_t)info->item_bytes;
    const int i = dataset_find_field(s->ds, s->at.field[field].name);
    const struct dataset_field *f = dataset_field(s->ds, i);
    char path[LAYOUT_PATH];

    s->n_classes = f->kind == DATASET_CLASS && f->sample.rank ? dataset_field_classes(s->ds, i) : 0;
    s->run = malloc((size_t)run_rows * row);
    s->some = malloc((size_t)run_rows * row);
    if (!s->run || !s->some)
        return no_memory(s, err);
    for (int g = 0; g < s->n_groups; g++) {
        struct piece *p = &s->piece[g];

        piece_path(s, g, path);
        if (h5_copy_create(&p->data, s->to.h5, path, s->source, err))
            return -1;
        p->hash = content_hash_new();
        p->rows = row_hash_new((int64_t)row);
        p->count = calloc((size_t)s->n_classes + 1, sizeof *p->count);
        if (!p->hash || !p->rows || !p->count)
            return no_memory(s, err);
    }
    return 0;
}

/* A stored whole number, little endian. */
static int64_t whole_at(const unsigned char *bytes, int n, bool is_signed) {
    uint64_t value = 0;

    for (int i = 0; i < n; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    if (is_signed && n < 8 && value >> (8 * n - 1))
        value |= ~(uint64_t)0 << 8 * n;
    return (int64_t)value;
}

static void count_classes(const struct splitting *s, struct piece *p, int64_t n) {
    const struct h5_info *info = h5_data_info(s->source);
    const int64_t len = n * h5_row_len(info);

    for (int64_t i = 0; i < len; i++) {
        const int64_t v =
            whole_at(s->some + i * info->item_bytes, info->item_bytes, info->class == H5_CLASS_INT);
        if (v >= 0 && v < s->n_classes)
            p->count[v]++;
    }
}

/* Of the n rows that were read from `first` on, those of group g. */
static int add_rows(struct splitting *s, int g, int64_t first, int64_t n, struct err *err) {
    const struct h5_info *info = h5_data_info(s->source);
    const size_t row = (size_t)h5_row_len(info) * (size_t)info->item_bytes;
    struct piece *p = &s->piece[g];
    int64_t kept = 0;

    for (int64_t i = 0; i < n; i++)
        if (s->group[first + i] == g)
            memcpy(s->some + (size_t)kept++ * row, s->run + (size_t)i * row, row);
    if (!kept)
        return 0;
    content_hash_add(p->hash, s->some, (size_t)kept * row);
    if (row_hash_add(p->rows, s->some, kept))
        return no_memory(s, err);
    if (s->n_classes)
        count_classes(s, p, kept);
    return h5_copy_append(p->data, kept, s->some, err);
}

static int finish_field(struct splitting *s, int field, struct err *err) {
    char path[LAYOUT_PATH];

    for (int g = 0; g < s->n_groups; g++) {
        const struct piece *p = &s->piece[g];

        piece_path(s, g, path);
        if (h5_copy_attrs(s->from, s->at.field[field].path, s->to.h5, path, written_anew, err) ||
            content_hash_write(p->hash, s->to.h5, path, err) ||
            row_hash_write(p->rows, s->to.h5, path, err))
            return -1;
        if (!s->n_classes)
            continue;
        double *counts = malloc((size_t)s->n_classes * sizeof *counts);
        if (!counts)
            return no_memory(s, err);
        for (int k = 0; k < s->n_classes; k++)
            counts[k] = (double)p->count[k];
        const int status =
            h5_attr_write_reals(s->to.h5, path, "class_counts", counts, s->n_classes, err);
        free(counts);
        if (status)
            return -1;
    }
    return 0;
}

static void count_done(void *context, int64_t rows) {
    struct splitting *s = context;

    s->done += rows;
    if (s->plan->report)
        s->plan->report(s->plan->context, s->done, s->total);
}

static int copy_encoded(struct splitting *s, const struct layout_field *f, struct err *err) {
    char path[SPLIT_MOST_FOLDS][LAYOUT_PATH];
    const struct encoded_cut cut = {.ds = s->ds,
                                    .field = dataset_find_field(s->ds, f->name),
                                    .from = s->from,
                                    .at = f,
                                    .group = s->group,
                                    .to = s->to.h5,
                                    .path = path,
                                    .n_groups = s->n_groups,
                                    .progress = count_done,
                                    .context = s};

    for (int g = 0; g < s->n_groups; g++)
        piece_path(s, g, path[g]);
    return dataset_split_encoded(&cut, err);
}

/* Rows to read at a time, whole hashes of them. */
static int64_t run_of(const struct splitting *s, int64_t row_bytes) {
    const int64_t each = s->was.hashes.each ? s->was.hashes.each : 1;
    const int64_t most = row_bytes > 0 && row_bytes < RUN_BYTES ? RUN_BYTES / row_bytes : 1;

    return most < each ? each : most - most % each;
}

/* Damage is not to be written as what was meant: the new file has hashes of its own. */
static int copy_stored(struct splitting *s, int field, struct err *err) {
    const struct layout_field *f = &s->at.field[field];
    const struct h5_info *info = h5_data_info(s->source);
    const int64_t row = h5_row_len(info) * info->item_bytes, rows = info->dim[0];

    if (verify_rows_init(&s->was, s->from, f->path, rows, row, err))
        return -1;
    const int64_t most = run_of(s, row);
    int status = open_field(s, field, most, err);
    for (int64_t first = 0; first < rows && !status; first += most) {
        const int64_t n = rows - first < most ? rows - first : most;

        status = h5_data_read_stored(s->source, first, n, s->run, err);
        if (!status)
            verify_rows_add(&s->was, first, n, s->run);
        for (int g = 0; g < s->n_groups && !status; g++)
            status = add_rows(s, g, first, n, err);
        count_done(s, n);
    }
    return status || verify_rows_end(&s->was, s->from, f->path, err) < 0 ? -1 : 0;
}

static int copy_field(struct splitting *s, int field, struct err *err) {
    const struct layout_field *f = &s->at.field[field];

    name_field(s, field);
    if (verify_rowless(s->from, f->path, err) < 0)
        return -1;
    if (f->encoding)
        return copy_encoded(s, f, err);
    if (h5_data_open(&s->source, s->from, f->path, err))
        return -1;
    int status = copy_stored(s, field, err);
    if (!status)
        status = finish_field(s, field, err);
    close_field(s);
    return status;
}

/* Attributes of file and group; those of a group called "/" are the file's. */
static int make_groups(struct splitting *s, struct err *err) {
    char path[LAYOUT_PATH];

    *path = '/';
    if (h5_copy_attrs(s->from, "/", s->to.h5, "/", written_anew, err))
        return -1;
    for (int g = 0; g < s->n_groups; g++) {
        split_name(s->plan, g, path + 1);
        if (h5_group_create(s->to.h5, path, err) ||
            (strcmp(s->at.group, "/") &&
             h5_copy_attrs(s->from, s->at.group, s->to.h5, path, written_anew, err)))
            return -1;
    }
    return 0;
}

/* The new groups are to be understood as the old one was. */
static int check_groups(struct splitting *s, struct err *err) {
    struct dataset_layout at;
    char group[SPLIT_NAME];

    for (int g = 0; g < s->n_groups; g++) {
        split_name(s->plan, g, group);
        if (dataset_layout_find(s->to.h5, group, &at, err))
            return -1;
        for (int i = 0; i < s->at.n_fields || i < at.n_fields; i++)
            if (at.n_fields != s->at.n_fields || strcmp(at.field[i].name, s->at.field[i].name))
                return err_set(err, ERR_DATA,
                               "%s: the fields of %s would be others than those of %s; put it into "
                               "a group of its own first",
                               s->to.path, group, dataset_name(s->ds));
    }
    return 0;
}

static int copy_rows(struct splitting *s, struct err *err) {
    const int label = find_label(s->ds);

    for (int i = 0; i < s->at.n_fields; i++)
        s->total += s->at.field[i].rows;
    for (int unpaired = 0; unpaired < 2; unpaired++) {
        const int32_t *classes = label < 0 || unpaired ? NULL : dataset_labels(s->ds, label);

        if (!unpaired && draw(s, classes, dataset_len(s->ds), "sample", err))
            return -1;
        for (int64_t i = 0; !unpaired && i < dataset_len(s->ds); i++)
            s->result->rows[s->group[i]]++;
        for (int i = 0; i < s->at.n_fields; i++) {
            const struct layout_field *f = &s->at.field[i];

            if (f->unpaired != (unpaired == 1))
                continue;
            if ((unpaired && draw(s, NULL, f->rows, f->name, err)) || copy_field(s, i, err))
                return -1;
        }
    }
    note_draw(s, label);
    return 0;
}

/* The file and the group of the spec, as dataset_open takes it apart. */
static int open_source(struct splitting *s, const char *spec, const char *target, struct err *err) {
    char *path = malloc(strlen(spec) + 1);
    const char *input = path;
    int status;

    if (!path)
        return err_set(err, ERR_IO, "%s: out of memory", spec);
    char *group = strrchr(strcpy(path, spec), ':');
    if (group && access(spec, F_OK) == 0) /* a colon in the file's name */
        group = NULL;
    if (group)
        *group++ = 0;
    status = dataset_file_check(target, &input, 1, err) || h5_open(&s->from, path, err) ||
             dataset_open(&s->ds, spec, 0, err) ||
             dataset_layout_find(s->from, group && *group ? group : NULL, &s->at, err);
    free(path);
    return status ? -1 : 0;
}

int dataset_split(const char *spec, const char *target, const struct split_plan *plan,
                  struct split_result *result, struct err *err) {
    struct splitting *s = calloc(1, sizeof *s);
    int status = -1;

    if (!s)
        return err_set(err, ERR_IO, "%s: out of memory", spec);
    *result = (struct split_result){.n_groups = plan->folds ? plan->folds : 2};
    s->plan = plan;
    s->result = result;
    s->n_groups = result->n_groups;
    if (!open_source(s, spec, target, err) && !dataset_file_init(&s->to, target, err) &&
        !make_groups(s, err) && !copy_rows(s, err) && !check_groups(s, err))
        status = dataset_file_finish(&s->to, err);
    if (s->ds)
        dataset_close(s->ds);
    free(s->group);
    h5_close(s->from);
    dataset_file_release(&s->to);
    free(s);
    return status;
}
