/* dataset_private.h - what opening and reading a dataset share. */
#pragma once
#include "io/dataset/content_hash.h"
#include "io/dataset/dataset.h"
#include "io/dataset/dataset_layout.h"
#include "io/dataset/row_hash.h"
#include "io/h5/h5.h"
#include "io/h5/h5_raw.h"

struct wanted {
    int64_t row, at; /* in the file, in the batch */
};

/* A field in the file and in memory. */
struct column {
    char path[LAYOUT_PATH]; /* of its dataset */
    struct h5_data *data;   /* NULL where it is kept */
    enum h5_type type;      /* as it is read and kept: H5_TYPE_U8, _I32 or _F32 */
    size_t row_bytes;       /* of that type; of encoded pictures 1 */
    bool channels_first;    /* in the file: [n, c, h, w] */
    bool void_255;          /* of H5_TYPE_I32: 255 in the file does not count, and is read as -1 */
    unsigned char *kept;    /* [rows, sample], channels last; NULL: not kept */
    int64_t
        *offset; /* encoded pictures: [rows + 1] where each begins in the bytes of all of them */
    struct h5_blob *blob; /* [rows] and where it is in the file, where they do not lie end to end */
    char names[LAYOUT_PATH];  /* dataset of what they were called, or "" */
    struct row_hashes hashes; /* what rows should hold */
    bool indexed;             /* offset and hashes are in an index that somebody else has */
    bool lent;                /* kept is somebody else's */
    uint64_t hash;            /* of kept, where it is lent; as the file has it, of its own rank */
    int n_classes;
    char **class_name; /* [n_classes] */
    bool named;        /* by the file */
    bool enumerated;   /* its type has names, which are not read */
    int64_t *counts;   /* [n_classes] */
    int64_t *first;    /* [n_classes] as dataset_class_first */
    int32_t *map;      /* [n_map] the file's classes as they are counted, where that differs */
    int n_map;
    float *mean, *std; /* [c] or NULL */
};

/* One of the files that count as one dataset. */
struct dataset_part {
    struct dataset *ds;
    int field[DATASET_MAX_FIELDS];     /* where it has each field of the whole */
    int64_t begin[DATASET_MAX_FIELDS]; /* which of the field's rows is its first */
};

/* One group of a file; or several, `part`, whose fields are joined here. */
struct dataset {
    char *name;
    char *path;                /* of the file; NULL of parts together */
    char group[LAYOUT_PATH];   /* of the file */
    bool kept;                 /* all its fields are in memory */
    struct h5 *file;           /* NULL where everything is in memory, or in the parts */
    struct dataset_part *part; /* [n_parts] */
    int n_parts;
    const char *const *files; /* [len] of dataset_of_files, borrowed; NULL: it is in HDF5 */
    struct dataset_field field[DATASET_MAX_FIELDS];
    struct column column[DATASET_MAX_FIELDS];
    int n_fields;
    int64_t len;
    bool declared; /* the file says that it has the layout of this program's files */
    char ignored[LAYOUT_IGNORED];
    char *guesses; /* as dataset_guesses gives them, or NULL */
    uint64_t fingerprint;
    uint64_t witness; /* of dataset_take_witness, where others are to compare theirs; else 0 */
    enum {
        HASHED_ROWS,   /* some field by a few rows only */
        HASHED_BEFORE, /* some field by what the file says of its contents, and a few rows */
        HASHED_ALL,
    } hashed;           /* what the fingerprint is of; the least of all fields */
    int n_alike;        /* files that count as one with this one, itself among them */
    unsigned char *run; /* rows as in the file, column_run_rows of the longest; shared by parts */
    unsigned char *joined; /* rows of a part on their way into a batch */
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

/* Add a sentence, without its end, to dataset_guesses. */
int dataset_guess(struct dataset *ds, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The sizes of one sample: numbers, and numbers of one row in the file. */
static inline int64_t dataset_sample_len(const struct dataset_field *f) {
    return f->sample.rank ? shape_len(&f->sample) : 1;
}

/* Bytes of one row as dataset_read gives it. */
static inline size_t dataset_out_bytes(const struct dataset_field *f) {
    return (size_t)dataset_sample_len(f) * (f->kind == DATASET_BYTES ? 1 : sizeof(float));
}

/* Find what the file says that rows of field i held when they were written; of none where it does
 * not, or where they are read as other numbers than are stored. Errors: those of row_hashes_read.
 */
int dataset_hashes_init(struct dataset *ds, int i, struct err *err);

/* Are rows first .. first + n - 1 of field i, bytes as stored, what was written? An encoded
 * picture? A row that is kept, where it is so as it is stored and has a hash of its own? Errors:
 * ERR_DATA naming the first rows that are not. */
int dataset_check_rows(const struct dataset *ds, int i, int64_t first, int64_t n, const void *bytes,
                       struct err *err);
int dataset_check_picture(struct dataset *ds, int i, int64_t row, const struct dataset_blob *blob,
                          struct err *err);
int dataset_check_kept(const struct dataset *ds, int i, int64_t row, struct err *err);

/* Decide what field i is, from its open dataset and its attributes: fills field and column.
 * Errors: ERR_DATA naming the dataset, what it holds and what was expected. */
int dataset_column_init(struct dataset *ds, int i, const struct dataset_layout *at,
                        struct err *err);

/* The same for a field of encoded pictures: where each of them lies, which is checked. Errors:
 * ERR_DATA for places that cannot be, and where the first of them is none. */
int dataset_encoded_init(struct dataset *ds, int i, const struct dataset_layout *at,
                         struct err *err);

/* Bytes of all rows of field i, as they would be kept. */
int64_t dataset_field_bytes(const struct dataset *ds, int i);

/* Does the dataset store what its shape claims? Otherwise rows would be read as zeros. */
int dataset_check_stored(const struct dataset *ds, const char *path, const struct h5_info *info,
                         struct err *err);

/* Find where the file has each encoded picture of any length, [rows] in column->blob. */
int dataset_find_blobs(struct dataset *ds, int i, struct err *err);

/* Read all encoded pictures to column->kept. */
int dataset_load_encoded(struct dataset *ds, int i, struct err *err);

/* Find the classes of field i: names, their number and counts. Every value is checked. Rank 0 must
 * be kept before. Errors: ERR_DATA naming the first wrong value and its sample. */
int dataset_classes_init(struct dataset *ds, int i, const struct attr_homes *homes,
                         struct err *err);

/* Class names of field i, where the file has them. Errors: ERR_DATA for an empty list. */
int dataset_read_names(struct dataset *ds, int i, const struct attr_homes *homes, struct err *err);

/* The same of boxes: classes, and every number is checked. Where images have one size, no box is
 * outside of it, and that some reach over its edge is said. Errors: ERR_DATA naming sample and box.
 */
int dataset_boxes_init(struct dataset *ds, int i, const struct attr_homes *homes, struct err *err);

/* Check boxes of field i that were read after it was opened, rows[n, max, 5] of rows index[n], and
 * map their classes. Errors: ERR_DATA as above. */
int dataset_boxes_read(const struct dataset *ds, int i, const int64_t *index, int64_t n,
                       float *rows, struct err *err);

/* Find whether 255 stands for what does not count in maps of integers wider than a byte, once names
 * of classes are known: it does where no class is named or counted so, and all others are below
 * 254. Errors: ERR_DATA where 254 and 255 occur, and may both be classes. */
int dataset_find_void(struct dataset *ds, int i, struct err *err);

/* Say what the classes of field i, counted and not named by the file, may have been meant as: names
 * in other places, numbers from 1 or with gaps; and of floats that they look like bytes. */
int dataset_doubt_classes(struct dataset *ds, int i, const struct attr_homes *homes,
                          struct err *err);
int dataset_doubt_scale(struct dataset *ds, int i, struct err *err);

/* The number k of a row of field i as the file stores it, for messages: column.type may have no
 * room for it. `as_read` where that cannot be read. */
int64_t dataset_stored_value(const struct dataset *ds, int i, int64_t row, int64_t k,
                             int64_t as_read);

/* How many rows of a column are read at a time at most: whole hashes of them. */
int64_t column_run_rows(const struct column *c);

/* Read all rows to column->kept. */
int dataset_load(struct dataset *ds, int i, struct err *err);

/* Read rows first .. first + n - 1, n <= column_run_rows, to ds->run, as in the file, and compare
 * those whose hashes are of no others. */
int dataset_read_run(struct dataset *ds, int i, int64_t first, int64_t n, struct err *err);

/* Classes of field i as the file has them, [len], to what they are counted as. Errors: ERR_DATA
 * where one of them has no place. */
int dataset_map_read(const struct dataset *ds, int i, int32_t *classes, int64_t len,
                     struct err *err);

/* Free what a column knows of classes. */
void dataset_classes_release(struct column *c);

/* The numbers 0 .. n - 1 as names, or copies of the list's (numbers where it has none), for the
 * caller to give to h5_texts_free; NULL without memory. */
char **dataset_number_names(int n);
char **dataset_copy_names(const struct class_list *list);

/* Open one group of a file.
 *   n_parts  files that count as one with it, itself among them */
int dataset_open_file(struct dataset **out, const char *spec, const struct dataset_memory *memory,
                      int n_parts, struct err *err);

/* Bytes of field i that are kept where there is memory for them: all, but of labels, which are kept
 * always, 0. */
int64_t dataset_cached_bytes(const struct dataset *ds, int i);

/* Take memory for all fields that may be kept, and point their columns there; *filled as `take` has
 * it, false where nothing is taken. */
int dataset_take_memory(struct dataset *ds, const struct dataset_memory *memory, bool *filled,
                        struct err *err);

/* Close the datasets' file, as everything is in memory. */
void dataset_close_file(struct dataset *ds);

/* The hash of what tells this file from others: shapes and storage of its fields, their attributes,
 * all labels, and some rows. All its datasets are open. Errors: as dataset_read. */
int dataset_take_witness(struct dataset *ds, uint64_t *out, struct err *err);

/* Parts are read one after another: one run is enough for all, and none of theirs is needed.
 * Returns the bytes that the part's had. */
size_t dataset_drop_run(struct dataset *part);

/* Memory for reading what is joined: rows on their way, and a run of so many bytes for all parts.
 */
int dataset_share_memory(struct dataset *ds, size_t run, struct err *err);

/* Find the fingerprint: of an open file before its classes are mapped, or of the parts.
 * Errors: the file's; ERR_DATA for an attribute content_hash that is none. */
int dataset_take_fingerprint(struct dataset *ds, struct err *err);

/* 255 to -1 in classes[len]. */
void dataset_drop_void(int32_t *classes, int64_t len);

/* Bytes that `run` has to have. */
size_t dataset_run_bytes(const struct dataset *ds);

/* Make field i of the whole of those of its parts: classes by name, labels, counts, statistics.
 * Errors: ERR_DATA naming two parts that cannot be joined. */
int dataset_join_field(struct dataset *ds, int i, struct err *err);

/* dataset_read of a field that is not in memory, from the parts. */
int dataset_read_parts(struct dataset *ds, int i, const int64_t *index, int64_t n, void *out,
                       struct err *err);

/* The part of a dataset of several that has that row of field i. */
const struct dataset_part *dataset_part_of(const struct dataset *ds, int i, int64_t row);

/* Fill ds->wanted with index[n], in the order of rows. */
int dataset_sort_rows(struct dataset *ds, const int64_t *index, int64_t n, struct err *err);

/* dataset_read_encoded of files that are none of HDF5; rows are in range. */
int dataset_read_files(struct dataset *ds, const int64_t *index, int64_t n,
                       struct dataset_blob *out, struct dataset_buffer *buffer, struct err *err);
