/* Bytes as a picture: its size, the whole, and a piece of it; a piece must be what the whole has
 * there. The last bytes of the input say which piece. For libFuzzer, or any main that calls this.
 */
#include "io/image/image.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { N_CHOICES = 9, MOST_OUT = 40, MOST_AREA = 1 << 18 };

/* A piece of whole pixels in width x height, cut and then resized. */
static struct image_piece choose(const uint8_t choice[N_CHOICES], int width, int height) {
    struct image_piece p = {.out_width = 1 + choice[0] % MOST_OUT,
                            .out_height = 1 + choice[1] % MOST_OUT,
                            .mirrored = choice[2] & 1,
                            .reduced = choice[2] & 2};

    p.bound_width = 1 + choice[3] * (width - 1) / 255;
    p.bound_height = 1 + choice[4] * (height - 1) / 255;
    p.bound_left = choice[5] * (width - p.bound_width) / 255;
    p.bound_top = choice[6] * (height - p.bound_height) / 255;
    if (choice[2] & 4) {
        p.out_width = p.bound_width < MOST_OUT ? p.bound_width : MOST_OUT;
        p.out_height = p.bound_height < MOST_OUT ? p.bound_height : MOST_OUT;
        p.bound_width = p.out_width;
        p.bound_height = p.out_height;
    }
    p.left = p.bound_left;
    p.top = p.bound_top;
    p.width = p.bound_width;
    p.height = p.bound_height;
    return p;
}

/* What the piece must be. */
static void expect(const struct image *whole, const struct image_piece *p, unsigned char *out) {
    const size_t c = (size_t)whole->channels, row = (size_t)p->bound_width * c;
    struct image cut = {
        .width = p->bound_width, .height = p->bound_height, .channels = whole->channels};
    struct err err = {0};

    cut.pixels = malloc(row * (size_t)p->bound_height);
    for (int y = 0; cut.pixels && y < p->bound_height; y++)
        memcpy(cut.pixels + (size_t)y * row,
               whole->pixels +
                   ((size_t)(p->bound_top + y) * (size_t)whole->width + (size_t)p->bound_left) * c,
               row);
    if (!cut.pixels || image_resize(&cut, p->out_width, p->out_height, IMAGE_STRETCH, out, &err))
        abort();
    image_release(&cut);
}

static void compare(const struct image *whole, const struct image_piece *p,
                    const unsigned char *found) {
    const size_t c = (size_t)whole->channels, width = (size_t)p->out_width;
    unsigned char *out = malloc(width * (size_t)p->out_height * c);

    if (!out)
        abort();
    expect(whole, p, out);
    for (size_t y = 0; y < (size_t)p->out_height; y++)
        for (size_t x = 0; x < width; x++) {
            const size_t at = p->mirrored ? width - 1 - x : x;

            if (memcmp(found + (y * width + x) * c, out + (y * width + at) * c, c) != 0)
                abort();
        }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    uint8_t choice[N_CHOICES] = {0};
    struct image whole = {0};
    struct image_room room = {0};
    struct err err = {0};
    int width, height, channels;

    if (len > N_CHOICES)
        memcpy(choice, data + len - N_CHOICES, N_CHOICES);
    const enum image_mode mode = choice[2] & 8 ? IMAGE_GREY : IMAGE_COLOUR;
    if (image_size(data, len, "picture", &width, &height, &channels, &err) ||
        width > MOST_AREA / height)
        return 0;
    const bool good = !image_decode(data, len, "picture", mode, &whole, &err);
    const struct image_piece p =
        good ? choose(choice, whole.width, whole.height) : choose(choice, width, height);
    const size_t pixels = (size_t)p.out_width * (size_t)p.out_height;
    unsigned char *found = malloc(pixels * (mode == IMAGE_GREY ? 1 : 3));
    const int status =
        found ? image_decode_piece(data, len, "picture", mode, &p, &room, found, &err) : -1;

    if (good && status)
        abort();
    if (good && !p.reduced)
        compare(&whole, &p, found);
    free(found);
    image_room_release(&room);
    image_release(&whole);
    return 0;
}
