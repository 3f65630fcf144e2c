#include "io/image/mark.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { GLYPH_W = 3, GLYPH_H = 5, ADVANCE = 4, DASH = 4, MARK_LABEL = 64 };

/* From ' ' to '`', then '{' to '~': five rows of three squares, an octal digit each, 4 the left. */
static const char *const glyphs[] = {
    "00000", "22202", "55000", "57575", "36236", "51245", "25253", "22000", "12221", "42224",
    "05250", "02720", "00024", "00700", "00002", "11244", "75557", "26227", "71747", "71317",
    "55711", "74717", "74757", "71122", "75757", "75717", "02020", "02024", "12421", "07070",
    "42124", "71202", "25543", "25755", "65656", "34443", "65556", "74647", "74644", "34553",
    "55755", "72227", "11152", "55655", "44447", "57755", "65555", "25552", "65644", "25573",
    "65655", "34216", "72222", "55557", "55552", "55775", "55255", "55222", "71247", "64446",
    "44211", "31113", "25000", "00007", "42000", "32623", "22222", "62326", "03600"};

static const char *glyph_of(unsigned char c) {
    if (c >= 'a' && c <= 'z')
        c = (unsigned char)(c - 'a' + 'A');
    return c < ' ' || c > '~' ? "77777" : glyphs[c < '{' ? c - ' ' : c - '{' + '`' + 1 - ' '];
}

/* Fill [left, right) x [top, bottom), as far as it lies in the picture. */
static void fill(const struct mark_canvas *c, int64_t left, int64_t top, int64_t right,
                 int64_t bottom, const unsigned char rgb[3]) {
    left = left > c->left ? left : c->left;
    top = top > c->top ? top : c->top;
    right = right < c->right ? right : c->right;
    bottom = bottom < c->bottom ? bottom : c->bottom;
    for (int64_t y = top; y < bottom; y++)
        for (int64_t x = left; x < right; x++)
            memcpy(c->pixels + 3 * (y * c->width + x), rgb, 3);
}

void mark_text(const struct mark_canvas *c, int64_t left, int64_t top, int64_t size,
               const char *text, const unsigned char rgb[3]) {
    for (; *text; text++, left += ADVANCE * size) {
        const char *rows = glyph_of((unsigned char)*text);

        while ((text[1] & 0xc0) == 0x80) /* the rest of a letter of UTF-8 */
            text++;
        for (int64_t y = 0; y < GLYPH_H; y++)
            for (int64_t x = 0; x < GLYPH_W; x++)
                if ((rows[y] - '0') >> (GLYPH_W - 1 - x) & 1)
                    fill(c, left + x * size, top + y * size, left + (x + 1) * size,
                         top + (y + 1) * size, rgb);
    }
}

/* Hues at the golden section: the next class is far from all before it. */
void mark_colour(int64_t class, unsigned char rgb[3]) {
    const double hue = fmod((double)class * 0.6180339887498949 + 1.0 / 3, 1) * 6;

    if (class < 0) {
        rgb[0] = rgb[1] = rgb[2] = 170;
        return;
    }
    for (int i = 0; i < 3; i++) {
        const double from = fabs(fmod(hue - 2 * i + 9, 6) - 3); /* of the hue i, 0 to 3 */
        rgb[i] = (unsigned char)(255 * fmin(1, fmax(0, 2 - from)) + 0.5);
    }
}

/* Where one row is, in pixels of the canvas. */
struct marked {
    int64_t left, top, right, bottom;
    int64_t class;
    unsigned char rgb[3];
};

static bool place_of(const struct marks *m, const struct mark_canvas *c, const float *row,
                     struct marked *p) {
    const double limit = 1 << 24;

    for (int i = 0; i < (int)m->kind; i++)
        if (!isfinite(row[i]))
            return false;
    if (!(row[2] > row[0]) || !(row[3] > row[1]))
        return false;
    p->class = m->kind == MARK_REGION ? -1 : (int64_t)fmin((double)row[4], limit);
    if (m->kind != MARK_REGION && row[4] < 0)
        return false;
    if (m->kind == MARK_FOUND && (double)row[5] < m->least)
        return false;
    double at[4];
    for (int i = 0; i < 4; i++)
        at[i] =
            fmin(limit, fmax(-limit, round((double)row[i] * (i % 2 ? c->scale_y : c->scale_x))));
    p->left = c->left + (int64_t)at[0], p->top = c->top + (int64_t)at[1];
    p->right = c->left + (int64_t)at[2], p->bottom = c->top + (int64_t)at[3];
    mark_colour(p->class, p->rgb);
    return true;
}

static void draw_mask(const struct marks *m, const struct mark_canvas *c, const float *mask,
                      const struct marked *p) {
    const bool whole = m->mask_h == m->picture_h && m->mask_w == m->picture_w;
    const double left = (double)(whole ? c->left : p->left),
                 top = (double)(whole ? c->top : p->top);
    const double width = (double)((whole ? c->right : p->right)) - left;
    const double height = (double)((whole ? c->bottom : p->bottom)) - top;

    for (int64_t y = c->top; y < c->bottom; y++)
        for (int64_t x = c->left; x < c->right; x++) {
            const double v = ((double)y + 0.5 - top) / height, u = ((double)x + 0.5 - left) / width;
            if (u < 0 || u >= 1 || v < 0 || v >= 1)
                continue;
            const int64_t row = (int64_t)(v * (double)m->mask_h);
            if (!(mask[row * m->mask_w + (int64_t)(u * (double)m->mask_w)] >= 0.5F))
                continue;
            unsigned char *to = c->pixels + 3 * (y * c->width + x);
            for (int i = 0; i < 3; i++)
                to[i] = (unsigned char)((to[i] + p->rgb[i]) / 2);
        }
}

/* One side of a box, dash by dash: `step` pixels drawn and as many not; 0: all of it. */
static void draw_side(const struct mark_canvas *c, int64_t left, int64_t top, int64_t right,
                      int64_t bottom, int64_t step, const unsigned char rgb[3]) {
    const bool across = right - left > bottom - top;

    if (!step) {
        fill(c, left, top, right, bottom, rgb);
        return;
    }
    /* Far outside there is nothing to draw dash by dash. */
    for (int64_t at = across ? left : top; at < (across ? right : bottom); at += 2 * step) {
        const int64_t end = at + step;
        if (across && end > c->left && at < c->right)
            fill(c, at, top, end < right ? end : right, bottom, rgb);
        if (!across && end > c->top && at < c->bottom)
            fill(c, left, at, right, end < bottom ? end : bottom, rgb);
    }
}

static void draw_frame(const struct marks *m, const struct mark_canvas *c, const struct marked *p,
                       int64_t thick) {
    const int64_t step = m->kind == MARK_TRUTH ? DASH * thick : 0;

    draw_side(c, p->left, p->top, p->right, p->top + thick, step, p->rgb);
    draw_side(c, p->left, p->bottom - thick, p->right, p->bottom, step, p->rgb);
    draw_side(c, p->left, p->top, p->left + thick, p->bottom, step, p->rgb);
    draw_side(c, p->right - thick, p->top, p->right, p->bottom, step, p->rgb);
}

/* Above the box, or in it where it touches the upper edge; within the picture. */
static void draw_label(const struct marks *m, const struct mark_canvas *c, const float *row,
                       const struct marked *p, int64_t size) {
    static const unsigned char black[3] = {0, 0, 0}, white[3] = {255, 255, 255};
    char label[MARK_LABEL], number[MARK_NUMBER];
    const char *name = number;

    snprintf(number, sizeof number, "%lld", (long long)p->class);
    if (m->name)
        name = m->name(m->context, (int)p->class, number);
    if (m->kind == MARK_FOUND)
        snprintf(label, sizeof label, "%.48s %.2f", name, (double)row[5]);
    else
        snprintf(label, sizeof label, "%.60s", name);
    int64_t letters = 0;
    for (const char *s = label; *s; s++)
        letters += (*s & 0xc0) != 0x80;
    const int64_t width = (ADVANCE * letters + 1) * size, height = (GLYPH_H + 2) * size;
    int64_t left = p->left, top = p->top - height;
    if (left + width > c->right)
        left = c->right - width;
    if (left < c->left)
        left = c->left;
    if (top < c->top)
        top = p->top > c->top ? p->top : c->top;
    fill(c, left, top, left + width, top + height, p->rgb);
    const int light = 3 * p->rgb[0] + 6 * p->rgb[1] + p->rgb[2]; /* of 2550 */
    mark_text(c, left + size, top + size, size, label, light > 1275 ? black : white);
}

void marks_draw(const struct marks *m, int64_t sample, const struct mark_canvas *c) {
    const int64_t w = c->right - c->left, h = c->bottom - c->top, least = w < h ? w : h;
    const int64_t size = 1 + least / 256, thick = 1 + least / 400;
    const float *rows = m->rows + sample * m->count * (int64_t)m->kind;
    struct marked p;

    if (m->masks)
        for (int64_t i = m->count - 1; i >= 0; i--)
            if (place_of(m, c, rows + i * (int64_t)m->kind, &p))
                draw_mask(m, c, m->masks + (sample * m->count + i) * m->mask_h * m->mask_w, &p);
    for (int64_t i = m->count - 1; i >= 0; i--) {
        const float *row = rows + i * (int64_t)m->kind;
        if (!place_of(m, c, row, &p))
            continue;
        draw_frame(m, c, &p, thick);
        if (m->kind != MARK_REGION)
            draw_label(m, c, row, &p, size);
    }
}
