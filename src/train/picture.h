/* picture.h - grids of what networks see and make, as PNG files: a row of tiles for each sample,
 * one tile for each tensor of `show`. */
#pragma once
#include "train/feeds.h"
#include "train/replica.h"

/* Can it be drawn? Images are [n, h, w, 1 or 3], class maps [n, h, w]; behind an image, and drawn
 * on it: boxes [n, m, 4 to 6], as core/ops/detect/box.h has them, and behind those masks
 * [n, m, h, w] of the picture, or of what is in each box.
 * Errors: ERR_CONFIG with the place of the picture. */
int picture_check(const struct replica_picture *picture, struct err *err);

/* The samples that pictures are made of: the first of the validation set, always the same. */
struct gallery {
    struct loader *loader; /* keeps them; NULL: not open */
    struct loader_batch samples;
    const struct dataset *dataset; /* borrowed: the names of its classes */
};

/* Read them, through the feed of the validation and before that is asked for anything: what has
 * been opened and checked is not opened again. The feed is borrowed until gallery_release. Errors:
 * those of reading. */
int gallery_init(struct gallery *g, const struct job *job, const struct feeds *feeds,
                 struct err *err);

/* {0} is fine. */
void gallery_release(struct gallery *g);

enum { GALLERY_PATH = 1024 };

/* Compute picture number i of the replica, whose gallery is open, and write folder/NAME_STEP.png,
 * whose path goes to file. Its randomness is the same every time. Errors: ERR_IO. */
int gallery_draw(const struct gallery *g, const struct replica *r, int i, const char *folder,
                 int64_t step, char file[GALLERY_PATH], struct err *err);
