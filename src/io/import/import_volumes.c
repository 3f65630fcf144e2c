/* Volumes with masks, or with classes: NIfTI files to floats [d, h, w, c], d from the feet to the
 * head, h from the back to the front, w from left to right. */
#include "io/import/class_files.h"
#include "io/import/import_rows.h"
#include "io/import/volume.h"
#include "io/import/volume_pairs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { IMAGE, SECOND, MOST_CLASSES = 255 };

struct volumes_import {
    struct class_files files;
    int64_t n;
    const char **image, **mask; /* [n] paths of files; mask: NULL without masks */
    int32_t *class, *split;     /* [n]; of slices [n * depth], from volumes to slices */
    int32_t *volume;            /* of slices: which each is of; NULL: volumes are samples */
    int slices;
    bool masks;
    double spacing[3]; /* all are brought to it; 0: their own */
    int64_t dim[3];    /* x, y, z of a sample */
    int64_t channels;
    int n_classes;   /* of masks */
    float *room[2];  /* [z, y, x, channels] of the volume and the mask made last */
    int64_t held[2]; /* 1 + which these are; 0: none */
    int64_t n_turned, n_cut, n_padded, n_gaps;
};

/* Images, and what belongs to each. */
static int pair(struct volumes_import *in, const char *source, struct import_result *result,
                struct err *err) {
    const struct class_files *f = &in->files;
    int64_t n_masks = 0, n_other = 0;

    for (int k = 0; k < f->n_classes; k++)
        in->masks = in->masks || volume_is_masks(f->class_name[k]);
    in->image = malloc((size_t)f->n * sizeof *in->image);
    in->mask = calloc((size_t)f->n, sizeof *in->mask);
    in->class = malloc((size_t)f->n * sizeof *in->class);
    in->split = malloc((size_t)f->n * sizeof *in->split);
    if (!in->image || !in->mask || !in->class || !in->split)
        return err_set(err, ERR_IO, "%s: out of memory", source);
    for (int64_t i = 0; i < f->n; i++) {
        const char *folder = f->n_classes ? f->class_name[f->class[i]] : "";

        if (in->masks && !volume_is_images(folder)) {
            n_masks += volume_is_masks(folder);
            n_other += !volume_is_masks(folder);
            continue;
        }
        in->image[in->n] = f->path[i];
        in->class[in->n] = f->class[i];
        in->split[in->n] = f->split[i];
        if (in->masks && !(in->mask[in->n] = volume_mask_of(f, i)))
            return err_set(err, ERR_DATA, "%s: has no mask of the same name", f->path[i]);
        in->n++;
    }
    if (in->masks && n_masks != in->n)
        return err_set(err, ERR_DATA, "%s: has %" PRId64 " masks for %" PRId64 " volumes", source,
                       n_masks, in->n);
    if (n_other)
        import_note(result, "%" PRId64 " files in other folders than images and masks are left out",
                    n_other);
    return 0;
}

/* A mask lies where its image does. */
static int check_mask(const char *image, const struct volume_head *h, const char *path,
                      struct err *err) {
    struct volume_head m;

    if (volume_read_head(path, &m, err))
        return -1;
    if (m.channels != 1 || memcmp(m.dim, h->dim, sizeof m.dim))
        return err_set(err, ERR_DATA,
                       "%s: is %" PRId64 "x%" PRId64 "x%" PRId64 "x%" PRId64
                       ", its image %s is %" PRId64 "x%" PRId64 "x%" PRId64,
                       path, m.dim[0], m.dim[1], m.dim[2], m.channels, image, h->dim[0], h->dim[1],
                       h->dim[2]);
    if (strcmp(m.orientation, h->orientation) && (!*m.orientation || !*h->orientation))
        return err_set(
            err, ERR_DATA,
            "%s: is oriented %s, its image %s %s; where one of them does not say it, they "
            "would be turned apart",
            path, *m.orientation ? m.orientation : "nowhere", image,
            *h->orientation ? h->orientation : "nowhere");
    for (int k = 0; k < 3; k++)
        if (fabs(m.spacing[k] - h->spacing[k]) > 0.01 * h->spacing[k])
            return err_set(err, ERR_DATA, "%s: has a spacing of %g mm, its image %s of %g mm", path,
                           m.spacing[k], image, h->spacing[k]);
    return 0;
}

/* Sizes, spacings and orientations of all volumes, by their headers. */
static int look(struct volumes_import *in, const struct import_options *o,
                struct import_result *result, struct err *err) {
    double least[3] = {0}, most[3] = {0};
    struct volume_head h;

    for (int64_t i = 0; i < in->n; i++) {
        int64_t dim[3];
        bool cut = false, padded = false;

        if (volume_read_head(in->image[i], &h, err) ||
            (in->masks && check_mask(in->image[i], &h, in->mask[i], err)))
            return -1;
        volume_dims_at(&h, o->spacing[0] > 0 ? o->spacing : h.spacing, dim);
        in->n_turned += *h.orientation && strcmp(h.orientation, "RAS");
        if (i == 0 && !o->depth)
            memcpy(in->dim, dim, sizeof dim);
        in->channels = i ? in->channels : h.channels;
        if (h.channels != in->channels)
            return err_set(err, ERR_DATA, "%s: has %" PRId64 " channels, %s has %" PRId64,
                           in->image[i], h.channels, in->image[0], in->channels);
        if (!o->depth && memcmp(dim, in->dim, sizeof dim))
            return err_set(err, ERR_USAGE,
                           "%s: is %" PRId64 "x%" PRId64 "x%" PRId64 " (depth, "
                           "height, width), %s is %" PRId64 "x%" PRId64 "x%" PRId64 "; cut or pad "
                           "them with --size DEPTHxHEIGHTxWIDTH",
                           in->image[i], dim[2], dim[1], dim[0], in->image[0], in->dim[2],
                           in->dim[1], in->dim[0]);
        for (int k = 0; k < 3; k++) {
            cut = cut || dim[k] > in->dim[k];
            padded = padded || dim[k] < in->dim[k];
            least[k] = !i || h.spacing[k] < least[k] ? h.spacing[k] : least[k];
            most[k] = !i || h.spacing[k] > most[k] ? h.spacing[k] : most[k];
        }
        in->n_cut += cut;
        in->n_padded += padded;
    }
    for (int k = 0; k < 3; k++)
        in->spacing[k] = o->spacing[0] > 0                      ? o->spacing[k]
                         : most[k] - least[k] < 0.001 * most[k] ? most[k]
                                                                : 0;
    if (!(in->spacing[0] > 0 && in->spacing[1] > 0 && in->spacing[2] > 0))
        import_note(result,
                    "voxels of several sizes, %g to %g mm along x, %g to %g along y, %g to "
                    "%g along z: --spacing X,Y,Z brings them to one",
                    least[0], most[0], least[1], most[1], least[2], most[2]);
    return 0;
}

/* Classes of a mask, whole numbers from 0. Errors: ERR_DATA. */
static int check_classes(const struct volume *v, const char *path, int *most, struct err *err) {
    const int64_t n = v->head.dim[0] * v->head.dim[1] * v->head.dim[2];

    for (int64_t i = 0; i < n; i++) {
        if (!(v->v[i] >= 0 && v->v[i] < MOST_CLASSES) || v->v[i] != floorf(v->v[i]))
            return err_set(err, ERR_DATA, "%s: is a mask and holds %g, expected classes 0 to %d",
                           path, (double)v->v[i], MOST_CLASSES - 1);
        *most = (int)v->v[i] > *most ? (int)v->v[i] : *most;
    }
    return 0;
}

static int count_classes(struct volumes_import *in, struct err *err) {
    int most = 0;

    for (int64_t i = 0; in->masks && i < in->n; i++) {
        struct volume v = {0};
        const int status =
            volume_read(in->mask[i], &v, err) || check_classes(&v, in->mask[i], &most, err);

        volume_release(&v);
        if (status)
            return -1;
    }
    in->n_classes = most + 1;
    return 0;
}

static float smallest(const struct volume *v) {
    const struct volume_head *h = &v->head;
    const int64_t n = h->dim[0] * h->dim[1] * h->dim[2] * h->channels;
    float least = v->v[0];

    for (int64_t i = 1; i < n; i++)
        least = v->v[i] < least ? v->v[i] : least;
    return least;
}

/* Nothing was measured there, as around the head: 0, which is said. */
static void fill_gaps(struct volumes_import *in, struct volume *v) {
    const struct volume_head *h = &v->head;
    const int64_t n = h->dim[0] * h->dim[1] * h->dim[2] * h->channels;
    bool any = false;

    for (int64_t i = 0; i < n; i++)
        if (isnan(v->v[i])) {
            v->v[i] = 0;
            any = true;
        }
    in->n_gaps += any;
}

static int make_volume(struct volumes_import *in, const char *path, bool mask, float *out,
                       struct err *err) {
    const bool resampled = in->spacing[0] > 0 && in->spacing[1] > 0 && in->spacing[2] > 0;
    struct volume v = {0};
    int status = volume_read(path, &v, err);

    if (!status && !mask)
        fill_gaps(in, &v);
    if (!status && resampled)
        status = volume_resample(&v, in->spacing, mask, err);
    if (!status)
        volume_fit(&v, in->dim, mask ? 0 : smallest(&v), out);
    volume_release(&v);
    return status;
}

/* Volume or mask i, which stays until another is asked for: slices follow each other. */
static const float *hold(struct volumes_import *in, int64_t i, int field, struct err *err) {
    if (in->held[field] == i + 1)
        return in->room[field];
    in->held[field] = 0;
    if (make_volume(in, field == IMAGE ? in->image[i] : in->mask[i], field != IMAGE,
                    in->room[field], err))
        return NULL;
    in->held[field] = i + 1;
    return in->room[field];
}

/* Slice z and its neighbours, beyond the ends the outermost again: [y, x, slices * channels]. */
static void take_slices(const struct volumes_import *in, const float *v, int64_t z, float *out) {
    const int64_t area = in->dim[0] * in->dim[1], c = in->channels, last = in->dim[2] - 1;

    for (int64_t i = 0; i < area; i++)
        for (int64_t k = z - in->slices / 2; k <= z + in->slices / 2; k++, out += c) {
            const int64_t from = k < 0 ? 0 : k > last ? last : k;

            memcpy(out, v + (from * area + i) * c, (size_t)c * sizeof *out);
        }
}

static int make(void *context, int64_t i, int field, void *out, struct err *err) {
    struct volumes_import *in = context;
    const int64_t area = in->dim[0] * in->dim[1], z = in->volume ? i % in->dim[2] : 0;
    const int64_t n = in->volume ? area : area * in->dim[2];
    const float *v;

    if (field != IMAGE && !in->masks) {
        memcpy(out, &in->class[i], sizeof *in->class);
        return 0;
    }
    if (!(v = hold(in, in->volume ? in->volume[i] : i, field, err)))
        return -1;
    if (field == IMAGE && in->volume)
        take_slices(in, v, z, out);
    else if (field == IMAGE)
        memcpy(out, v, (size_t)(n * in->channels) * sizeof *v);
    for (int64_t k = 0; field != IMAGE && k < n; k++)
        ((unsigned char *)out)[k] = (unsigned char)v[z * area + k];
    return 0;
}

static const char *file_of(const void *context, int64_t i) {
    const struct volumes_import *in = context;

    return in->image[in->volume ? in->volume[i] : i];
}

/* Samples are slices: classes and splits are those of their volumes, which stay together. */
static int cut_slices(struct volumes_import *in, const char *source, struct err *err) {
    const int64_t depth = in->dim[2], n = in->n * depth;
    int32_t *class = malloc((size_t)n * sizeof *class), *split = malloc((size_t)n * sizeof *split);

    in->volume = malloc((size_t)n * sizeof *in->volume);
    if (!class || !split || !in->volume) {
        free(class);
        free(split);
        return err_set(err, ERR_IO, "%s: out of memory", source);
    }
    for (int64_t i = 0; i < n; i++) {
        class[i] = in->class[i / depth];
        split[i] = in->split[i / depth];
        in->volume[i] = (int32_t)(i / depth);
    }
    free(in->class);
    free(in->split);
    in->class = class;
    in->split = split;
    return 0;
}

static int describe(void *context, struct dataset_writer *writer, struct err *err) {
    const struct volumes_import *in = context;
    const double spacing[] = {in->spacing[2], in->spacing[1], in->spacing[0]};

    if (!(spacing[0] > 0 && spacing[1] > 0 && spacing[2] > 0))
        return 0;
    return dataset_writer_reals(writer, IMAGE, "spacing", spacing, 3, err);
}

static void note(const struct volumes_import *in, struct import_result *result) {
    if (in->n_turned)
        import_note(result, "%" PRId64 " volumes are turned to RAS, as their headers say",
                    in->n_turned);
    if (in->n_cut)
        import_note(result, "%" PRId64 " volumes are larger: their middle is kept", in->n_cut);
    if (in->n_padded)
        import_note(result,
                    "%" PRId64 " volumes are smaller: their smallest value is around them%s",
                    in->n_padded, in->masks ? ", of masks class 0" : "");
}

static int write(struct volumes_import *in, const char *source, const char *target,
                 const struct import_options *options, struct import_result *result,
                 struct err *err) {
    const int64_t d = in->dim[2], h = in->dim[1], w = in->dim[0], c = in->channels;
    const bool labelled = !in->masks && in->files.n_classes;
    const struct writer_field fields[] = {
        {.name = in->slices ? "images" : "volume",
         .kind = DATASET_REALS,
         .sample = in->slices ? (struct shape){3, {h, w, in->slices * c}}
                              : (struct shape){4, {d, h, w, c}},
         .measured = true,
         .says = in->slices ? "image" : "real"},
        in->masks ? (struct writer_field){.name = "mask",
                                          .kind = DATASET_CLASS,
                                          .sample = in->slices ? (struct shape){2, {h, w}}
                                                               : (struct shape){3, {d, h, w}},
                                          .n_classes = in->n_classes,
                                          .says = "class"}
                  : (struct writer_field){.name = "labels",
                                          .kind = DATASET_CLASS,
                                          .n_classes = in->files.n_classes,
                                          .class_name = (const char *const *)in->files.class_name}};
    const struct rows_source rows = {.name = source,
                                     .what = in->slices ? "slices" : "volumes",
                                     .context = in,
                                     .n = in->slices ? in->n * d : in->n,
                                     .n_fields = in->masks || labelled ? 2 : 1,
                                     .field = fields,
                                     .label = labelled ? in->class : NULL,
                                     .group = in->volume,
                                     .n_splits = in->files.n_splits,
                                     .split_name = (const char *const *)in->files.split_name,
                                     .split_of = in->split,
                                     .file_of = file_of,
                                     .make = make,
                                     .describe = describe};

    note(in, result);
    result->n_classes = in->masks ? in->n_classes : in->files.n_classes;
    const int status = import_rows(&rows, target, options, result, err);
    if (!status && in->n_gaps)
        import_note(result, "%" PRId64 " volumes hold nan, which becomes 0", in->n_gaps);
    return status;
}

static int take_room(struct volumes_import *in, const char *source, struct err *err) {
    const size_t voxels = (size_t)(in->dim[0] * in->dim[1] * in->dim[2]);

    in->room[IMAGE] = malloc(voxels * (size_t)in->channels * sizeof **in->room);
    in->room[SECOND] = malloc(voxels * sizeof **in->room);
    if (!in->room[IMAGE] || !in->room[SECOND])
        return err_set(err, ERR_IO, "%s: out of memory", source);
    return in->slices ? cut_slices(in, source, err) : 0;
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    static const char *const endings[] = {".nii", ".nii.gz", NULL};
    struct volumes_import in = {.dim = {options->width, options->height, options->depth},
                                .slices = options->slices};
    int status;

    if (options->width && !options->depth)
        return err_set(err, ERR_USAGE, "data: volumes have --size DEPTHxHEIGHTxWIDTH");
    status = class_files_init(&in.files, source, endings, "volumes (.nii, .nii.gz)", result, err) ||
             pair(&in, source, result, err) || look(&in, options, result, err) ||
             count_classes(&in, err) || take_room(&in, source, err) ||
             write(&in, source, target, options, result, err);
    free(in.image);
    free(in.mask);
    free(in.class);
    free(in.split);
    free(in.volume);
    free(in.room[IMAGE]);
    free(in.room[SECOND]);
    class_files_release(&in.files);
    return status ? -1 : 0;
}

const struct importer import_volumes = {
    "volumes", "NIfTI: SOURCE/images/X.nii.gz and SOURCE/masks/X.nii.gz, or SOURCE/CLASS/X.nii.gz",
    IMPORT_SPLIT | IMPORT_FOLDS | IMPORT_VOLUME, run};
