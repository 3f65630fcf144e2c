#include "io/image/grid.h"
#include "io/image/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, BACKGROUND = 64, SMALLEST_TILE = 64 };

struct canvas {
    int64_t tile_h, tile_w, across, down; /* pixels of a tile; tiles */
    int64_t zoom;
    unsigned char *pixels; /* red, green, blue */
};

int64_t grid_tile_len(const struct grid_tile *t) {
    return t->h * t->w * (t->c ? t->c : 1);
}

void grid_find_range(struct grid_tile *t, int64_t n) {
    t->low = INFINITY, t->high = -INFINITY;
    for (int64_t i = 0; i < n * grid_tile_len(t); i++) {
        t->low = fmin(t->low, (double)t->values[i]);
        t->high = fmax(t->high, (double)t->values[i]);
    }
}

static unsigned char grey_of(const struct grid_tile *s, float value) {
    const double v = ((double)value - s->low) / (s->high - s->low);

    return v >= 1 ? 255 : v > 0 ? (unsigned char)(255 * v + 0.5) : 0; /* nan is black */
}

/* The colours of PASCAL VOC: the bits of the class, three at a time, from the highest bit of red,
 * green and blue down. What has no class is white. */
void grid_class_colour(int64_t class, unsigned char rgb[3]) {
    const unsigned number = class >= 0 && class < 1 << 24 ? (unsigned)class : 0;

    rgb[0] = rgb[1] = rgb[2] = class < 0 ? 255 : 0;
    for (unsigned bit = 0; bit < 24; bit++)
        if (number >> bit & 1)
            rgb[bit % 3] |= (unsigned char)(128u >> bit / 3);
}

static void pixel_of(const struct grid_tile *s, const float *value, unsigned char rgb[3]) {
    if (!s->c)
        grid_class_colour(*value < 0 ? -1 : (int64_t)*value, rgb);
    else
        for (int i = 0; i < 3; i++)
            rgb[i] = grey_of(s, value[s->c == 3 ? i : 0]);
}

static void draw_tile(const struct canvas *canvas, const struct grid_tile *s, int64_t sample,
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
    const struct mark_canvas marked = {
        canvas->pixels,    width,        left,        top, left + s->w * zoom,
        top + s->h * zoom, (double)zoom, (double)zoom};
    for (int i = 0; i < s->n_marks; i++)
        marks_draw(&s->marks[i], sample, &marked);
}

/* Tiles as large as the largest tensor, and no smaller than can be seen; about as many rows as
 * columns unless it is said how many samples a row has. */
static struct canvas lay_out(const struct grid_tile *tile, int n_tiles, int64_t n,
                             int64_t columns) {
    struct canvas canvas = {.zoom = 1};

    for (int k = 0; k < n_tiles; k++) {
        canvas.tile_h = tile[k].h > canvas.tile_h ? tile[k].h : canvas.tile_h;
        canvas.tile_w = tile[k].w > canvas.tile_w ? tile[k].w : canvas.tile_w;
    }
    while (canvas.tile_h * canvas.zoom < SMALLEST_TILE &&
           canvas.tile_w * canvas.zoom < SMALLEST_TILE)
        canvas.zoom++;
    canvas.tile_h *= canvas.zoom;
    canvas.tile_w *= canvas.zoom;
    if (!columns)
        columns = (int64_t)ceil(sqrt((double)n / n_tiles));
    columns = columns > n ? n : columns;
    canvas.across = columns * n_tiles;
    canvas.down = (n + columns - 1) / columns;
    return canvas;
}

int grid_write(const char *file, const struct grid_tile *tile, int n_tiles, int64_t n,
               int64_t columns, struct err *err) {
    struct canvas canvas = lay_out(tile, n_tiles, n, columns);
    const int64_t width = canvas.across * (canvas.tile_w + GAP) + GAP;
    const int64_t height = canvas.down * (canvas.tile_h + GAP) + GAP;

    columns = canvas.across / n_tiles;
    if (width > 1 << 16 || height > 1 << 16)
        return err_set(err, ERR_IO, "%s: would be %lld x %lld pixels; a smaller count may help",
                       file, (long long)width, (long long)height);
    canvas.pixels = malloc(3 * (size_t)(width * height));
    if (!canvas.pixels)
        return err_set(err, ERR_IO, "%s: no memory for %lld x %lld pixels", file, (long long)width,
                       (long long)height);
    memset(canvas.pixels, BACKGROUND, 3 * (size_t)(width * height));
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < n_tiles; k++)
            draw_tile(&canvas, &tile[k], i, i / columns, i % columns * n_tiles + k);
    const int rc = image_write_png(file, (int)width, (int)height, 3, canvas.pixels, err);
    free(canvas.pixels);
    return rc;
}
