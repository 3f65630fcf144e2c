/* Lines are drawn several times as large and made smaller, which smooths them; letters, which have
 * one size, are drawn last. */
#include "report/plot.h"
#include "io/file/file.h"

#include <gd.h>
#include <gdfontg.h>
#include <gdfontl.h>
#include <gdfontmb.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    FINE = 4,     /* as many times as large lines are drawn */
    LARGE = 1400, /* pixels: from there on letters are of twice the size */
    LABEL = 64
};

static const int BLACK = 0x22262b, GREY = 0x6b7280, PALE = 0xe5e7eb, WHITE = 0xffffff;
static const int colours[] = {0x2563eb, 0xea7317, 0x17915c, 0x9ca3af};

/* Where a panel is, in places. */
struct plot_frame {
    const struct plot *plot;
    const struct plot_panel *panel;
    int left, right, top, bottom;
};

/* The picture as it becomes. */
struct plot_canvas {
    gdImagePtr fine, image;
    gdFontPtr font, bold;
    int unit;  /* the width of a letter, in which all places are given */
    int scale; /* pixels of the picture for one of them */
};

static double x_at(const struct plot_frame *f, double x) {
    const double first = log2(f->plot->x[0]), last = log2(f->plot->x[f->plot->n - 1]);
    const double share = last > first ? (log2(x) - first) / (last - first) : 0.5;

    return f->left + share * (f->right - f->left);
}

/* The largest y of the axis. */
static double top_of(const struct plot_frame *f) {
    double most = f->panel->max_y;

    for (int i = 0; i < f->panel->n_curves && f->panel->log; i++)
        for (int k = 0; k < f->plot->n; k++)
            most = fmax(most, f->panel->curve[i].y[k]);
    return f->panel->log ? exp2(ceil(log2(most > 2 ? most : 2))) : most;
}

/* The least: of a logarithmic one 1, or less where a curve is below it. */
static double bottom_of(const struct plot_frame *f) {
    double least = f->panel->log ? 1 : 0;

    for (int i = 0; i < f->panel->n_curves && f->panel->log; i++)
        for (int k = 0; k < f->plot->n; k++)
            least = fmin(least, fmax(f->panel->curve[i].y[k], 0x1p-10));
    return f->panel->log ? exp2(floor(log2(least))) : least;
}

static double y_at(const struct plot_frame *f, double y) {
    const double top = top_of(f), bottom = bottom_of(f);
    const double share =
        f->panel->log ? log2(fmax(y, bottom) / bottom) / log2(top / bottom) : y / top;

    return f->bottom - fmin(fmax(share, 0), 1) * (f->bottom - f->top);
}

/* Pixels of the fine picture for one place. */
static double fine_of(const struct plot_canvas *c) {
    return FINE * c->scale;
}

static void line(const struct plot_canvas *c, double x0, double y0, double x1, double y1,
                 double width, int colour) {
    const double fine = fine_of(c);

    gdImageSetThickness(c->fine, (int)(width * fine + 0.5));
    gdImageLine(c->fine, (int)(x0 * fine), (int)(y0 * fine), (int)(x1 * fine), (int)(y1 * fine),
                colour);
}

static void dot(const struct plot_canvas *c, double x, double y, double size, int colour) {
    const double fine = fine_of(c);

    gdImageFilledEllipse(c->fine, (int)(x * fine), (int)(y * fine), (int)(size * fine),
                         (int)(size * fine), colour);
}

/* A thick line ends in halves of dots, so that corners are round. */
static void stroke(const struct plot_canvas *c, double x0, double y0, double x1, double y1,
                   double width, bool dashed, int colour) {
    const double len = hypot(x1 - x0, y1 - y0), dash = dashed ? 4 * width : len;

    for (double at = 0; at < len; at += dash + (dashed ? 3 * width : 1)) {
        const double a = at / len, b = fmin(at + dash, len) / len;
        line(c, x0 + a * (x1 - x0), y0 + a * (y1 - y0), x0 + b * (x1 - x0), y0 + b * (y1 - y0),
             width, colour);
        dot(c, x0 + a * (x1 - x0), y0 + a * (y1 - y0), width, colour);
        dot(c, x0 + b * (x1 - x0), y0 + b * (y1 - y0), width, colour);
    }
}

/* Text whose point (x, y) is at that share of its width, and in the middle of its height. Letters
 * have one size: larger ones are those with each pixel several times. */
static void text(const struct plot_canvas *c, gdFontPtr font, double x, double y, double share,
                 const char *what, int colour) {
    char copy[LABEL * 4];

    snprintf(copy, sizeof copy, "%s", what);
    const int width = font->w * (int)strlen(copy), height = font->h;
    const int left = (int)((x - share * width) * c->scale);
    const int top = (int)((y - height / 2.0) * c->scale);
    gdImagePtr small = width ? gdImageCreateTrueColor(width, height) : NULL;
    if (!small)
        return;
    gdImageCopyResized(small, c->image, 0, 0, left, top, width, height, width * c->scale,
                       height * c->scale);
    gdImageString(small, font, 0, 0, (unsigned char *)copy, colour);
    gdImageCopyResized(c->image, small, left, top, 0, 0, width * c->scale, height * c->scale, width,
                       height);
    gdImageDestroy(small);
}

/* "512", "2k", "1M". */
static const char *short_number(double v, const char *unit, char out[LABEL]) {
    if (v >= 1048576)
        snprintf(out, LABEL, "%.4gM%s", v / 1048576, unit);
    else if (v >= 1024 && fmod(v, 1024) == 0)
        snprintf(out, LABEL, "%.4gk%s", v / 1024, unit);
    else
        snprintf(out, LABEL, "%.4g%s", v, unit);
    return out;
}

/* Powers of two between first and last, or some of them where they are many. */
static double power_step(double first, double last, double room, double needed) {
    const double steps = log2(last / first), fit = fmax(1, floor(room / needed));

    return exp2(ceil(fmax(1, steps / fit)));
}

static void draw_grid(const struct plot_canvas *c, const struct plot_frame *f, bool lettered) {
    const double begin = f->plot->x[0], last = f->plot->x[f->plot->n - 1];
    const double first = f->plot->tens ? pow(10, ceil(log10(begin))) : exp2(ceil(log2(begin)));
    const double step =
        f->plot->tens ? 10 : power_step(first, last, f->right - f->left, 6 * c->unit);
    const double y_step = f->panel->log
                              ? power_step(bottom_of(f), top_of(f), f->bottom - f->top, 3 * c->unit)
                              : top_of(f) / 5;
    const char *unit = f->panel->unit ? f->panel->unit : "";
    char label[LABEL];

    for (double x = first; x <= last; x *= step)
        if (lettered)
            text(c, c->font, x_at(f, x), f->bottom + 1.4 * c->unit, 0.5, short_number(x, "", label),
                 GREY);
        else
            line(c, x_at(f, x), f->top, x_at(f, x), f->bottom, 1, PALE);
    for (double y = bottom_of(f); y <= 1.0001 * top_of(f);
         y = f->panel->log ? y * y_step : y + y_step)
        if (lettered)
            text(c, c->font, f->left - 0.8 * c->unit, y_at(f, y), 1, short_number(y, unit, label),
                 GREY);
        else
            line(c, f->left, y_at(f, y), f->right, y_at(f, y), 1, PALE);
}

static void draw_curve(const struct plot_canvas *c, const struct plot_frame *f,
                       const struct plot_curve *v) {
    const double width = c->unit / (v->dashed ? 5.0 : 3.2);
    const int colour = colours[v->colour];

    for (int i = 0; i < f->plot->n; i++) {
        const double x = x_at(f, f->plot->x[i]), y = y_at(f, v->y[i]);
        if (isnan(v->y[i]))
            continue;
        if (i > 0 && !isnan(v->y[i - 1]))
            stroke(c, x_at(f, f->plot->x[i - 1]), y_at(f, v->y[i - 1]), x, y, width, v->dashed,
                   colour);
        if (v->marked) {
            dot(c, x, y, 1.15 * c->unit, WHITE);
            dot(c, x, y, 0.85 * c->unit, colour);
        }
    }
}

/* The legend, above the panel: a piece of each curve, and its name. */
static void draw_legend(const struct plot_canvas *c, const struct plot_frame *f, bool lettered) {
    const double y = f->top - 1.9 * c->unit;
    double x = f->left;

    for (int i = 0; i < f->panel->n_curves; i++) {
        const struct plot_curve *v = &f->panel->curve[i];
        if (lettered)
            text(c, c->font, x + 4 * c->unit, y, 0, v->name, GREY);
        else {
            stroke(c, x, y, x + 3 * c->unit, y, c->unit / (v->dashed ? 5.0 : 3.2), v->dashed,
                   colours[v->colour]);
            if (v->marked)
                dot(c, x + 1.5 * c->unit, y, 0.85 * c->unit, colours[v->colour]);
        }
        x += (6.5 + (double)strlen(v->name)) * c->unit;
    }
}

/* Twice: lines first, letters once the picture has its size. */
static void draw_panel(const struct plot_canvas *c, const struct plot_frame *f, bool lettered) {
    draw_grid(c, f, lettered);
    if (lettered) {
        text(c, c->bold, f->left, f->top - 4.1 * c->unit, 0, f->panel->y_label, BLACK);
        text(c, c->font, (f->left + f->right) / 2.0, f->bottom + 3.6 * c->unit, 0.5,
             f->plot->x_label, BLACK);
    } else {
        line(c, f->left, f->bottom, f->right, f->bottom, 1.2, GREY);
        for (int i = 0; i < f->panel->n_curves; i++)
            draw_curve(c, f, &f->panel->curve[i]);
    }
    draw_legend(c, f, lettered);
}

static void draw(const struct plot_canvas *c, const struct plot *p, int height, bool lettered) {
    const int margin = 2 * c->unit, axis = 6 * c->unit, top = 11 * c->unit;
    const int each = (p->width / c->scale - 2 * margin) / p->n_panels;

    for (int i = 0; i < p->n_panels; i++) {
        const struct plot_frame f = {.plot = p,
                                     .panel = &p->panel[i],
                                     .left = margin + i * each + axis,
                                     .right = margin + (i + 1) * each - c->unit,
                                     .top = top,
                                     .bottom = height - 6 * c->unit};
        draw_panel(c, &f, lettered);
    }
    if (lettered) {
        text(c, c->bold, margin, 2.2 * c->unit, 0, p->title, BLACK);
        text(c, c->font, margin, 4.4 * c->unit, 0, p->subtitle, GREY);
    }
}

static int write_png(gdImagePtr image, const char *path, struct err *err) {
    int len = 0;
    void *bytes = gdImagePngPtr(image, &len);
    const int rc = bytes ? file_replace(path, bytes, (size_t)len, err)
                         : err_set(err, ERR_IO, "%s: no memory for a picture", path);

    gdFree(bytes);
    return rc;
}

int plot_write(const struct plot *p, const char *path, struct err *err) {
    const bool small = p->width < 800;
    const int scale = p->width >= LARGE ? 2 : 1;
    const int height = p->width * (p->n_panels > 1 ? 48 : 75) / 100;
    struct plot_canvas c = {.fine = gdImageCreateTrueColor(FINE * p->width, FINE * height),
                            .image = gdImageCreateTrueColor(p->width, height),
                            .font = small ? gdFontGetMediumBold() : gdFontGetLarge(),
                            .bold = small ? gdFontGetMediumBold() : gdFontGetGiant(),
                            .scale = scale};
    int rc = -1;

    if (c.fine && c.image) {
        c.unit = c.font->w;
        gdImageFilledRectangle(c.fine, 0, 0, FINE * p->width, FINE * height, WHITE);
        draw(&c, p, height / scale, false);
        gdImageCopyResampled(c.image, c.fine, 0, 0, 0, 0, p->width, height, FINE * p->width,
                             FINE * height);
        draw(&c, p, height / scale, true);
        rc = write_png(c.image, path, err);
    } else {
        err_set(err, ERR_IO, "%s: no memory for a picture of %d x %d", path, p->width, height);
    }
    if (c.fine)
        gdImageDestroy(c.fine);
    if (c.image)
        gdImageDestroy(c.image);
    return rc;
}
