/* measured.h - which of the boxes found are hits: what map, class_map, average_recall and pr_curve
 * are made of. They are of all samples at once, op_meaning.whole; x are
 *   found [n, k, 6], boxes [n, m, 5], and up to three more, each a number where there is none:
 *   difficult, crowd [n, m]  not 0: finding this box is neither right nor wrong
 *   overlap [n, k, m]        of masks, in place of that of boxes: mask_overlap
 *
 * Two sets of rules. COCO (https://cocodataset.org/#detection-eval): a box found takes the box of
 * its class that it overlaps most of those that are not taken, first of those that count; a crowd
 * is never taken, and its overlap is the share of what was found that lies in it. Pascal VOC (its
 * development kit of 2012, section 3.4.1): it goes for the box of its class that it overlaps most,
 * and is wrong where a better one has had it. */
#pragma once
#include "core/ops/detect/box.h"
#include "core/ops/op.h"

enum measured_kind { MEASURED_COCO, MEASURED_AREA, MEASURED_VOC11 };

struct measured_args {
    struct reals iou; /* one 0: those of COCO */
    int kind;
    int most; /* of a class in a picture; 0: all */
    double above, below;
    int classes, points;
};

extern const char *const measured_kinds[];

#define MEASURED_IOU                                                                               \
    {                                                                                              \
        .name = "iou", .kind = ARG_REALS, .offset = offsetof(struct measured_args, iou), .min = 0, \
        .max = 1,                                                                                  \
        .help = "least overlap of a hit; of several the mean; 0: 0.5, 0.55 .. 0.95, as COCO"       \
    }
#define MEASURED_KIND                                                                              \
    {                                                                                              \
        .name = "kind", .kind = ARG_WORD, .offset = offsetof(struct measured_args, kind),          \
        .words = measured_kinds,                                                                   \
        .help = "101 points by the rules of COCO; or by those of Pascal VOC the area under the "   \
                "curve, or 11 points"                                                              \
    }
#define MEASURED_MOST(usual)                                                                       \
    {                                                                                              \
        .name = "most", .kind = ARG_INT, .offset = offsetof(struct measured_args, most),           \
        .fallback = (usual), .min = 0, .max = -1,                                                  \
        .help = "boxes found of a class in a picture that count, the best; 0: all"                 \
    }
/* Two specs. */
#define MEASURED_AREAS                                                                             \
    {.name = "above",                                                                              \
     .kind = ARG_REAL,                                                                             \
     .offset = offsetof(struct measured_args, above),                                              \
     .min = 0,                                                                                     \
     .max = 1e12,                                                                                  \
     .help = "least area of a box that counts, square pixels"},                                    \
    {                                                                                              \
        .name = "below", .kind = ARG_REAL, .offset = offsetof(struct measured_args, below),        \
        .fallback = 1e12, .min = 0, .max = 1e12, .help = "largest area, square pixels"             \
    }
#define MEASURED_CLASSES                                                                           \
    {                                                                                              \
        .name = "classes", .kind = ARG_INT, .offset = offsetof(struct measured_args, classes),     \
        .min = 1, .max = 100000, .required = true,                                                 \
        .help = "classes of the boxes; others are left out"                                        \
    }

/* Shapes and memory; y is left to the caller. Errors: ERR_CONFIG, beginning with name. */
int measured_plan(const char *name, const struct measured_args *a, const struct shape *x, int n_x,
                  struct op_plan *plan, struct err *err);

/* One: it is no mean. */
double measured_count(const struct op_call *c);

enum measured_state { MEASURED_WRONG, MEASURED_HIT, MEASURED_NEITHER };

/* One of the boxes found. */
struct measured_row {
    double class, score;
    int64_t at; /* row, counted through all samples */
};

/* In the scratch of the call. */
struct measured {
    const struct op_call *c;
    const struct measured_args *a;
    int64_t n, k, m;
    struct measured_row *row; /* [n_rows] by class, then the best first, then by sample and row */
    int64_t n_rows;
    double *class; /* [n_classes] of each box that counts, sorted */
    int64_t n_classes;
    double *precision;            /* [n k] of the curve */
    int64_t *recalled;            /* [n k] hits of the curve */
    int64_t *seen;                /* [n] rows of the class so far */
    unsigned char *state, *taken; /* [n k] enum measured_state, in the order of row; [n m] */
    bool finite;                  /* no score is nan */
};

struct measured measured_begin(const struct op_call *c);

/* How many values of iou there are, and which. */
int measured_n_iou(const struct measured_args *a);
double measured_iou(const struct measured_args *a, int i);

/* Set the state of all rows. */
void measured_match(struct measured *m, double iou);

/* A class of which there are boxes that count. */
struct measured_class {
    double class;
    int64_t boxes;    /* that count */
    int64_t first, n; /* rows */
    int64_t at;       /* private: where the next class begins */
};

/* The next one, of {0} at first; false: there are no more. */
bool measured_next(const struct measured *m, struct measured_class *k);

/* Hits of the class. */
int64_t measured_hits(const struct measured *m, const struct measured_class *k);

/* The curve of the class: precision[i] is the best with recalled[i] hits or more. Returns its
 * length. */
int64_t measured_curve(struct measured *m, const struct measured_class *k);

/* Average precision of the class, as a->kind says. */
double measured_average(struct measured *m, const struct measured_class *k);

/* The best precision at that recall or more, on a curve of n points from *from on, which is moved
 * there: recalls are asked for in rising order. */
double measured_precision(const struct measured *m, const struct measured_class *k, int64_t n,
                          double recall, int64_t *from);
