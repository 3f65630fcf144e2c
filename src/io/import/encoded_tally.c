#include "io/import/encoded_source.h"

/* So many pixels of 255 squared fit into 32 bits. */
enum { BLOCK = 1 << 16 };

/* The weights of ITU-R BT.601, as image.c makes grey of colours. */
static unsigned grey_of(const unsigned char *p) {
    return (299U * p[0] + 587U * p[1] + 114U * p[2] + 500U) / 1000U;
}

static void tally_block(struct encoded_tally *t, const unsigned char *pixels, int64_t n,
                        int channels) {
    uint32_t sum[4] = {0}, squares[4] = {0};

    for (int64_t i = 0; i < n; i++, pixels += channels) {
        const unsigned v[4] = {pixels[0], pixels[channels == 3], pixels[channels == 3 ? 2 : 0],
                               channels == 3 ? grey_of(pixels) : pixels[0]};

        for (int c = 0; c < 4; c++) {
            sum[c] += v[c];
            squares[c] += v[c] * v[c];
        }
    }
    for (int c = 0; c < 4; c++) {
        t->sum[c] += sum[c];
        t->squares[c] += squares[c];
    }
    t->n_pixels += (uint64_t)n;
}

void encoded_tally_pixels(struct encoded_tally *tally, const unsigned char *pixels, int64_t n,
                          int channels) {
    for (int64_t i = 0; i < n; i += BLOCK)
        tally_block(tally, pixels + i * channels, n - i < BLOCK ? n - i : BLOCK, channels);
}
