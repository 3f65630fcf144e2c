/* From bytes to the numbers that networks see. */
#include "io/image/image.h"

enum { BYTES = 256 };

void image_float_table(const float *mean, const float *std, int channels, float *table) {
    for (int c = 0; c < channels; c++)
        for (int v = 0; v < BYTES; v++) {
            const float unit = (float)v / 255;

            table[c * BYTES + v] = mean ? (unit - mean[c]) * (1 / std[c]) : unit;
        }
}

void image_to_floats(const unsigned char *bytes, size_t n, int channels, const float *table,
                     float *out) {
    if (channels == 3) {
        for (size_t i = 0; i < n; i++, bytes += 3, out += 3) {
            out[0] = table[bytes[0]];
            out[1] = table[BYTES + bytes[1]];
            out[2] = table[2 * BYTES + bytes[2]];
        }
        return;
    }
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < channels; c++)
            *out++ = table[c * BYTES + *bytes++];
}
