/* predict_picture.c - masks and images that were predicted, as PNG files. */
#include "cmd/predict.h"
#include "io/file/file.h"
#include "io/image/grid.h"
#include "io/image/image.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLOURS = 256, VOID = 255 /* no class, as in PASCAL VOC */ };

bool predict_is_drawn(const struct predict *p) {
    const struct shape *s = &p->predictor.sample;
    const enum predictor_kind kind = p->predictor.kind;

    return kind == PREDICT_IMAGE || (kind == PREDICT_MASK && s->rank == 3) ||
           (kind == PREDICT_INDICES && s->rank == 2);
}

/* A picture, as it will be: numbers of classes, or of colours. */
struct drawing {
    int64_t height, width, channels;
    unsigned char *pixels;
    bool classes;
};

static int no_memory(struct err *err) {
    return err_set(err, ERR_IO, "no memory for a picture");
}

static int draw_classes(const struct predict *p, const struct predicted *v, struct drawing *d,
                        struct err *err) {
    const int64_t step = p->predictor.kind == PREDICT_INDICES ? 1 : shape_channels(&v->shape);

    for (int64_t i = 0; i < d->height * d->width; i++) {
        const int64_t class = predict_class_at(p, v->values + i * step);
        if (class >= VOID)
            return err_set(err, ERR_DATA,
                           "a mask holds class %" PRId64
                           ", and a PNG with a palette holds those below %d; expected -o FILE.h5",
                           class, VOID);
        d->pixels[i] = class < 0 ? VOID : (unsigned char)class;
    }
    return 0;
}

static unsigned char grey_of(double v, double low, double high) {
    v = (v - low) / (high - low);
    return v >= 1 ? 255 : v > 0 ? (unsigned char)(255 * v + 0.5) : 0; /* nan is black */
}

static void draw_values(const struct predict *p, const struct predicted *v, struct drawing *d) {
    const int64_t len = shape_len(&v->shape);
    double low = p->args.range[0], high = p->args.range[1];

    if (!(low < high) && p->predictor.picture) {
        low = p->predictor.picture->range[0];
        high = p->predictor.picture->range[1];
    }
    if (!(low < high)) {
        low = INFINITY, high = -INFINITY;
        for (int64_t i = 0; i < len; i++) {
            low = fmin(low, (double)v->values[i]);
            high = fmax(high, (double)v->values[i]);
        }
    }
    for (int64_t i = 0; i < len; i++)
        d->pixels[i] = grey_of((double)v->values[i], low, high);
}

static int draw(const struct predict *p, const struct predicted *v, struct drawing *d,
                struct err *err) {
    d->classes = p->predictor.kind != PREDICT_IMAGE;
    d->height = v->shape.dim[0];
    d->width = v->shape.dim[1];
    d->channels = d->classes ? 1 : v->shape.dim[2];
    d->pixels = malloc((size_t)(d->height * d->width * d->channels));
    if (!d->pixels)
        return no_memory(err);
    if (d->classes)
        return draw_classes(p, v, d, err);
    draw_values(p, v, d);
    return 0;
}

/* Bring it to the size of the picture that it is of, by the nearest pixel; where the network has
 * not seen the picture there is nothing. */
static int place(const struct predict *p, struct drawing *d, int64_t height, int64_t width,
                 struct err *err) {
    const int64_t c = d->channels;
    unsigned char *out = malloc((size_t)(height * width * c));
    struct augment_piece seen;

    if (!out)
        return no_memory(err);
    augment_seen(&p->source.seen, height, width, &seen);
    memset(out, d->classes ? VOID : 0, (size_t)(height * width * c));
    for (int64_t i = 0; i < height * width; i++) {
        const double y = ((double)(i / width) + 0.5 - seen.top) / seen.height;
        const double x = ((double)(i % width) + 0.5 - seen.left) / seen.width;
        if (y < 0 || y >= 1 || x < 0 || x >= 1)
            continue;
        const int64_t at =
            (int64_t)(y * (double)d->height) * d->width + (int64_t)(x * (double)d->width);
        memcpy(out + i * c, d->pixels + at * c, (size_t)c);
    }
    free(d->pixels);
    d->pixels = out;
    d->height = height;
    d->width = width;
    return 0;
}

/* Was the picture brought to the network's size, and the prediction is of the same? */
static bool is_resized(const struct predict *p) {
    const struct shape *in = p->predictor.input ? &p->predictor.input->sample : NULL;
    const struct shape *out = &p->predictor.sample;

    return p->inputs.path && p->source.loader && in->dim[0] == out->dim[0] &&
           in->dim[1] == out->dim[1];
}

static void make_palette(unsigned char palette[COLOURS][3]) {
    for (int64_t i = 0; i < COLOURS; i++)
        grid_class_colour(i == VOID ? -1 : i, palette[i]);
}

/* The picture with half of its colours those of the classes. */
static int write_overlay(const struct drawing *d, const struct image *under, const char *path,
                         struct err *err) {
    const int64_t len = 3 * d->height * d->width;
    unsigned char palette[COLOURS][3], *mixed = malloc((size_t)len);

    if (!mixed)
        return no_memory(err);
    make_palette(palette);
    for (int64_t i = 0; i < len; i++) {
        const unsigned char class = d->pixels[i / 3];
        const int half = (under->pixels[i] + palette[class][i % 3]) / 2;
        mixed[i] = class == VOID || !class ? under->pixels[i] : (unsigned char)half;
    }
    const int rc = image_replace_png(path, (int)d->width, (int)d->height, 3, mixed, err);
    free(mixed);
    return rc;
}

static int write_drawing(const struct drawing *d, const char *path, struct err *err) {
    unsigned char palette[COLOURS][3];

    if (!d->classes)
        return image_replace_png(path, (int)d->width, (int)d->height, (int)d->channels, d->pixels,
                                 err);
    make_palette(palette);
    return image_write_palette(path, (int)d->width, (int)d->height, d->pixels,
                               (const unsigned char(*)[3])palette, err);
}

/* "a/b.png" of "a/b.jpg" below the folder; of samples without names their numbers. */
static int name_it(const struct predict *p, int64_t i, char name[PREDICT_NAME], struct err *err) {
    if (!p->inputs.path) {
        snprintf(name, PREDICT_NAME, "%06" PRId64 ".png", i);
        return 0;
    }
    const char *from = p->inputs.name[i];
    const size_t len = predict_stem(from);
    if (len + strlen("_overlay.png") >= PREDICT_NAME)
        return err_set(err, ERR_DATA, "%s: the name is too long", from);
    snprintf(name, PREDICT_NAME, "%.*s.png", (int)len, from);
    return 0;
}

static int make_parents(const char *path, struct err *err) {
    char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    int rc = folder ? 0 : no_memory(err);

    if (slash) {
        *slash = 0;
        rc = file_make_folders(folder, err);
    }
    free(folder);
    return rc;
}

static int write_all(const struct predict *p, const struct predicted *v, struct drawing *d,
                     const char *name, struct err *err) {
    const bool resized = is_resized(p), lays = p->args.overlay && d->classes && p->inputs.path;
    struct image under = {0};
    char *path = file_text("%s/%s", p->out->folder, name);
    char *over = file_text("%s/%.*s_overlay.png", p->out->folder, (int)strlen(name) - 4, name);
    int rc = path && over ? make_parents(path, err) : no_memory(err);

    if (!rc && (resized || lays))
        rc = image_read(p->inputs.path[v->index], IMAGE_COLOUR, &under, err);
    if (!rc && resized)
        rc = place(p, d, under.height, under.width, err);
    if (!rc)
        rc = write_drawing(d, path, err);
    if (!rc && lays && under.height == d->height && under.width == d->width)
        rc = write_overlay(d, &under, over, err);
    image_release(&under);
    free(path);
    free(over);
    return rc;
}

int predict_draw(struct predict *p, const struct predicted *v, char name[PREDICT_NAME],
                 struct err *err) {
    struct drawing d = {0};
    const int rc =
        name_it(p, v->index, name, err) || draw(p, v, &d, err) || write_all(p, v, &d, name, err)
            ? -1
            : 0;

    free(d.pixels);
    return rc;
}
