#include "io/import/volume.h"

#include "io/import/volume_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <nifti2_io.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VOXELS = 1 << 30, MOST_CHANNELS = 64 };

/* How axes of the file become x, y, z: which one each is, and whether it runs the other way. */
struct turn {
    int axis[3];
    bool backwards[3];
};

/* Which way each axis of the file runs. Without any word of it, as if RAS. */
static void find_turn(const nifti_image *nim, struct turn *t, char orientation[4]) {
    static const char letters[] = "?RLAPSI";
    static const int ras[] = {0, 0, 0, 1, 1, 2, 2};
    int code[3] = {0};

    *t = (struct turn){.axis = {0, 1, 2}};
    *orientation = 0;
    if (nim->sform_code > 0)
        nifti_dmat44_to_orientation(nim->sto_xyz, &code[0], &code[1], &code[2]);
    else if (nim->qform_code > 0)
        nifti_dmat44_to_orientation(nim->qto_xyz, &code[0], &code[1], &code[2]);
    if (code[0] < 1 || code[1] < 1 || code[2] < 1)
        return;
    for (int k = 0; k < 3; k++) { /* codes are NIFTI_L2R = 1, R2L, P2A, A2P, I2S, S2I */
        t->axis[ras[code[k]]] = k;
        t->backwards[ras[code[k]]] = code[k] % 2 == 0;
        orientation[k] = letters[code[k]];
    }
    orientation[3] = 0;
}

static int check(const nifti_image *nim, const char *path, struct err *err) {
    const int64_t channels = nim->nt > 1 ? nim->nt : nim->nu > 1 ? nim->nu : 1;

    if (nim->nx < 1 || nim->ny < 1 || nim->nz < 1 || nim->nvox > MOST_VOXELS ||
        channels > MOST_CHANNELS || nim->nvox != nim->nx * nim->ny * nim->nz * channels)
        return err_set(err, ERR_DATA,
                       "%s: is %" PRId64 "x%" PRId64 "x%" PRId64 "x%" PRId64
                       ", expected a volume of up to 2^30 voxels, of up to %d channels",
                       path, (int64_t)nim->nx, (int64_t)nim->ny, (int64_t)nim->nz, (int64_t)nim->nt,
                       MOST_CHANNELS);
    switch (nim->datatype) {
    case DT_UINT8:
    case DT_INT8:
    case DT_INT16:
    case DT_UINT16:
    case DT_INT32:
    case DT_UINT32:
    case DT_FLOAT32:
    case DT_FLOAT64:
        return 0;
    default:
        return err_set(err, ERR_DATA,
                       "%s: holds %s, expected integers of 8, 16 or 32 bits, or floats of 32 or 64",
                       path, nifti_datatype_string(nim->datatype));
    }
}

static nifti_image *open_volume(const char *path, struct err *err) {
    if (volume_file_check(path, err))
        return NULL;
    nifti_set_debug_level(0); /* messages are ours */
    nifti_image *nim = nifti_image_read(path, false);

    if (!nim) {
        err_set(err, ERR_DATA, "%s: is no NIfTI file that can be read (.nii, .nii.gz)", path);
        return NULL;
    }
    if (!check(nim, path, err))
        return nim;
    nifti_image_free(nim);
    return NULL;
}

/* The voxels as they are stored: the library would make zeros of those that are not finite. */
static int load(nifti_image *nim, const char *path, struct err *err) {
    const size_t bytes = (size_t)nim->nvox * (size_t)nim->nbyper;

    nim->data = malloc(bytes);
    if (!nim->data)
        return err_set(err, ERR_IO, "%s: out of memory", path);
    if (volume_file_read(path, nim->iname_offset, nim->data, bytes, err))
        return -1;
    if (nim->swapsize > 1 && nim->byteorder != nifti_short_order())
        nifti_swap_Nbytes((int64_t)bytes / nim->swapsize, nim->swapsize, nim->data);
    return 0;
}

static void take_head(const nifti_image *nim, struct volume_head *head, struct turn *t) {
    const int64_t dim[] = {nim->nx, nim->ny, nim->nz};
    const double spacing[] = {nim->dx, nim->dy, nim->dz};

    find_turn(nim, t, head->orientation);
    head->channels = nim->nvox / (dim[0] * dim[1] * dim[2]);
    for (int k = 0; k < 3; k++) {
        const double s = fabs(spacing[t->axis[k]]);

        head->dim[k] = dim[t->axis[k]];
        head->spacing[k] = s > 0 && isfinite(s) ? s : 1;
    }
}

int volume_read_head(const char *path, struct volume_head *head, struct err *err) {
    nifti_image *nim = open_volume(path, err);
    struct turn t;

    if (!nim)
        return -1;
    take_head(nim, head, &t);
    nifti_image_free(nim);
    return 0;
}

static double number_at(const nifti_image *nim, int64_t i) {
    switch (nim->datatype) {
    case DT_UINT8:
        return ((const uint8_t *)nim->data)[i];
    case DT_INT8:
        return ((const int8_t *)nim->data)[i];
    case DT_INT16:
        return ((const int16_t *)nim->data)[i];
    case DT_UINT16:
        return ((const uint16_t *)nim->data)[i];
    case DT_INT32:
        return ((const int32_t *)nim->data)[i];
    case DT_UINT32:
        return ((const uint32_t *)nim->data)[i];
    case DT_FLOAT32:
        return (double)((const float *)nim->data)[i];
    default:
        return ((const double *)nim->data)[i];
    }
}

/* All voxels in the order of RAS, channels last. A slope of 0 means none. */
static void turn_voxels(const nifti_image *nim, const struct turn *t, struct volume *volume) {
    const struct volume_head *h = &volume->head;
    const double slope = nim->scl_slope != 0 && isfinite(nim->scl_slope) ? nim->scl_slope : 1;
    const double above = slope == 1 && nim->scl_slope == 0 ? 0 : nim->scl_inter;
    const int64_t stride[] = {1, nim->nx, nim->nx * nim->ny}, all = stride[2] * nim->nz;
    float *out = volume->v;

    for (int64_t z = 0; z < h->dim[2]; z++)
        for (int64_t y = 0; y < h->dim[1]; y++)
            for (int64_t x = 0; x < h->dim[0]; x++) {
                const int64_t at[] = {x, y, z};
                int64_t place = 0;

                for (int k = 0; k < 3; k++)
                    place += stride[t->axis[k]] * (t->backwards[k] ? h->dim[k] - 1 - at[k] : at[k]);
                for (int64_t c = 0; c < h->channels; c++)
                    *out++ = (float)(slope * number_at(nim, place + c * all) + above);
            }
}

static int64_t voxels(const struct volume_head *h) {
    return h->dim[0] * h->dim[1] * h->dim[2] * h->channels;
}

int volume_read(const char *path, struct volume *volume, struct err *err) {
    nifti_image *nim = open_volume(path, err);
    struct turn t;
    int status = 0;

    *volume = (struct volume){0};
    if (!nim)
        return -1;
    take_head(nim, &volume->head, &t);
    status = load(nim, path, err);
    if (!status && !(volume->v = malloc((size_t)voxels(&volume->head) * sizeof *volume->v)))
        status = err_set(err, ERR_IO, "%s: out of memory", path);
    if (!status)
        turn_voxels(nim, &t, volume);
    nifti_image_free(nim);
    return status;
}

void volume_release(struct volume *volume) {
    free(volume->v);
    *volume = (struct volume){0};
}

void volume_dims_at(const struct volume_head *head, const double spacing[3], int64_t dim[3]) {
    for (int k = 0; k < 3; k++) {
        const double n = floor((double)head->dim[k] * head->spacing[k] / spacing[k] + 0.5);

        dim[k] = n < 1 ? 1 : n > MOST_VOXELS ? MOST_VOXELS : (int64_t)n;
    }
}

/* Where voxel i of n is among `from`: the one before, the one after, and how far on. */
struct between {
    int64_t before, after;
    float far;
};

static struct between place_of(int64_t i, double step, int64_t from) {
    const double at = ((double)i + 0.5) * step - 0.5;
    const double clamped = at < 0 ? 0 : at > (double)(from - 1) ? (double)(from - 1) : at;
    const int64_t before = (int64_t)clamped;

    return (struct between){before, before + 1 < from ? before + 1 : before,
                            (float)(clamped - (double)before)};
}

/* Along one axis: v [outer, n, inner] to out [outer, to, inner]. */
static void resample_axis(const float *v, int64_t outer, int64_t n, int64_t inner, int64_t to,
                          double step, bool nearest, float *out) {
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < to; i++) {
            const struct between b = place_of(i, step, n);
            const float far = nearest ? (float)(b.far >= 0.5f) : b.far;
            const float *p = v + (o * n + b.before) * inner, *q = v + (o * n + b.after) * inner;

            for (int64_t k = 0; k < inner; k++)
                *out++ = p[k] + far * (q[k] - p[k]);
        }
}

int volume_resample(struct volume *volume, const double spacing[3], bool nearest, struct err *err) {
    struct volume_head *h = &volume->head;
    int64_t to[3];

    volume_dims_at(h, spacing, to);
    for (int k = 0; k < 3; k++) { /* an axis at a time */
        const double step = spacing[k] / h->spacing[k];
        int64_t inner = h->channels;

        if (to[k] == h->dim[k] && fabs(step - 1) < 1e-6)
            continue;
        for (int before = 0; before < k; before++)
            inner *= h->dim[before];
        const int64_t outer = voxels(h) / inner / h->dim[k];
        float *out = to[k] > MOST_VOXELS / inner / outer
                         ? NULL
                         : malloc((size_t)(outer * to[k] * inner) * sizeof *out);
        if (!out)
            return err_set(err, ERR_IO,
                           "no memory for a volume of %" PRId64 "x%" PRId64 "x%" PRId64, to[0],
                           to[1], to[2]);
        resample_axis(volume->v, outer, h->dim[k], inner, to[k], step, nearest, out);
        free(volume->v);
        volume->v = out;
        h->dim[k] = to[k];
        h->spacing[k] = spacing[k];
    }
    return 0;
}

void volume_fit(const struct volume *volume, const int64_t dim[3], float pad, float *out) {
    const struct volume_head *h = &volume->head;
    int64_t from[3];

    for (int k = 0; k < 3; k++) /* where voxel 0 of out lies in it */
        from[k] = h->dim[k] >= dim[k] ? (h->dim[k] - dim[k]) / 2 : -((dim[k] - h->dim[k]) / 2);
    for (int64_t z = from[2]; z < from[2] + dim[2]; z++)
        for (int64_t y = from[1]; y < from[1] + dim[1]; y++)
            for (int64_t x = from[0]; x < from[0] + dim[0]; x++) {
                const bool inside =
                    x >= 0 && x < h->dim[0] && y >= 0 && y < h->dim[1] && z >= 0 && z < h->dim[2];
                const float *v = volume->v + ((z * h->dim[1] + y) * h->dim[0] + x) * h->channels;

                for (int64_t c = 0; c < h->channels; c++)
                    *out++ = inside ? v[c] : pad;
            }
}
