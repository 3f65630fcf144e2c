#include "io/import/boxed.h"

#include "io/import/import_rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOXES = 1, DIFFICULT = 2, FIELDS = 3 };

void boxed_release(struct boxed *b) {
    pool_release(&b->pool);
}

void boxed_add_picture(struct boxed *b, const char *path, const char *about, int split) {
    b->picture = pool_grow(&b->pool, b->picture, b->n_pictures, sizeof *b->picture);
    b->split_of = pool_grow(&b->pool, b->split_of, b->n_pictures, sizeof *b->split_of);
    b->picture[b->n_pictures] = (struct boxed_picture){
        pool_print(&b->pool, "%s", path), pool_print(&b->pool, "%s", about), b->n_boxes, 0, 0, 0};
    b->split_of[b->n_pictures++] = split;
}

void boxed_add_box(struct boxed *b, const struct boxed_box *box) {
    b->box = pool_grow(&b->pool, b->box, b->n_boxes, sizeof *b->box);
    b->box[b->n_boxes++] = *box;
    b->picture[b->n_pictures - 1].n++;
}

int boxed_class(struct boxed *b, const char *name) {
    for (int k = 0; k < b->n_classes; k++)
        if (strcmp(b->class[k], name) == 0)
            return k;
    b->class = pool_grow(&b->pool, b->class, b->n_classes, sizeof *b->class);
    b->class[b->n_classes] = pool_print(&b->pool, "%s", name);
    return b->n_classes++;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void boxed_sort_classes(struct boxed *b) {
    const char **name = pool_take(&b->pool, (size_t)(b->n_classes + 1) * sizeof *name);
    int *place = pool_take(&b->pool, (size_t)(b->n_classes + 1) * sizeof *place);

    for (int k = 0; k < b->n_classes; k++)
        name[k] = b->class[k];
    qsort(name, (size_t)b->n_classes, sizeof *name, by_name);
    for (int k = 0; k < b->n_classes; k++)
        for (int j = 0; j < b->n_classes; j++)
            if (strcmp(b->class[k], name[j]) == 0)
                place[k] = j;
    for (int k = 0; k < b->n_boxes; k++)
        b->box[k].class = place[b->box[k].class];
    b->class = name;
}

/* What is written, and what is to be said of it. */
struct boxed_writing {
    struct boxed *b;
    const struct import_options *options;
    struct writer_field field[FIELDS];
    int width, height, max;
    int64_t cut, vanished;
};

static int refuse_box(const struct boxed_picture *p, const struct boxed_box *box, const char *why,
                      struct err *err) {
    char line[16] = "";

    if (box->line)
        snprintf(line, sizeof line, ":%d", box->line);
    return err_set(err, ERR_DATA,
                   "%s%s: box x1 %g, y1 %g, x2 %g, y2 %g %s; the picture is %d wide and %d high",
                   p->about, line, box->x1, box->y1, box->x2, box->y2, why, p->width, p->height);
}

/* The picture, and its true size for the boxes. */
static int make_picture(struct boxed_writing *w, int64_t i, unsigned char *out, struct err *err) {
    struct boxed_picture *p = &w->b->picture[i];
    const enum image_mode mode = w->options->mode == IMAGE_GREY ? IMAGE_GREY : IMAGE_COLOUR;
    struct image image = {0};
    int status = w->options->unturned ? image_read_unturned(p->path, mode, &image, err)
                                      : image_read(p->path, mode, &image, err);

    if (!status && p->width && (p->width != image.width || p->height != image.height))
        status = err_set(err, ERR_DATA, "%s: says that its picture is %dx%d, but %s is %dx%d",
                         p->about, p->width, p->height, p->path, image.width, image.height);
    if (!status) {
        p->width = image.width;
        p->height = image.height;
    }
    if (!status && !w->options->width && (image.width != w->width || image.height != w->height))
        status = err_set(err, ERR_DATA,
                         "%s: is %dx%d, the first picture %dx%d; --size 512 brings all to one size",
                         p->path, image.width, image.height, w->width, w->height);
    if (!status)
        status = image_resize(&image, w->width, w->height, w->options->fit, out, err);
    image_release(&image);
    return status;
}

/* A box in pixels of the picture to those of what it becomes, as image_resize does it. */
static void move_box(const struct boxed_writing *w, const struct boxed_picture *p,
                     struct boxed_box *box) {
    double across = (double)p->width / w->width, down = (double)p->height / w->height;

    if (w->options->fit == IMAGE_CROP)
        across = down = fmin(across, down);
    const double left = (p->width - w->width * across) / 2,
                 top = (p->height - w->height * down) / 2;
    box->x1 = (box->x1 - left) / across;
    box->x2 = (box->x2 - left) / across;
    box->y1 = (box->y1 - top) / down;
    box->y2 = (box->y2 - top) / down;
}

/* Does it end at the edges already? */
static bool end_box(double width, double height, struct boxed_box *box) {
    const struct boxed_box was = *box;

    box->x1 = fmin(fmax(box->x1, 0), width);
    box->x2 = fmin(fmax(box->x2, 0), width);
    box->y1 = fmin(fmax(box->y1, 0), height);
    box->y2 = fmin(fmax(box->y2, 0), height);
    return was.x1 == box->x1 && was.x2 == box->x2 && was.y1 == box->y1 && was.y2 == box->y2;
}

static int place_box(struct boxed_writing *w, const struct boxed_picture *p, struct boxed_box *box,
                     struct err *err) {
    if (w->b->shares) {
        box->x1 *= p->width;
        box->x2 *= p->width;
        box->y1 *= p->height;
        box->y2 *= p->height;
    }
    if (!(box->x2 > box->x1 && box->y2 > box->y1))
        return refuse_box(p, box, "has no area", err);
    if (box->x2 <= 0 || box->y2 <= 0 || box->x1 >= p->width || box->y1 >= p->height)
        return refuse_box(p, box, "is outside of its picture", err);
    /* What a rounded number says beyond the edge by less than a hundredth is the edge. */
    struct boxed_box exact = *box;
    if (!end_box(p->width, p->height, box) &&
        fmax(fmax(box->x1 - exact.x1, exact.x2 - box->x2),
             fmax(box->y1 - exact.y1, exact.y2 - box->y2)) > 0.01)
        w->cut++;
    return 0;
}

static int make_boxes(struct boxed_writing *w, int64_t i, int field, float *out, struct err *err) {
    const struct boxed_picture *p = &w->b->picture[i];
    const int width = field == BOXES ? DATASET_BOX : 1;
    int n = 0;

    for (int k = 0; k < w->max * width; k++)
        out[k] = field == BOXES && k % DATASET_BOX == DATASET_BOX - 1 ? -1 : 0;
    for (int k = 0; k < p->n; k++) {
        struct boxed_box box = w->b->box[p->first + k];

        if (field == DIFFICULT) {
            out[n++] = box.difficult;
            continue;
        }
        if (place_box(w, p, &box, err))
            return -1;
        move_box(w, p, &box);
        end_box(w->width, w->height, &box);
        float *to = out + DATASET_BOX * n++;
        if (!((float)box.x2 > (float)box.x1 && (float)box.y2 > (float)box.y1)) {
            w->vanished++; /* its row stays, so that those of other fields are its own */
            continue;
        }
        to[0] = (float)box.x1;
        to[1] = (float)box.y1;
        to[2] = (float)box.x2;
        to[3] = (float)box.y2;
        to[4] = (float)box.class;
    }
    return 0;
}

static int make(void *context, int64_t i, int field, void *out, struct err *err) {
    return field ? make_boxes(context, i, field, out, err) : make_picture(context, i, out, err);
}

static int describe(void *context, struct dataset_writer *writer, struct err *err) {
    struct boxed *b = ((struct boxed_writing *)context)->b;

    return dataset_writer_texts(writer, BOXES, "classes", b->class, b->n_classes, err);
}

static const char *file_of(const void *context, int64_t i) {
    return ((const struct boxed_writing *)context)->b->picture[i].path;
}

/* One size for all: the given one, or the first picture's. */
static int find_size(struct boxed_writing *w, struct err *err) {
    struct image first = {0};

    w->width = w->options->width;
    w->height = w->options->height;
    if (w->width)
        return 0;
    if (image_read(w->b->picture[0].path, IMAGE_AS_STORED, &first, err))
        return -1;
    w->width = first.width;
    w->height = first.height;
    image_release(&first);
    return 0;
}

static void tell(const struct boxed_writing *w, struct import_result *result) {
    const struct boxed *b = w->b;
    int empty = 0, difficult = 0;

    for (int i = 0; i < b->n_pictures; i++)
        empty += !b->picture[i].n;
    for (int k = 0; k < b->n_boxes; k++)
        difficult += b->box[k].difficult;
    import_note(result, "%d boxes, at most %d in a picture; %d %s without any", b->n_boxes, w->max,
                empty, empty == 1 ? "picture is" : "pictures are");
    if (difficult)
        import_note(result, "%d boxes are difficult", difficult);
    if (w->cut)
        import_note(result,
                    "%" PRId64 " boxes reached over the edge of their pictures, and end "
                    "there now",
                    w->cut);
    if (w->vanished)
        import_note(result,
                    "%" PRId64 " boxes are in no part of their pictures that is left; "
                    "--fit stretch keeps everything",
                    w->vanished);
}

int boxed_write(struct boxed *b, const char *source, const char *target,
                const struct import_options *options, struct import_result *result,
                struct err *err) {
    struct boxed_writing w = {.b = b, .options = options, .max = 1};

    if (!b->n_pictures)
        return err_set(err, ERR_DATA, "%s: there are no pictures with boxes", source);
    if (!b->n_classes)
        return err_set(err, ERR_DATA, "%s: there is no box in any of %d pictures", source,
                       b->n_pictures);
    for (int i = 0; i < b->n_pictures; i++)
        w.max = b->picture[i].n > w.max ? b->picture[i].n : w.max;
    if (find_size(&w, err))
        return -1;
    w.field[0] = (struct writer_field){
        .name = "images",
        .kind = DATASET_BYTES,
        .sample = {3, {w.height, w.width, options->mode == IMAGE_GREY ? 1 : 3}}};
    w.field[BOXES] = (struct writer_field){.name = "boxes",
                                           .kind = DATASET_REALS,
                                           .sample = {2, {w.max, DATASET_BOX}},
                                           .says = "boxes"};
    w.field[DIFFICULT] = (struct writer_field){
        .name = "difficult", .kind = DATASET_REALS, .sample = {1, {w.max}}, .says = "real"};
    const struct rows_source rows = {.name = source,
                                     .what = "images",
                                     .context = &w,
                                     .n = b->n_pictures,
                                     .n_fields = FIELDS,
                                     .field = w.field,
                                     .n_splits = b->n_splits,
                                     .split_name = b->split,
                                     .split_of = b->split_of,
                                     .file_of = file_of,
                                     .make = make,
                                     .describe = describe};
    result->n_classes = b->n_classes;
    if (import_rows(&rows, target, options, result, err))
        return -1;
    tell(&w, result);
    return 0;
}
