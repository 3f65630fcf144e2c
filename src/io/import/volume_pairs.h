/* volume_pairs.h - which of the files in folders are volumes, and which are their masks. */
#pragma once
#include "io/import/class_files.h"

/* Is that a folder of images: images, imagesTr ...; of masks: masks, labels, labelsTr, seg ...? In
 * capitals or not. */
bool volume_is_images(const char *folder);
bool volume_is_masks(const char *folder);

/* The path of the mask of volume `image`: of its split, by its name without .nii or .nii.gz; NULL:
 * there is none. */
const char *volume_mask_of(const struct class_files *files, int64_t image);
