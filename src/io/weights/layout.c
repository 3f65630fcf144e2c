#include "io/weights/layout.h"

#include <string.h>

struct shape layout_to_torch(const struct shape *ours) {
    struct shape torch = *ours;
    const int r = ours->rank;

    if (r < 2)
        return torch;
    torch.dim[0] = ours->dim[r - 1];
    torch.dim[1] = ours->dim[r - 2];
    for (int i = 2; i < r; i++)
        torch.dim[i] = ours->dim[i - 2];
    return torch;
}

struct shape layout_from_torch(const struct shape *torch) {
    struct shape ours = *torch;
    const int r = torch->rank;

    if (r < 2)
        return ours;
    ours.dim[r - 1] = torch->dim[0];
    ours.dim[r - 2] = torch->dim[1];
    for (int i = 2; i < r; i++)
        ours.dim[i - 2] = torch->dim[i];
    return ours;
}

/* in[a][b][c] -> out[c][b][a]: both directions, with all of space as one dimension. */
static void reverse(int64_t a, int64_t b, int64_t c, const float *in, float *out) {
    for (int64_t i = 0; i < a; i++)
        for (int64_t j = 0; j < b; j++)
            for (int64_t k = 0; k < c; k++)
                out[(k * b + j) * a + i] = in[(i * b + j) * c + k];
}

static int64_t product(const int64_t *dim, int n) {
    int64_t len = 1;

    for (int i = 0; i < n; i++)
        len *= dim[i];
    return len;
}

void layout_write_torch(const struct shape *ours, const float *in, float *out) {
    const int r = ours->rank;

    if (r < 2)
        memcpy(out, in, (size_t)shape_len(ours) * sizeof *out);
    else
        reverse(product(ours->dim, r - 2), ours->dim[r - 2], ours->dim[r - 1], in, out);
}

void layout_read_torch(const struct shape *torch, const float *in, float *out) {
    const int r = torch->rank;

    if (r < 2)
        memcpy(out, in, (size_t)shape_len(torch) * sizeof *out);
    else
        reverse(torch->dim[0], torch->dim[1], product(torch->dim + 2, r - 2), in, out);
}
