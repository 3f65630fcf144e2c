#include "io/import/volume_pairs.h"

#include <string.h>
#include <strings.h>

/* Is that a folder of images, of masks? */
static bool is_one_of(const char *name, const char *const *names) {
    for (; *names; names++)
        if (strcasecmp(name, *names) == 0)
            return true;
    return false;
}

bool volume_is_images(const char *name) {
    static const char *const names[] = {"image", "images", "img", "imagesTr", "volumes", NULL};

    return is_one_of(name, names);
}

bool volume_is_masks(const char *name) {
    static const char *const names[] = {"mask",     "masks", "label",         "labels",
                                        "labelsTr", "seg",   "segmentations", NULL};

    return is_one_of(name, names);
}

/* A name without folders and .nii or .nii.gz: its length. */
static const char *stem(const char *path, size_t *len) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    *len = strlen(name);
    *len -= *len > 7 && strcasecmp(name + *len - 7, ".nii.gz") == 0 ? 7 : 4;
    return name;
}

const char *volume_mask_of(const struct class_files *f, int64_t image) {
    size_t len, other;
    const char *name = stem(f->path[image], &len);

    for (int64_t i = 0; i < f->n; i++) {
        const char *mask = stem(f->path[i], &other);

        if (volume_is_masks(f->class_name[f->class[i]]) && f->split[i] == f->split[image] &&
            len == other && strncmp(name, mask, len) == 0)
            return f->path[i];
    }
    return NULL;
}
