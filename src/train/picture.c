#include "train/picture.h"
#include "io/file/file.h"
#include "io/image/image.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, BACKGROUND = 64, SMALLEST_TILE = 64 };

/* One tensor of `show`, for all samples. */
struct shown {
    int64_t h, w, c;  /* c = 0: a class map */
    float *values;    /* [n, h, w, c] */
    double low, high; /* values of black and white */
};

struct canvas {
    int64_t tile_h, tile_w, across, down; /* pixels of a tile; tiles */
    int64_t zoom;
    unsigned char *pixels; /* red, green, blue */
};

static struct shown shown_of(const struct replica_picture *p, int k) {
    const struct shape *s = &p->graph->nodes[p->show[k]].plan.y;

    return (struct shown){.h = s->dim[1], .w = s->dim[2], .c = s->rank == 4 ? s->dim[3] : 0};
}

static int64_t shown_len(const struct shown *s) {
    return s->h * s->w * (s->c ? s->c : 1);
}

int picture_check(const struct replica_picture *p, struct err *err) {
    for (int k = 0; k < p->n_show; k++) {
        const struct node *node = &p->graph->nodes[p->show[k]];
        const struct shape *s = &node->plan.y;
        char text[SHAPE_TEXT];
        if (s->rank != 3 && !(s->rank == 4 && (s->dim[3] == 1 || s->dim[3] == 3)))
            return pos_error(err, node->pos,
                             "show: found a tensor %s, expected images [n, h, w, 1 or 3] or class "
                             "maps [n, h, w], as argmax(logits) gives",
                             shape_text(s, text));
    }
    return 0;
}

static void copy_values(const struct tensor *y, int64_t len, float *values) {
    for (int64_t i = 0; i < len; i++)
        values[i] = y->kind == TENSOR_INDICES ? (float)y->indices[i] : (float)y->data[i];
}

/* What the graph gives for n samples from number `first` on. */
static void compute(const struct replica_picture *p, const struct gallery *g, int64_t first,
                    int64_t n, struct shown *shown) {
    const struct run_context context = {.first = first};
    const int n_fields = loader_n_fields(g->loader);
    struct field fields[LOADER_MAX_FIELDS];

    feed_graph_fields(loader_field(g->loader, 0), n_fields, fields);
    feed_point(p->plan, fields, n_fields, &g->samples, first);
    run_resize(p->plan, n);
    run_forward(p->plan, &context);
    for (int k = 0; k < p->n_show; k++) {
        const int64_t len = shown_len(&shown[k]);
        copy_values(&p->plan->nodes[p->show[k]].call.y, n * len, shown[k].values + first * len);
    }
}

static void find_range(struct shown *s, const double range[2], int64_t len) {
    s->low = range[0], s->high = range[1];
    if (s->low < s->high)
        return;
    s->low = INFINITY, s->high = -INFINITY;
    for (int64_t i = 0; i < len; i++) {
        s->low = fmin(s->low, (double)s->values[i]);
        s->high = fmax(s->high, (double)s->values[i]);
    }
}

static unsigned char grey_of(const struct shown *s, float value) {
    const double v = ((double)value - s->low) / (s->high - s->low);

    return v >= 1 ? 255 : v > 0 ? (unsigned char)(255 * v + 0.5) : 0; /* nan is black */
}

/* The colours of PASCAL VOC: the bits of the class, three at a time, from the highest bit of red,
 * green and blue down. What has no class is white. */
static void colour_of(float class, unsigned char rgb[3]) {
    const unsigned number = class >= 0 && class < 1 << 24 ? (unsigned)class : 0;

    rgb[0] = rgb[1] = rgb[2] = class < 0 ? 255 : 0;
    for (unsigned bit = 0; bit < 24; bit++)
        if (number >> bit & 1)
            rgb[bit % 3] |= (unsigned char)(128u >> bit / 3);
}

static void pixel_of(const struct shown *s, const float *value, unsigned char rgb[3]) {
    if (!s->c)
        colour_of(*value, rgb);
    else
        for (int i = 0; i < 3; i++)
            rgb[i] = grey_of(s, value[s->c == 3 ? i : 0]);
}

static void draw_tile(const struct canvas *canvas, const struct shown *s, int64_t sample,
                      int64_t row, int64_t column) {
    const int64_t width = canvas->across * (canvas->tile_w + GAP) + GAP;
    const int64_t top = GAP + row * (canvas->tile_h + GAP);
    const int64_t left = GAP + column * (canvas->tile_w + GAP);
    const int64_t fit_h = canvas->tile_h / s->h, fit_w = canvas->tile_w / s->w;
    const int64_t zoom = fit_h < fit_w ? fit_h : fit_w;
    const int64_t c = s->c ? s->c : 1;

    for (int64_t y = 0; y < s->h * zoom; y++)
        for (int64_t x = 0; x < s->w * zoom; x++)
            pixel_of(s, s->values + ((sample * s->h + y / zoom) * s->w + x / zoom) * c,
                     canvas->pixels + 3 * ((top + y) * width + left + x));
}

/* Tiles as large as the largest tensor, and no smaller than can be seen; about as many rows as
 * columns unless the job says how many samples a row has. */
static struct canvas lay_out(const struct replica_picture *p, const struct shown *shown,
                             int64_t n) {
    struct canvas canvas = {.zoom = 1};
    int64_t columns = p->job->columns;

    for (int k = 0; k < p->n_show; k++) {
        canvas.tile_h = shown[k].h > canvas.tile_h ? shown[k].h : canvas.tile_h;
        canvas.tile_w = shown[k].w > canvas.tile_w ? shown[k].w : canvas.tile_w;
    }
    while (canvas.tile_h * canvas.zoom < SMALLEST_TILE &&
           canvas.tile_w * canvas.zoom < SMALLEST_TILE)
        canvas.zoom++;
    canvas.tile_h *= canvas.zoom;
    canvas.tile_w *= canvas.zoom;
    if (!columns)
        columns = (int64_t)ceil(sqrt((double)n / p->n_show));
    columns = columns > n ? n : columns;
    canvas.across = columns * p->n_show;
    canvas.down = (n + columns - 1) / columns;
    return canvas;
}

static int draw(const struct replica_picture *p, const struct shown *shown, int64_t n,
                const char *file, struct err *err) {
    struct canvas canvas = lay_out(p, shown, n);
    const int64_t width = canvas.across * (canvas.tile_w + GAP) + GAP;
    const int64_t height = canvas.down * (canvas.tile_h + GAP) + GAP;
    const int64_t columns = canvas.across / p->n_show;

    if (width > 1 << 16 || height > 1 << 16)
        return err_set(err, ERR_IO, "%s: would be %lld x %lld pixels; a smaller count may help",
                       file, (long long)width, (long long)height);
    canvas.pixels = malloc(3 * (size_t)(width * height));
    if (!canvas.pixels)
        return err_set(err, ERR_IO, "%s: no memory for %lld x %lld pixels", file, (long long)width,
                       (long long)height);
    memset(canvas.pixels, BACKGROUND, 3 * (size_t)(width * height));
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < p->n_show; k++)
            draw_tile(&canvas, &shown[k], i, i / columns, i % columns * p->n_show + k);
    const int rc = image_write_png(file, (int)width, (int)height, 3, canvas.pixels, err);
    free(canvas.pixels);
    return rc;
}

static int write_picture(const struct replica_picture *p, const struct gallery *g, const char *file,
                         struct err *err) {
    const int64_t n = g->samples.n < p->job->count ? g->samples.n : p->job->count;
    struct shown *shown = calloc((size_t)p->n_show, sizeof *shown);
    int rc = shown ? 0 : err_set(err, ERR_IO, "%s: no memory", file);

    for (int k = 0; !rc && k < p->n_show; k++) {
        shown[k] = shown_of(p, k);
        shown[k].values = malloc((size_t)(n * shown_len(&shown[k])) * sizeof(float));
        if (!shown[k].values)
            rc = err_set(err, ERR_IO, "%s: no memory for %lld samples", file, (long long)n);
    }
    for (int64_t first = 0; !rc && first < n; first += p->graph->batch) {
        const int64_t left = n - first;
        compute(p, g, first, left < p->graph->batch ? left : p->graph->batch, shown);
    }
    for (int k = 0; !rc && k < p->n_show; k++)
        find_range(&shown[k], p->job->range, n * shown_len(&shown[k]));
    if (!rc)
        rc = draw(p, shown, n, file, err);
    for (int k = 0; shown && k < p->n_show; k++)
        free(shown[k].values);
    free(shown);
    return rc;
}

/* Samples that the largest picture needs, if there are so many. */
static int64_t most_samples(const struct job *job, const struct dataset *ds) {
    int64_t n = 0;

    for (int i = 0; i < job->n_pictures; i++)
        n = job->picture[i].count > n ? job->picture[i].count : n;
    return n < dataset_len(ds) ? n : dataset_len(ds);
}

int gallery_init(struct gallery *g, const struct job *job, const struct feeds *feeds,
                 struct err *err) {
    const int64_t n = most_samples(job, feeds->validate.dataset);
    const struct loader_config config = {.dataset = feeds->validate.dataset,
                                         .pipeline = job->augment,
                                         .n_pipeline = job->n_augment,
                                         .seed = job->seed,
                                         .max_batch = n};
    struct pool pool = {0};
    int64_t *first = pool_take(&pool, (size_t)n * sizeof *first);
    int rc = loader_new(&g->loader, &config, err);

    for (int64_t i = 0; i < n; i++)
        first[i] = i;
    if (!rc) {
        loader_request(g->loader, first, NULL, n, 0);
        rc = loader_wait(g->loader, &g->samples, err);
    }
    pool_release(&pool);
    return rc;
}

void gallery_release(struct gallery *g) {
    loader_free(g->loader);
    *g = (struct gallery){0};
}

int gallery_draw(const struct gallery *g, const struct replica *r, const char *folder, int64_t step,
                 struct err *err) {
    char file[1024];

    if (!g->loader)
        return 0;
    if (file_make_folders(folder, err))
        return -1;
    for (int i = 0; i < r->n_pictures; i++) {
        const struct replica_picture *p = &r->picture[i];
        snprintf(file, sizeof file, "%s/%s_%08" PRId64 ".png", folder, p->job->name, step);
        if (write_picture(p, g, file, err))
            return -1;
    }
    return 0;
}
