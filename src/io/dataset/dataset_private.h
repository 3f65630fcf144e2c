/* dataset_private.h - what opening and reading a dataset share. */
#pragma once
#include "io/dataset/dataset.h"
#include "io/dataset/dataset_layout.h"
#include "io/h5/h5.h"

struct wanted {
    int64_t row, at; /* in the file, in the batch */
};

/* A field in the file and in memory. */
struct column {
    char path[LAYOUT_PATH]; /* of its dataset */
    struct h5_data *data;   /* NULL where it is kept */
    enum h5_type type;      /* as it is read and kept: H5_TYPE_U8, _I32 or _F32 */
    size_t row_bytes;       /* of that type */
    bool channels_first;    /* in the file: [n, c, h, w] */
    bool void_255;          /* of H5_TYPE_I32: 255 in the file does not count, and is read as -1 */
    unsigned char *kept;    /* [rows, sample], channels last; NULL: not kept */
    int n_classes;
    char **class_name; /* [n_classes] */
    int64_t *counts;   /* [n_classes] */
    float *mean, *std; /* [c] or NULL */
};

struct dataset {
    char *name;
    struct h5 *file; /* NULL where everything is in memory */
    struct dataset_field field[DATASET_MAX_FIELDS];
    struct column column[DATASET_MAX_FIELDS];
    int n_fields;
    int64_t len;
    bool declared; /* the file says that it has the layout of this program's files */
    char ignored[LAYOUT_IGNORED];
    char *guesses; /* as dataset_guesses gives them, or NULL */
    uint64_t fingerprint;
    unsigned char *run;    /* rows as in the file, column_run_rows of the longest */
    struct wanted *wanted; /* [most_wanted] */
    int64_t most_wanted;
};

/* Where attributes of field i are looked for. */
struct attr_homes {
    const char *path[3];
    int n;
};

/* The dataset itself, and for the field that they are of the group and the file. */
struct attr_homes dataset_attr_homes(const struct dataset_layout *at, int field, bool shared);

/* The first of the homes that has the attribute in *home, or NULL. */
int dataset_attr(const struct dataset *ds, const struct attr_homes *homes, const char *name,
                 const char **home, struct err *err);

int dataset_no_memory(const struct dataset *ds, struct err *err);

/* Add a sentence, without its end, to what was guessed. */
int dataset_guess(struct dataset *ds, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The sizes of one sample: numbers, and numbers of one row in the file. */
static inline int64_t dataset_sample_len(const struct dataset_field *f) {
    return f->sample.rank ? shape_len(&f->sample) : 1;
}

/* Decide what field i is, from its open dataset and its attributes: fills field and column.
 * Errors: ERR_DATA naming the dataset, what it holds and what was expected. */
int dataset_column_init(struct dataset *ds, int i, const struct dataset_layout *at,
                        struct err *err);

/* Find the classes of field i: names, their number and counts. Every value is checked. Rank 0 must
 * be kept before. Errors: ERR_DATA naming the first wrong value and its sample. */
int dataset_classes_init(struct dataset *ds, int i, const struct attr_homes *homes,
                         struct err *err);

/* Find whether 255 stands for what does not count in maps of integers wider than a byte, once names
 * of classes are known: it does where no class is named or counted so, and all others are below
 * 254. Errors: ERR_DATA where 254 and 255 occur, and may both be classes. */
int dataset_find_void(struct dataset *ds, int i, struct err *err);

/* The number k of a row of field i as the file stores it, for messages: column.type may have no
 * room for it. `as_read` where that cannot be read. */
int64_t dataset_stored_value(const struct dataset *ds, int i, int64_t row, int64_t k,
                             int64_t as_read);

/* How many rows of a column are read at a time at most. */
int64_t column_run_rows(const struct column *c);

/* Read all rows to column->kept. */
int dataset_load(struct dataset *ds, int i, struct err *err);

/* 255 to -1 in classes[len]. */
void dataset_drop_void(int32_t *classes, int64_t len);

/* Read rows first .. first + n - 1, n <= column_run_rows, to ds->run, in the order of the file. */
int dataset_read_run(struct dataset *ds, int i, int64_t first, int64_t n, struct err *err);
