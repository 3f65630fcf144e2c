/* volume.h - a NIfTI file (.nii, .nii.gz) as numbers in one orientation. volume.c is the only
 * includer of libnifti. */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What its header says, once it is turned to RAS: x grows to the right, y to the front, z to the
 * head of the patient. */
struct volume_head {
    int64_t dim[3];      /* x, y, z */
    int64_t channels;    /* of the fourth dimension */
    double spacing[3];   /* mm */
    char orientation[4]; /* as stored: "LPS"; "" where the file does not say, and nothing turns */
};

struct volume {
    struct volume_head head;
    float *v; /* [z, y, x, channels], owned: values by the header's slope and intercept */
};

/* Read the header. Errors: ERR_DATA beginning with the path. */
int volume_read_head(const char *path, struct volume_head *head, struct err *err);

/* Read it all. Errors: likewise; ERR_IO without memory. */
int volume_read(const char *path, struct volume *volume, struct err *err);
void volume_release(struct volume *volume);

/* The numbers of voxels along x, y, z at another spacing: those that cover the same extent. */
void volume_dims_at(const struct volume_head *head, const double spacing[3], int64_t dim[3]);

/* Bring it to another spacing, centres of voxels between eight others (nearest: the nearest one, of
 * masks); beyond the outermost centres the edge. Errors: ERR_IO. */
int volume_resample(struct volume *volume, const double spacing[3], bool nearest, struct err *err);

/* Cut and pad equally at both ends to out[z, y, x, channels] of dim x, y, z. */
void volume_fit(const struct volume *volume, const int64_t dim[3], float pad, float *out);
