/* boxed.h - pictures with boxes: what the importers of detection datasets gather, and how it is
 * written: the fields image, boxes and difficult. */
#pragma once
#include "core/base/pool.h"
#include "io/import/import.h"

enum { BOXED_SPLITS = 8 };

struct boxed_box {
    double x1, y1, x2, y2; /* pixels of the picture, x2 and y2 exclusive; or shares of its sides */
    int class;
    bool difficult;
    int line; /* of the file that it is from; 0: not known */
};

struct boxed_picture {
    const char *path;  /* of the picture */
    const char *about; /* the file that its boxes are from, for messages */
    int first, n;      /* its boxes */
    int width, height; /* 0: not said; then as found */
};

/* {0} is releasable; everything is the pool's. */
struct boxed {
    struct pool pool;
    struct boxed_picture *picture;
    struct boxed_box *box;
    const char **class;
    int32_t *split_of; /* [n_pictures] */
    const char *split[BOXED_SPLITS];
    int n_pictures, n_boxes, n_classes, n_splits;
    bool shares; /* boxes are shares of the picture's sides */
};

void boxed_release(struct boxed *b);

/* One more picture of a split, and one more box of the picture that was added last. */
void boxed_add_picture(struct boxed *b, const char *path, const char *about, int split);
void boxed_add_box(struct boxed *b, const struct boxed_box *box);

/* The number of a class, which is added where it is new. */
int boxed_class(struct boxed *b, const char *name);

/* Put the classes in the order of their names, and boxes likewise. */
void boxed_sort_classes(struct boxed *b);

/* Bring all pictures to one size, their boxes along, and write them. Errors: ERR_DATA naming the
 * picture of another size, the box that has no area or is outside of its picture. */
int boxed_write(struct boxed *b, const char *source, const char *target,
                const struct import_options *options, struct import_result *result,
                struct err *err);
