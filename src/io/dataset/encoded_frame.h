/* encoded_frame.h - what a dataset file of encoded pictures has beside their bytes: these may be
 * written before it, where encoded_frame_place says, so that nothing is written twice. */
#pragma once
#include "core/base/err.h"
#include "io/dataset/content_hash.h"
#include "io/dataset/row_hash.h"

#include <stdint.h>

struct encoded_group {
    const char *name;
    int64_t place, bytes;      /* where its pictures lie in the file, end to end */
    const int64_t *offset;     /* [n + 1] of each among them */
    const int32_t *label;      /* [n] */
    const char *const *sample; /* [n] what they are called */
    int64_t n;
    const struct content_hash *hash; /* of the bytes */
    struct row_hash *rows;           /* of each picture's */
};

struct encoded_frame {
    const struct encoded_group *group; /* [n_groups] */
    int n_groups;
    int channels;           /* what pictures are decoded to: 1 or 3 */
    double mean[3], std[3]; /* of pixels scaled to 0 .. 1 */
    const char *const *class_name;
    int n_classes;
};

/* From which byte of the file the pictures of group k lie, once those of the groups before it are
 * known: group[0 .. k-1].place and bytes. `frame` is written on the way. Errors: ERR_IO. */
int encoded_frame_place(const char *frame, const struct encoded_group *group, int n_groups, int k,
                        int64_t *place, struct err *err);

/* Write the file `frame`, all but the bytes of pictures, and then all of it into `data`, which
 * holds those; both are brought to the disk. Errors: ERR_IO. */
int encoded_frame_write(const struct encoded_frame *frame, const char *path, const char *data,
                        struct err *err);
