/* dataset_kind.h - what is decided about a field: its kind and the order of its dimensions. */
#pragma once
#include "io/dataset/dataset_private.h"

/* What is known of a field before its kind. */
struct found {
    const struct layout_field *at;
    const struct h5_info *info;
    bool is_image, is_label; /* by name */
    bool is_class;           /* its name says class numbers, of samples or of pixels: mask_2, y */
    bool says_label;         /* label or labels, and no less */
    bool is_boxes;           /* boxes or bboxes, of 5 numbers each */
    bool is_table;           /* x, X or data of rows of numbers */
    bool whole, bytes;       /* integers; uint8 */
    char *kind;              /* the attribute, or NULL */
};

/* Decide what field i is: fills kind, image and sample of the field and the order of the column.
 * Errors: ERR_DATA naming the dataset, what it holds, and how to say what it is. */
int dataset_kind(struct dataset *ds, int i, const struct dataset_layout *at, const struct found *f,
                 struct err *err);

/* Find whether the file holds [n, c, ...] in place of [n, ..., c]: its attribute layout says so;
 * where `guess` is set, so do its dimensions. Sets channels_first, and says what was guessed.
 * Errors: ERR_DATA where both are as likely, or layout is none. */
int dataset_order(struct dataset *ds, int i, const struct dataset_layout *at, const struct found *f,
                  bool guess, struct err *err);

enum { FOUND_TEXT = 128 };

/* What the dataset holds: "uint8 [n, 32, 32, 3]". Returns text. */
const char *dataset_found_text(const struct found *f, char text[FOUND_TEXT]);

/* Refuse field f as "<file>: <dataset> is uint8 [n, 3, 32, 3]<why>". Returns -1. */
int dataset_refuse(const struct dataset *ds, const struct found *f, struct err *err,
                   const char *why, ...) __attribute__((format(printf, 4, 5)));

/* Numbers up to this are taken for classes rather than for levels of grey. */
enum { LOOK_SMALL = 31 };

enum look_for {
    LOOK_WHOLE,   /* whole numbers */
    LOOK_FEW,     /* none above LOOK_SMALL */
    LOOK_ONE_HOT, /* rows of zeros and a single one */
};

struct look {
    bool all;    /* every row is so; otherwise: */
    int64_t row; /* the first that is not */
    float value; /* and a number of it that is not */
};

/* Look through a dataset until a row is not what is looked for. */
int dataset_look(struct h5_data *data, enum look_for what, struct look *out, struct err *err);
