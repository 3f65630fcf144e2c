#include "io/import/import_columns.h"

#include "io/import/import_seen.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB_BYTES = 16 << 20, SLAB_IMAGES = 1024 };

/* The size of an image, and whether it was turned to have it. */
struct shown_size {
    int width, height;
    bool turned;
};

/* A file being written. */
struct writing {
    const struct file_set *set;
    const struct import_column *columns; /* [n] */
    int n;
    const struct import_options *options;
    struct team *team;
    struct dataset_writer *writer;
    struct shown_size *shown; /* [images of a split] those of column 0 */
    struct import_facts facts;
    int64_t done, total;
};

/* Files being decoded. */
struct columns_slab {
    const struct import_options *options;
    const struct import_column *column; /* NULL: a census */
    const char *const *path;            /* [n] */
    unsigned char *pixels;              /* [rows, sample] */
    struct err *errs;                   /* [rows]; kind 0: fine */
    struct mask_census *census;         /* [rows] */
    struct shown_size *shown;           /* [n] column 0's images */
    struct import_seen *seen;           /* [rows] */
    int64_t rows;
};

/* Colours of grey, as some programs write them, become one channel.
 * Errors: ERR_DATA for other colours. */
static int to_one_channel(struct image *image, const char *path, struct err *err) {
    const int64_t area = (int64_t)image->width * image->height;

    if (image->channels == 1)
        return 0;
    for (int64_t i = 0; i < area; i++) {
        const unsigned char *p = image->pixels + 3 * i;

        if (p[0] != p[1] || p[0] != p[2])
            return err_set(err, ERR_DATA,
                           "%s: is a mask in colour, expected the number of a class for each "
                           "pixel: a palette, or grey",
                           path);
        image->pixels[i] = p[0];
    }
    image->channels = 1;
    return 0;
}

static void look(void *context, int64_t begin, int64_t end) {
    struct columns_slab *s = context;

    for (int64_t i = begin; i < end; i++) {
        struct mask_census *c = &s->census[i];
        struct image image = {0};

        *c = (struct mask_census){0};
        s->errs[i] = (struct err){0};
        /* however they are turned */
        if (!image_read_unturned(s->path[i], IMAGE_CLASSES, &image, &s->errs[i]) &&
            !to_one_channel(&image, s->path[i], &s->errs[i])) {
            const int64_t area = (int64_t)image.width * image.height;
            for (int64_t k = 0; k < area; k++)
                c->count[image.pixels[k]]++;
            c->palette = image.palette;
            c->lossy = image.lossy;
        }
        image_release(&image);
    }
}

static int take_census(const struct columns_slab *s, int64_t n, struct mask_census *out,
                       struct err *err) {
    for (int64_t i = 0; i < n; i++) {
        const struct mask_census *c = &s->census[i];

        if (s->errs[i].kind) {
            *err = s->errs[i];
            return -1;
        }
        for (int v = 0; v < 256; v++)
            out->count[v] += c->count[v];
        out->palette = out->palette || c->palette;
        if (c->lossy && !out->lossy)
            out->lossy_file = s->path[i];
        out->lossy = out->lossy || c->lossy;
    }
    return 0;
}

static void slab_release(struct columns_slab *s) {
    free(s->pixels);
    free(s->errs);
    free(s->seen);
    free(s->census);
}

/* bytes: of one sample; 0: for a census. */
static int slab_init(struct columns_slab *s, int64_t bytes, int n_threads, struct err *err) {
    const int64_t fit_in = bytes ? SLAB_BYTES / bytes : SLAB_IMAGES;

    s->rows = fit_in < 1 ? 1 : fit_in > SLAB_IMAGES ? SLAB_IMAGES : fit_in;
    s->rows = s->rows < n_threads ? n_threads : s->rows;
    s->pixels = malloc((size_t)(s->rows * bytes + 1));
    s->errs = calloc((size_t)s->rows, sizeof *s->errs);
    s->seen = calloc((size_t)s->rows, sizeof *s->seen);
    s->census = bytes ? NULL : calloc((size_t)s->rows, sizeof *s->census);
    if (s->pixels && s->errs && s->seen && (bytes || s->census))
        return 0;
    slab_release(s);
    return err_set(err, ERR_IO, "out of memory for %lld images", (long long)s->rows);
}

int import_census(const struct file_set *set, int list, struct team *team,
                  struct mask_census *census, struct err *err) {
    struct columns_slab s = {0};
    int status = 0;

    *census = (struct mask_census){0};
    if (slab_init(&s, 0, team_size(team), err))
        return -1;
    for (int i = 0; i < set->n_splits; i++) {
        const struct file_list *files = &set->split[i].list[list];

        for (int64_t first = 0; first < files->n && !status; first += s.rows) {
            const int64_t left = files->n - first, n = left < s.rows ? left : s.rows;

            s.path = files->path + first;
            team_run(team, n, look, &s);
            status = take_census(&s, n, census, err);
        }
    }
    slab_release(&s);
    return status;
}

/* The part of the image that belongs to the column, in place. */
static int take_part(const struct import_column *c, struct image *image, const char *path,
                     struct err *err) {
    const size_t half = (size_t)image->width / 2 * (size_t)image->channels;
    const size_t from = c->part == COLUMN_RIGHT ? half : 0;

    if (c->part == COLUMN_WHOLE)
        return 0;
    if (image->width % 2)
        return err_set(err, ERR_DATA, "%s: is %d pixels wide, expected two halves", path,
                       image->width);
    for (int y = 0; y < image->height; y++)
        memmove(image->pixels + (size_t)y * half, image->pixels + (size_t)y * 2 * half + from,
                half);
    image->width /= 2;
    return 0;
}

/* Read what belongs to the column. */
static int read_column(const struct import_column *c, const struct import_options *o,
                       const char *path, struct image *image, struct import_seen *seen,
                       struct err *err) {
    if (import_read(path, c->mask ? IMAGE_CLASSES : c->mode, o, image, seen, err))
        return -1;
    if (c->mask) {
        if (to_one_channel(image, path, err))
            return -1;
        const int64_t area = (int64_t)image->width * image->height;
        for (int64_t i = 0; i < area; i++)
            image->pixels[i] = c->class[image->pixels[i]];
    }
    return take_part(c, image, path, err);
}

static int fit(const struct import_column *c, const struct import_options *o, const char *path,
               const struct image *image, unsigned char *out, struct err *err) {
    const int height = (int)c->sample.dim[0], width = (int)c->sample.dim[1];

    if (image->width == width && image->height == height) {
        memcpy(out, image->pixels, (size_t)shape_len(&c->sample));
        return 0;
    }
    if (!o->width)
        return err_set(err, ERR_USAGE,
                       "%s: has %dx%d pixels, %s has %dx%d; bring them to one size with "
                       "--size WIDTHxHEIGHT",
                       path, image->width, image->height, c->model, width, height);
    if (!c->mask)
        return image_resize(image, width, height, o->fit, out, err);
    image_resize_nearest(image, width, height, o->fit, out);
    return 0;
}

/* Masks of another size than their images would be stretched unlike them. */
static int check_size(const struct columns_slab *s, int64_t i, const struct image *image,
                      struct err *err) {
    const bool turned = image->orientation > 1 && !s->options->unturned;
    struct shown_size *shown = &s->shown[i];

    if (!s->column->mask) {
        if (s->column->list == 0)
            *shown = (struct shown_size){image->width, image->height, turned};
        return 0;
    }
    if (shown->width == image->width && shown->height == image->height)
        return 0;
    return err_set(err, ERR_DATA, "%s: has %dx%d pixels, its image has %dx%d%s", s->path[i],
                   image->width, image->height, shown->width, shown->height,
                   turned || shown->turned
                       ? ", turned as an orientation tag says; were masks drawn on images as they "
                         "are stored? --orientation ignore leaves both so"
                       : "");
}

static void decode(void *context, int64_t begin, int64_t end) {
    struct columns_slab *s = context;
    const size_t bytes = (size_t)shape_len(&s->column->sample);

    for (int64_t i = begin; i < end; i++) {
        struct image image = {0};

        s->errs[i] = (struct err){0};
        if (!read_column(s->column, s->options, s->path[i], &image, &s->seen[i], &s->errs[i]) &&
            !check_size(s, i, &image, &s->errs[i]))
            fit(s->column, s->options, s->path[i], &image, s->pixels + (size_t)i * bytes,
                &s->errs[i]);
        image_release(&image);
    }
}

/* Grey or colour, as the options say or the most are. */
static int choose_mode(struct import_column *c, const struct writing *w,
                       struct import_result *result, struct err *err) {
    struct import_votes votes = {0};

    c->mode = c->part == COLUMN_RIGHT ? w->columns[0].mode : w->options->mode;
    if (c->mask || c->mode != IMAGE_AS_STORED)
        return 0;
    for (int i = 0; i < w->set->n_splits; i++) {
        const struct file_list *files = &w->set->split[i].list[c->list];

        if (import_votes_add(&votes, files->path, files->n, w->team, err))
            return -1;
    }
    c->mode = import_votes_mode(&votes, strcmp(c->name, "images") ? c->name : NULL, result);
    return 0;
}

/* The first image decides the size. */
static int choose_sample(struct import_column *c, const struct file_set *set,
                         const struct import_options *o, struct err *err) {
    const char *path = set->split[0].list[c->list].path[0];
    struct image image = {0};
    struct import_seen seen;
    int status = read_column(c, o, path, &image, &seen, err);

    c->model = path;
    c->sample = (struct shape){c->mask ? 2 : 3,
                               {o->height ? o->height : image.height,
                                o->width ? o->width : image.width, c->mask ? 0 : image.channels}};
    image_release(&image);
    return status;
}

/* All files of one column in one split. */
static int write_column(struct writing *w, int number, const struct file_list *files,
                        struct err *err) {
    const struct import_column *c = &w->columns[number];
    struct columns_slab s = {.options = w->options, .column = c};
    int status = 0;

    if (slab_init(&s, shape_len(&c->sample), team_size(w->team), err))
        return -1;
    for (int64_t first = 0; first < files->n && !status; first += s.rows) {
        const int64_t left = files->n - first, n = left < s.rows ? left : s.rows;

        s.path = files->path + first;
        s.shown = w->shown + first;
        team_run(w->team, n, decode, &s);
        for (int64_t i = 0; i < n && !status; i++) {
            if (s.errs[i].kind) {
                *err = s.errs[i];
                status = -1;
            } else if (c->part != COLUMN_RIGHT) { /* of which the left was counted */
                import_facts_add(&w->facts, &s.seen[i], s.path[i]);
            }
        }
        if (!status)
            status = dataset_writer_add(w->writer, number, s.pixels, n, err);
        import_report(w->options, w->done += n, w->total);
    }
    slab_release(&s);
    return status;
}

static int write_split(struct writing *w, const struct file_split *split, struct err *err) {
    struct writer_field fields[DATASET_MAX_FIELDS];
    int status = 0;

    for (int i = 0; i < w->n; i++) {
        const struct import_column *c = &w->columns[i];
        fields[i] = (struct writer_field){.name = c->name,
                                          .kind = c->mask ? DATASET_CLASS : DATASET_BYTES,
                                          .sample = c->sample,
                                          .n_classes = c->n_classes,
                                          .unpaired = c->unpaired};
    }
    if (dataset_writer_fields(w->writer, split->name, fields, w->n, err))
        return -1;
    w->shown = calloc((size_t)(split->list[0].n + split->list[1].n), sizeof *w->shown);
    if (!w->shown)
        return err_set(err, ERR_IO, "%s: out of memory", split->name);
    for (int i = 0; i < w->n && !status; i++)
        status = write_column(w, i, &split->list[w->columns[i].list], err);
    free(w->shown);
    return status;
}

int import_columns(const struct file_set *set, struct import_column *columns, int n,
                   const struct import_options *options, struct team *team, const char *target,
                   struct import_result *result, struct err *err) {
    struct writing w = {.set = set, .columns = columns, .n = n, .options = options, .team = team};
    int status = 0;

    for (int i = 0; i < n; i++) {
        if (choose_mode(&columns[i], &w, result, err) ||
            choose_sample(&columns[i], set, options, err))
            return -1;
        for (int k = 0; k < set->n_splits; k++)
            w.total += set->split[k].list[columns[i].list].n;
    }
    if (dataset_writer_new(&w.writer, target, err))
        return -1;
    for (int i = 0; i < set->n_splits && !status; i++) {
        status = write_split(&w, &set->split[i], err);
        result->n_images += set->split[i].list[0].n;
        result->n_splits++;
    }
    if (!status)
        status = dataset_writer_finish(w.writer, NULL, 0, err);
    if (!status)
        import_facts_note(&w.facts, options, result);
    dataset_writer_free(w.writer);
    return status;
}
