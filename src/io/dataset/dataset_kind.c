/* What a field is: by the attribute kind, else by name, else by type and shape. What is decided is
 * certain, or said as a guess, or refused with the attribute that would decide. */
#include "io/dataset/dataset_kind.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAY_KIND "f['%s'].attrs['kind'] = '%s'"

const char *dataset_found_text(const struct found *f, char text[FOUND_TEXT]) {
    const struct h5_info *info = f->info;
    static const char *const types[] = {
        [H5_CLASS_OTHER] = "no numbers", [H5_CLASS_INT] = "int",
        [H5_CLASS_UINT] = "uint",        [H5_CLASS_FLOAT] = "float",
        [H5_CLASS_TEXT] = "text",        [H5_CLASS_BLOB] = "bytes of no type"};
    const bool bits = !info->truth && (f->whole || info->class == H5_CLASS_FLOAT);
    const bool lists = info->class == H5_CLASS_OTHER && info->variable;
    int used = snprintf(text, FOUND_TEXT, "%s",
                        info->truth ? "truth values"
                        : lists     ? "lists of any length"
                                    : types[info->class]);

    if (bits)
        used += snprintf(text + used, (size_t)(FOUND_TEXT - used), "%d", 8 * info->item_bytes);
    used += snprintf(text + used, (size_t)(FOUND_TEXT - used), " [n");

    for (int k = 1; k < info->rank && used < FOUND_TEXT - 24; k++)
        used += snprintf(text + used, (size_t)(FOUND_TEXT - used), ", %" PRId64, info->dim[k]);
    snprintf(text + used, (size_t)(FOUND_TEXT - used), "]");
    return text;
}

int dataset_refuse(const struct dataset *ds, const struct found *f, struct err *err,
                   const char *why, ...) {
    char text[FOUND_TEXT], reason[512];
    va_list args;

    va_start(args, why);
    vsnprintf(reason, sizeof reason, why, args);
    va_end(args);
    return err_set(err, ERR_DATA, "%s: %s is %s%s", ds->name, f->at->path,
                   dataset_found_text(f, text), reason);
}

/* The dimensions of a sample as the file has them. */
static void take_shape(struct dataset_field *field, const struct h5_info *info) {
    field->sample = (struct shape){.rank = info->rank - 1};
    for (int k = 0; k < field->sample.rank; k++)
        field->sample.dim[k] = info->dim[k + 1];
}

/* [c, ...] to [..., c]. */
static void move_channels(struct shape *s) {
    const int64_t channels = s->dim[0];

    for (int k = 1; k < s->rank; k++)
        s->dim[k - 1] = s->dim[k];
    s->dim[s->rank - 1] = channels;
}

static int take_order(struct dataset *ds, int i, const struct dataset_layout *at,
                      const struct found *f, bool guess, struct err *err) {
    if (dataset_order(ds, i, at, f, guess, err))
        return -1;
    if (ds->column[i].channels_first)
        move_channels(&ds->field[i].sample);
    return 0;
}

static int take_image(struct dataset *ds, int i, const struct dataset_layout *at,
                      const struct found *f, struct err *err) {
    struct dataset_field *field = &ds->field[i];
    const int rank = f->info->rank;

    if (rank == 1 && f->bytes)
        return dataset_refuse(
            ds, f, err,
            ", expected images [n, height, width, channels]; of files of pictures "
            "end to end say so, and where each begins: f['%s'].attrs['encoding'] "
            "= 'files', and %s_offsets",
            f->at->path, f->at->path);
    if (rank != 3 && rank != 4 && !(f->kind && rank == 5))
        return dataset_refuse(ds, f, err,
                              ", expected images of 4 dimensions (samples, height, width, "
                              "channels), 3 (without channels) or 5 (volumes, with the attribute "
                              "kind)");
    if (!f->bytes && f->info->class != H5_CLASS_FLOAT)
        return dataset_refuse(ds, f, err, ", expected images of uint8 or float32");
    field->kind = f->bytes ? DATASET_BYTES : DATASET_REALS;
    take_shape(field, f->info);
    field->image = rank < 5;
    if (rank > 3)
        return take_order(ds, i, at, f, true, err);
    field->sample.dim[field->sample.rank++] = 1;
    if (f->bytes || f->kind)
        return 0;
    return dataset_guess(ds, err,
                         "%s: floats [n, %" PRId64 ", %" PRId64
                         "] are taken for grey images; if not, " SAY_KIND,
                         f->at->path, f->info->dim[1], f->info->dim[2], f->at->path, "real");
}

/* Boxes [n, max, 5]. */
static int take_boxes(struct dataset *ds, int i, const struct found *f, struct err *err) {
    struct dataset_field *field = &ds->field[i];

    if (f->info->rank != 3 || f->info->dim[2] != DATASET_BOX)
        return dataset_refuse(ds, f, err,
                              ", expected boxes [n, max, %d]: x1, y1, x2, y2 in pixels, and the "
                              "number of a class, -1 in rows that are none",
                              DATASET_BOX);
    field->kind = DATASET_REALS;
    field->boxes = true;
    take_shape(field, f->info);
    return 0;
}

/* A mask for each box, [n, max, h, w]. */
static int take_masks(struct dataset *ds, int i, const struct found *f, struct err *err) {
    struct dataset_field *field = &ds->field[i];

    if (f->info->rank != 4 || !f->bytes)
        return dataset_refuse(ds, f, err,
                              ", expected masks of boxes, uint8 [n, max, height, width], 0 where "
                              "a pixel is none of the box's");
    field->kind = DATASET_BYTES;
    field->masks = true;
    take_shape(field, f->info);
    return 0;
}

/* Numbers [n, max, 5] under a name of boxes. */
static int take_named_boxes(struct dataset *ds, int i, const struct found *f, struct err *err) {
    if (take_boxes(ds, i, f, err))
        return -1;
    return ds->declared ? 0
                        : dataset_guess(ds, err,
                                        "%s is taken for boxes: x1, y1, x2, y2 in pixels, and a "
                                        "class; if it is other numbers, " SAY_KIND,
                                        f->at->path, f->at->path, "real");
}

/* Class numbers of samples, places, pixels or voxels. A dimension of one channel is none. */
static int take_class(struct dataset *ds, int i, const struct found *f, struct err *err) {
    struct dataset_field *field = &ds->field[i];
    struct shape *s = &field->sample;

    if (!f->whole)
        return dataset_refuse(ds, f, err,
                              ", expected integers, for its attribute kind = class; store them as "
                              "integers: f['%s'] = y.astype('int64')",
                              f->at->path);
    field->kind = DATASET_CLASS;
    take_shape(field, f->info);
    if (s->rank && s->dim[s->rank - 1] == 1)
        s->rank--;
    else if (s->rank >= 3 && s->dim[0] == 1) {
        move_channels(s);
        s->rank--;
    }
    s->dim[s->rank] = 0; /* fingerprints take all of dim */
    return 0;
}

static int take_reals(struct dataset *ds, int i, const struct dataset_layout *at,
                      const struct found *f, struct err *err) {
    struct dataset_field *field = &ds->field[i];

    field->kind = DATASET_REALS;
    take_shape(field, f->info);
    field->image = field->sample.rank == 3 && !f->kind && !f->is_class;
    return field->sample.rank >= 3 ? take_order(ds, i, at, f, !f->kind, err) : 0;
}

/* Floats under a name of class numbers. */
static int take_float_classes(struct dataset *ds, int i, const struct dataset_layout *at,
                              const struct found *f, struct err *err) {
    const char *path = f->at->path;
    struct look one_hot = {0}, whole;
    char text[FOUND_TEXT];

    if (f->info->rank == 2 && f->info->dim[1] > 1 &&
        dataset_look(ds->column[i].data, LOOK_ONE_HOT, &one_hot, err))
        return -1;
    if (one_hot.all)
        return dataset_refuse(ds, f, err,
                              ", one-hot; store one class number for each sample: f['%s'] = "
                              "y.argmax(1)",
                              path);
    if (!f->says_label) {
        if (take_reals(ds, i, at, f, err))
            return -1;
        return dataset_guess(
            ds, err,
            "%s: %s is taken for numbers to regress on, not for classes; classes are "
            "stored as integers: f['%s'] = y.astype('int64')",
            path, dataset_found_text(f, text), path);
    }
    if (dataset_look(ds->column[i].data, LOOK_WHOLE, &whole, err))
        return -1;
    if (!whole.all)
        return dataset_refuse(
            ds, f, err,
            " and holds %g in sample %" PRId64
            ", which is no class number; numbers to regress on, which class losses "
            "refuse, are named otherwise, or " SAY_KIND,
            (double)whole.value, whole.row, path, "real");
    return dataset_refuse(
        ds, f, err,
        ", expected class numbers; store them as integers: f['%s'] = "
        "y.astype('int64') (kind = real would make them numbers to regress on, which "
        "class losses refuse)",
        path);
}

/* Has a map more than one number for each pixel? */
static bool has_channels(const struct h5_info *info) {
    return info->rank >= 4 && info->dim[info->rank - 1] != 1 && info->dim[1] != 1;
}

/* Integers under a name of class numbers. */
static int take_whole_classes(struct dataset *ds, int i, const struct found *f, struct err *err) {
    const struct h5_info *info = f->info;

    if (f->is_label && info->rank == 2 && info->dim[1] != 1)
        return dataset_refuse(ds, f, err,
                              " (one-hot?), expected one class number for each sample: f['%s'] = "
                              "y.argmax(1); numbers to regress on: " SAY_KIND,
                              f->at->path, f->at->path, "real");
    if (has_channels(info))
        return dataset_refuse(ds, f, err,
                              ", expected one class number for each pixel, [n, height, width]; of "
                              "one-hot maps the argmax, of colours their numbers. Otherwise say "
                              "what it is: " SAY_KIND ", or class (volumes) or real",
                              f->at->path, "image");
    return take_class(ds, i, f, err);
}

/* uint8 of one channel under a name that says nothing: grey images, or masks? */
static int take_grey(struct dataset *ds, int i, const struct dataset_layout *at,
                     const struct found *f, struct err *err) {
    struct look few;

    if (ds->declared) /* an importer's, whose masks have no channels */
        return take_image(ds, i, at, f, err);
    if (dataset_look(ds->column[i].data, LOOK_FEW, &few, err))
        return -1;
    if (few.all)
        return dataset_refuse(ds, f, err,
                              " with no number above %d: class numbers or dark images? Say which: "
                              "f['%s'].attrs['kind'] = 'class' or 'image'",
                              LOOK_SMALL, f->at->path);
    if (take_image(ds, i, at, f, err))
        return -1;
    return dataset_guess(ds, err,
                         "%s: uint8 of one channel is taken for grey images, scaled to 0 .. 1; if "
                         "they are masks, " SAY_KIND,
                         f->at->path, f->at->path, "class");
}

/* Integers [n], [n, k] or [n, h, w] under a name that says nothing. */
static int take_places(struct dataset *ds, int i, const struct found *f, struct err *err) {
    struct look few = {.all = true};
    char text[FOUND_TEXT];

    if (f->bytes && f->info->rank == 3 && dataset_look(ds->column[i].data, LOOK_FEW, &few, err))
        return -1;
    if (take_class(ds, i, f, err))
        return -1;
    if (few.all)
        return 0;
    return dataset_guess(
        ds, err, "%s: %s is taken for the class of every pixel; if it is grey images, " SAY_KIND,
        f->at->path, dataset_found_text(f, text), f->at->path, "image");
}

static int take_whole(struct dataset *ds, int i, const struct dataset_layout *at,
                      const struct found *f, struct err *err) {
    const struct h5_info *info = f->info;
    const int64_t first = info->rank == 4 ? info->dim[1] : 0;
    const int64_t last = info->rank == 4 ? info->dim[3] : 0;

    if (f->is_class)
        return take_whole_classes(ds, i, f, err);
    if (f->is_table)
        return dataset_refuse(ds, f, err,
                              ": class numbers (of words ...) or a table of numbers? Say which: "
                              "f['%s'].attrs['kind'] = 'class' or 'real'",
                              f->at->path);
    if (info->rank <= 3)
        return take_places(ds, i, f, err);
    if (info->truth && !has_channels(info))
        return take_class(ds, i, f, err);
    if (f->bytes && (first == 1 || last == 1))
        return take_grey(ds, i, at, f, err);
    if (f->bytes && (first == 3 || last == 3 || first == 4 || last == 4))
        return take_image(ds, i, at, f, err);
    return dataset_refuse(ds, f, err,
                          "; say what it is: f['%s'].attrs['kind'] = 'image', 'class' or 'real'",
                          f->at->path);
}

int dataset_kind(struct dataset *ds, int i, const struct dataset_layout *at, const struct found *f,
                 struct err *err) {
    if (f->kind && strcmp(f->kind, "image") == 0)
        return take_image(ds, i, at, f, err);
    if (f->kind && strcmp(f->kind, "class") == 0)
        return take_class(ds, i, f, err);
    if (f->kind && strcmp(f->kind, "real") == 0)
        return take_reals(ds, i, at, f, err);
    if (f->kind && strcmp(f->kind, "boxes") == 0)
        return take_boxes(ds, i, f, err);
    if (f->kind && strcmp(f->kind, "masks") == 0)
        return take_masks(ds, i, f, err);
    if (f->kind)
        return err_set(err, ERR_DATA,
                       "%s: attribute kind of %s is '%.40s', expected image, class, real, boxes or "
                       "masks",
                       ds->name, f->at->path, f->kind);
    if (f->is_boxes)
        return take_named_boxes(ds, i, f, err);
    if (f->is_image)
        return take_image(ds, i, at, f, err);
    if (f->whole)
        return take_whole(ds, i, at, f, err);
    if (f->is_class)
        return take_float_classes(ds, i, at, f, err);
    return take_reals(ds, i, at, f, err);
}
