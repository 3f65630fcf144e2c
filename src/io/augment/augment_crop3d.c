/* random_crop3d: a box of a volume, of which a share lies about voxels of a class other than 0:
 * rare structures would be in few boxes otherwise. As nnU-Net draws patches: Isensee et al. 2021,
 * doi:10.1038/s41592-020-01008-z. */
#include "core/base/rng.h"
#include "io/augment/augment_volume.h"

#include <inttypes.h>
#include <string.h>

struct crop3d {
    struct ints size;
    double foreground;
};

static int plan_crop3d(const void *args, bool training, const struct augment_source *source,
                       struct augment_stage *s, struct err *err) {
    const struct crop3d *a = args;

    (void)training, (void)source;
    if (s->in.rank != 4)
        return err_set(err, ERR_CONFIG,
                       "random_crop3d: the images have no depth; random_crop is for them");
    if (a->size.n != 1 && a->size.n != 3)
        return err_set(err, ERR_CONFIG,
                       "random_crop3d: size is a list of %d numbers, expected one or [depth, "
                       "height, width]",
                       a->size.n);
    for (int k = 0; k < 3; k++) {
        s->out.dim[k] = ints_at(&a->size, k);
        if (s->out.dim[k] > s->in.dim[k])
            return err_set(err, ERR_CONFIG,
                           "random_crop3d: size %" PRId64 " of axis %d is larger than the volume, "
                           "%" PRId64 "x%" PRId64 "x%" PRId64,
                           s->out.dim[k], k, s->in.dim[0], s->in.dim[1], s->in.dim[2]);
    }
    s->focuses = a->foreground > 0;
    return 0;
}

/* Where the box begins along axis k: in validation in the middle. */
static int64_t begin_of(const struct augment_call *c, int k, bool about) {
    const int64_t room = c->in_shape.dim[k] - c->out_shape.dim[k];
    const uint64_t draw = c->first + 1 + (uint64_t)k;

    if (!c->training)
        return room / 2;
    if (!about)
        return (int64_t)rng_below(c->key, draw, (uint64_t)room + 1);
    const int64_t before = (int64_t)rng_below(c->key, draw, (uint64_t)c->out_shape.dim[k]);
    const int64_t begin = c->focus[k] - before;
    return begin < 0 ? 0 : begin > room ? room : begin;
}

static void apply_crop3d(const struct augment_call *c) {
    const struct crop3d *a = c->args;
    const bool about = c->focused && (double)rng_uniform(c->key, c->first) < a->foreground;
    const int64_t *in = c->in_shape.dim, *out = c->out_shape.dim;
    const int64_t z0 = begin_of(c, 0, about), y0 = begin_of(c, 1, about),
                  x0 = begin_of(c, 2, about);
    const size_t line = (size_t)(out[2] * out[3]);

    for (int64_t z = 0; z < out[0]; z++)
        for (int64_t y = 0; y < out[1]; y++)
            memcpy(c->out + (z * out[1] + y) * out[2] * out[3],
                   c->in + (((z0 + z) * in[1] + y0 + y) * in[2] + x0) * in[3],
                   line * sizeof *c->out);
}

static const struct arg_spec crop3d_args[] = {
    {.name = "size",
     .kind = ARG_INTS,
     .offset = offsetof(struct crop3d, size),
     .min = 1,
     .max = AUGMENT_MAX_SIDE,
     .required = true,
     .help = "voxels: a side, or [depth, height, width]"},
    {.name = "foreground",
     .kind = ARG_REAL,
     .offset = offsetof(struct crop3d, foreground),
     .max = 1,
     .help = "share of boxes that hold a voxel of the mask that is of no class 0"},
    {0},
};

const struct augment augment_random_crop3d = {
    .word = {"random_crop3d", "a box of a volume; in validation the middle", sizeof(struct crop3d),
             crop3d_args},
    .moves = true,
    .volumes = true,
    .plan = plan_crop3d,
    .apply = apply_crop3d,
};
