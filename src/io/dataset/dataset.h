/* dataset.h - one split of a dataset in an HDF5 file, or several that count as one: docs/data.md is
 * the layout. A sample has up
 * to DATASET_MAX_FIELDS fields: an image, a label, a mask, another image ... Everything that can be
 * wrong with it is found by dataset_open. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"

#include <stdbool.h>
#include <stdint.h>

enum { DATASET_FIELD_NAME = 32, DATASET_MAX_FIELDS = 8, DATASET_BOX = 5 /* numbers of a box */ };

#define DATASET_CACHE_BYTES ((int64_t)1 << 30)

enum dataset_kind {
    DATASET_BYTES = 1, /* unsigned char, 0 .. 255 */
    DATASET_REALS,     /* float, as stored */
    DATASET_CLASS,     /* int32_t, 0 .. classes - 1, and -1: does not count */
    DATASET_ENCODED,   /* files of pictures, JPEG or PNG among others, for dataset_read_encoded */
};

/* One thing that a sample consists of, under the name that the job language uses. */
struct dataset_field {
    char name[DATASET_FIELD_NAME]; /* "image", "label" */
    /* image: [h, w, c]; mask: [h, w]; rank 0: one number; encoded images: [0, 0, c], as each has
     * its own height and width, and c is what they are decoded to */
    struct shape sample;
    enum dataset_kind kind;
    bool image; /* [h, w, c] to look at: what brightens images brightens it */
    /* [max, 5]: x1, y1, x2, y2 in pixels of the image, and a class; rows of class -1 are none */
    bool boxes;
    bool masks; /* [max, h, w] bytes: of each box, which pixels of the image it is about; not 0 */
    bool unpaired; /* row i does not belong to sample i, and rows may differ from dataset_len */
    int64_t rows;
};

struct dataset;

/* Open "path:group", as in data/cifar10.h5:train; "path" alone where there is one group, or none;
 * or several of them as one, "a.h5:x + b.h5:y", "a.h5, b.h5", "shards/?.h5:train" (dataset_spec.h):
 * their samples one after another, their classes by name.
 *   cache_bytes  fields are kept in memory if they take at most so much together, else read per
 *                batch; DATASET_CACHE_BYTES is the usual choice, 0 never keeps them
 * Errors: ERR_IO or ERR_DATA, beginning with the path, naming what was found and what was expected;
 * of parts that do not belong together, both of them; ERR_CONFIG for a spec that is none.
 * Cost: reads all classes, and everything where it is kept. */
int dataset_open(struct dataset **out, const char *spec, int64_t cache_bytes, struct err *err);

struct h5_files;

/* How a dataset is opened beside others of this process and of its host. */
struct dataset_memory {
    int64_t bytes; /* as cache_bytes */
    /* Memory to keep fields in, of so many bytes, at a multiple of 64, which outlives the dataset;
     * NULL, with err: there is not so much. Called once for each file that is kept, in their order.
     *   filled  false before; true: somebody else reads into it, by the time that it is needed
     * NULL: the dataset has memory of its own. */
    void *(*take)(void *context, size_t bytes, bool *filled, struct err *err);
    void *context;
    bool indexed;           /* dataset_index_save will be asked for it */
    bool unhashed;          /* what is read is not compared with what was written */
    struct h5_files *files; /* open files to be shared; borrowed while it opens; NULL: none are */
};

/* dataset_open in such memory. */
int dataset_open_in(struct dataset **out, const char *spec, const struct dataset_memory *memory,
                    struct err *err);

/* NULL is fine. */
void dataset_close(struct dataset *ds);

/* The spec it was opened with, "data/x.h5:train"; for messages. */
const char *dataset_name(const struct dataset *ds);

/* Number of samples, at least 1. */
int64_t dataset_len(const struct dataset *ds);

/* The fields of a sample: image and label first where there are such, then the others by name. */
int dataset_n_fields(const struct dataset *ds);
const struct dataset_field *dataset_field(const struct dataset *ds, int i);

/* The number of the field of that name, or -1. */
int dataset_find_field(const struct dataset *ds, const char *name);

/* Datasets of the group that are no fields, each with the reason; "" where there are none. */
const char *dataset_ignored(const struct dataset *ds);

/* What was guessed of the fields where file, names and types left it open, a sentence a line with
 * how to say otherwise; "" where nothing was. Borrowed. */
const char *dataset_guesses(const struct dataset *ds);

/* Number of classes of field i: of class names where the file has them, else 1 + the largest; 0
 * where it is no class, and has no boxes of classes. */
int dataset_field_classes(const struct dataset *ds, int i);

/* How often each class of field i occurs, [classes] (pixels of maps, boxes); NULL where it is no
 * class. */
const int64_t *dataset_class_counts(const struct dataset *ds, int i);

/* Name of a class of field i: from the file, else its number as text. Borrowed. */
const char *dataset_class_name(const struct dataset *ds, int i, int class);

/* Are the classes of field i known by names? Otherwise their names are their numbers. */
bool dataset_classes_named(const struct dataset *ds, int i);

/* The first row of field i in which each class occurs, [classes]; -1: in none, or the file was
 * believed how often each occurs, and not read. NULL where it is no class. */
const int64_t *dataset_class_first(const struct dataset *ds, int i);

/* The classes of a field as somebody else counts them. */
struct class_list {
    const char *const *name; /* [n]; NULL: they are known by their numbers only */
    int n;
    const char *whose; /* for messages: "a.h5:train" */
};

/* From now on field i counts its classes as the list does: number, names, labels, counts and what
 * is read. Named classes are matched by name. Where one side has numbers only, number k is the
 * list's class k, and there may be no more numbers than names; where both have, there are at least
 * list->n classes from now on.
 * Errors: ERR_DATA, naming both lists and a sample, where a class that occurs has no place in the
 * list. */
int dataset_map_classes(struct dataset *ds, int i, const struct class_list *list, struct err *err);

/* The list of field i of ds, of which everything is borrowed. */
struct class_list dataset_class_list(const struct dataset *ds, int i);

/* "cat, dog, eel"; "only numbers, 0 to 2"; of a long list its beginning and how many there are.
 * Returns text. */
enum { CLASS_LIST_TEXT = 300 };
const char *class_list_text(const struct class_list *list, char text[CLASS_LIST_TEXT]);

/* Are two lists the same, in order and names? */
bool class_list_equal(const struct class_list *a, const struct class_list *b);

/* Per channel of field i, [c], of pixel values scaled to 0 .. 1 (of floats as stored); NULL where
 * the file does not say. Both or none. */
const float *dataset_mean(const struct dataset *ds, int i);
const float *dataset_std(const struct dataset *ds, int i);

/* xxh3 of the data as the files have them: names, shapes, stored types, class names and counts,
 * mean and std, all labels, and the values: all of those in memory; of others what the attribute
 * content_hash says of them, where there is one, and some 64 rows of each field. The same on all
 * ranks; where there is no content_hash, another cache_bytes may give another. A run is resumed on
 * the same data only. */
uint64_t dataset_fingerprint(const struct dataset *ds);

/* All labels of field i, [rows], -1 <= label < classes; NULL where it is not one class a sample.
 * Borrowed. */
const int32_t *dataset_labels(const struct dataset *ds, int i);

/* Where field i is in the file: "/train/images". Borrowed. */
const char *dataset_field_path(const struct dataset *ds, int i);

/* " at [0, 3, 1]" of number k of a sample of that shape; "" where it is the only one. Returns text.
 */
enum { DATASET_PLACE_TEXT = 128 };
const char *dataset_place(const struct shape *sample, int64_t k, char text[DATASET_PLACE_TEXT]);

/* Is everything in memory, so that reading cannot fail or wait? */
bool dataset_in_memory(const struct dataset *ds);

/* Bytes of its fields that are kept in memory, and that are read from files when they are asked
 * for; labels, which are always kept, in neither. */
int64_t dataset_kept_bytes(const struct dataset *ds);
int64_t dataset_unkept_bytes(const struct dataset *ds);

/* The files that count as one, at least 1, and a line on each of them for messages: "a.h5:train:
 * 50000 samples, fingerprint 0123456789abcdef of all values". Returns text. */
enum { DATASET_PART_TEXT = 256 };
int dataset_n_parts(const struct dataset *ds);
const char *dataset_part_text(const struct dataset *ds, int k, char text[DATASET_PART_TEXT]);

/* The part of the dataset that row `row` of field i comes from, "a.h5:x", and which of its rows it
 * is there; for messages. */
const char *dataset_origin(const struct dataset *ds, int i, int64_t row, int64_t *row_there);

/* Copy rows index[0 .. n-1] (each 0 <= index < rows, any order, repeats allowed) of field i to
 * out[n, sample]: unsigned char, float or int32_t as its kind says. Not for two threads at a time
 * on one dataset. Errors: ERR_IO when the file cannot be read any more, ERR_DATA when it holds
 * other classes than it says, or what it reads is not what was written. */
int dataset_read(struct dataset *ds, int i, const int64_t *index, int64_t n, void *out,
                 struct err *err);

/* An encoded picture. */
struct dataset_blob {
    const unsigned char *bytes;
    size_t len;
};

/* Memory that grows to what is read into it; {0} is releasable. */
struct dataset_buffer {
    unsigned char *bytes;
    size_t room;
};

/* The encoded pictures of rows index[0 .. n-1] of field i, which is DATASET_ENCODED; any order,
 * repeats allowed.
 *   out     [n] in the order of index; valid until the buffer is used again or the dataset closed
 *   buffer  what is not in memory already is read into it
 * Not for two threads at a time on one dataset. Errors: ERR_IO when the file cannot be read any
 * more or there is no memory, ERR_DATA when it is damaged or no longer what was written. What the
 * bytes hold is not looked at. */
int dataset_read_encoded(struct dataset *ds, int i, const int64_t *index, int64_t n,
                         struct dataset_blob *out, struct dataset_buffer *buffer, struct err *err);
void dataset_buffer_release(struct dataset_buffer *buffer);

/* Rows of field i that are compared together with what was written, whenever some of them are read;
 * 0: its file does not say what was, or is not asked (row_hash.h). */
int64_t dataset_hashed_rows(const struct dataset *ds, int i);

/* xxh3 of a row as dataset_read gives it, or of the bytes of an encoded picture. */
int dataset_row_hash(struct dataset *ds, int i, int64_t row, uint64_t *hash, struct err *err);

/* What row `row` of field i is called, for messages: "sample 17 (n01440764/10026.JPEG) of
 * a.h5:train", without the name where the file has none. Reads the file. Returns text. */
enum { DATASET_ROW_TEXT = 512 };
const char *dataset_row_text(struct dataset *ds, int i, int64_t row, char text[DATASET_ROW_TEXT]);

/* The name alone that the file gives a row, as that of the picture it is from; "" where it gives
 * none. Reads the file. Returns text. */
const char *dataset_row_name(struct dataset *ds, int i, int64_t row, char text[DATASET_ROW_TEXT]);
