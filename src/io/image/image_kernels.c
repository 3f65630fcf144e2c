/* The innermost loops of resizing, plain and with AVX2, which does the same arithmetic modulo 2^32:
 * bits are the same. */
#include "io/image/image_resample.h"

#include <string.h>

enum { HALF = 1 << (IMAGE_WEIGHT_BITS - 1), STRETCH = 64 };

/* Weights are rounded, so that they may add up to a little more than 1. */
static inline unsigned char rounded(uint32_t sum) {
    const uint32_t v = sum >> IMAGE_WEIGHT_BITS;

    return (unsigned char)(v > 255 ? 255 : v);
}

static inline void row_across(const unsigned char *row, int channels, const struct image_taps *t,
                              int n, unsigned char *to) {
    for (int i = 0; i < n; i++, to += channels) {
        const unsigned char *from = row + (ptrdiff_t)t->first[i] * channels;
        const int32_t *weight = t->weight + (size_t)i * (size_t)t->room;

        for (int c = 0; c < channels; c++) {
            uint32_t sum = HALF;

            for (int k = 0; k < t->n[i]; k++)
                sum += (uint32_t)weight[k] * from[k * channels + c];
            to[c] = rounded(sum);
        }
    }
}

static void across_plain(const unsigned char *const row[4], int channels,
                         const struct image_taps *t, int n, unsigned char *const to[4]) {
    for (int k = 0; k < 4; k++)
        if (channels == 1)
            row_across(row[k], 1, t, n, to[k]);
        else
            row_across(row[k], 3, t, n, to[k]);
}

/* A stretch of sums stays in registers. */
static inline void stretch_down(const unsigned char *rows, size_t stride, const int32_t *weight,
                                int n_rows, size_t len, unsigned char *to) {
    uint32_t sum[STRETCH];

    for (size_t x = 0; x < len; x++)
        sum[x] = HALF;
    for (int k = 0; k < n_rows; k++, rows += stride)
        for (size_t x = 0; x < len; x++)
            sum[x] += (uint32_t)weight[k] * rows[x];
    for (size_t x = 0; x < len; x++)
        to[x] = rounded(sum[x]);
}

static inline void row_down(const unsigned char *rows, size_t stride, const int32_t *weight,
                            int n_rows, size_t len, unsigned char *to) {
    size_t x = 0;

    for (; x + STRETCH <= len; x += STRETCH)
        stretch_down(rows + x, stride, weight, n_rows, STRETCH, to + x);
    stretch_down(rows + x, stride, weight, n_rows, len - x, to + x);
}

static void down_plain(const unsigned char *rows, size_t stride, const int32_t *weight, int n_rows,
                       size_t len, unsigned char *to) {
    row_down(rows, stride, weight, n_rows, len, to);
}

const struct image_kernels image_kernels_plain = {across_plain, down_plain};

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* A weight has up to 23 bits, a factor of vpmaddwd 15: it is cut in two, and so are the sums. */
enum { LOW_BITS = 15, LOW_MASK = (1 << LOW_BITS) - 1 };

/* Four weights as [4 low parts, 4 high parts] in both halves. */
AVX2 static inline __m256i cut_weights(const int32_t *weight) {
    const __m128i w = _mm_loadu_si128((const __m128i *)(const void *)weight);
    const __m128i low = _mm_and_si128(w, _mm_set1_epi32(LOW_MASK));

    return _mm256_broadcastsi128_si256(_mm_packs_epi32(low, _mm_srli_epi32(w, LOW_BITS)));
}

AVX2 static inline __m256i load_twice(const unsigned char *from) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)from));
}

/* Sums of two rows, one in each half, from those of even and odd pairs of taps in the halves. */
AVX2 static inline __m256i join_2(const __m256i low[2], const __m256i high[2]) {
    const __m256i a = _mm256_add_epi32(low[0], _mm256_slli_epi32(high[0], LOW_BITS));
    const __m256i b = _mm256_add_epi32(low[1], _mm256_slli_epi32(high[1], LOW_BITS));
    const __m256i sum = _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                                         _mm256_permute2x128_si256(a, b, 0x31));

    return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)), IMAGE_WEIGHT_BITS);
}

/* Red, green, blue of one output of four rows. */
AVX2 static inline void store_4(const __m256i low[4], const __m256i high[4],
                                unsigned char *const to[4], size_t at) {
    const __m256i words = _mm256_packs_epi32(join_2(low, high), join_2(low + 2, high + 2));
    const __m256i bytes = _mm256_packus_epi16(words, words); /* rows 0, 2; 1, 3 */
    const __m128i even = _mm256_castsi256_si128(bytes), odd = _mm256_extracti128_si256(bytes, 1);

    _mm_storeu_si32(to[0] + at, even);
    _mm_storeu_si32(to[1] + at, odd);
    _mm_storeu_si32(to[2] + at, _mm_srli_epi64(even, 32));
    _mm_storeu_si32(to[3] + at, _mm_srli_epi64(odd, 32));
}

/* Greys of one output of four rows, from the sums of two pairs of taps of each row. */
AVX2 static inline void store_4_greys(__m256i low, __m256i high, unsigned char *const to[4],
                                      size_t at) {
    const __m256i both = _mm256_add_epi32(low, _mm256_slli_epi32(high, LOW_BITS));
    const __m256i sum = _mm256_add_epi32(both, _mm256_srli_epi64(both, 32));
    const __m256i v =
        _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)), IMAGE_WEIGHT_BITS);
    const __m256i bytes = _mm256_min_epu32(v, _mm256_set1_epi32(255));

    to[0][at] = (unsigned char)_mm256_extract_epi8(bytes, 0);
    to[1][at] = (unsigned char)_mm256_extract_epi8(bytes, 8);
    to[2][at] = (unsigned char)_mm256_extract_epi8(bytes, 16);
    to[3][at] = (unsigned char)_mm256_extract_epi8(bytes, 24);
}

/* Four taps at a time of four rows at once. */
AVX2 static void greys_across_avx2(const unsigned char *const row[4], const struct image_taps *t,
                                   int n, unsigned char *const to[4]) {
    for (int i = 0; i < n; i++) {
        const int32_t *weight = t->weight + (size_t)i * (size_t)t->room;
        __m256i low = _mm256_setzero_si256(), high = low;

        for (int k = 0; k < t->n[i]; k += 4) {
            const __m256i w = cut_weights(weight + k);
            int four[4];

            for (int r = 0; r < 4; r++)
                memcpy(&four[r], row[r] + t->first[i] + k, 4);
            const __m256i p =
                _mm256_cvtepu8_epi16(_mm_setr_epi32(four[0], four[1], four[2], four[3]));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(p, _mm256_unpacklo_epi64(w, w)));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(p, _mm256_unpackhi_epi64(w, w)));
        }
        store_4_greys(low, high, to, (size_t)i);
    }
}

/* Four taps at a time: the pixels 0, 1 of them in the lower half, 2, 3 in the upper, each colour as
 * a pair of 16-bit numbers. */
AVX2 static void across_avx2(const unsigned char *const row[4], int channels,
                             const struct image_taps *t, int n, unsigned char *const to[4]) {
    const __m256i pairs =
        _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 6, -1, 9, -1, 7,
                         -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    const __m256i lows = _mm256_setr_epi32(0x03020100, 0x03020100, 0x03020100, 0x03020100,
                                           0x07060504, 0x07060504, 0x07060504, 0x07060504);
    const __m256i highs = _mm256_add_epi8(lows, _mm256_set1_epi8(8));

    if (channels == 1) {
        greys_across_avx2(row, t, n, to);
        return;
    }
    for (int i = 0; i < n; i++) {
        const int32_t *weight = t->weight + (size_t)i * (size_t)t->room;
        const ptrdiff_t first = 3 * (ptrdiff_t)t->first[i];
        __m256i low[4] = {{0}}, high[4] = {{0}};

        for (int k = 0; k < t->n[i]; k += 4) {
            const __m256i w = cut_weights(weight + k);
            const __m256i w_low = _mm256_shuffle_epi8(w, lows);
            const __m256i w_high = _mm256_shuffle_epi8(w, highs);

            for (int r = 0; r < 4; r++) {
                const __m256i p = _mm256_shuffle_epi8(load_twice(row[r] + first + 3 * k), pairs);

                low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(p, w_low));
                high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(p, w_high));
            }
        }
        store_4(low, high, to, 3 * (size_t)i);
    }
}

AVX2 static void down_avx2(const unsigned char *rows, size_t stride, const int32_t *weight,
                           int n_rows, size_t len, unsigned char *to) {
    row_down(rows, stride, weight, n_rows, len, to);
}

static const struct image_kernels kernels_avx2 = {across_avx2, down_avx2};

const struct image_kernels *image_kernels(void) {
    return __builtin_cpu_supports("avx2") ? &kernels_avx2 : &image_kernels_plain;
}
#else
const struct image_kernels *image_kernels(void) {
    return &image_kernels_plain;
}
#endif
