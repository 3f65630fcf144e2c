/* What one process finds of a dataset opens it in another, as long as the file is the same; memory
 * to keep it in may be somebody else's. */
#include "little.h"

#include "encoded.h"

#include "io/dataset/dataset_index.h"
#include "io/h5/h5_files.h"

#include <stdlib.h>
#include <string.h>

enum { N = 6, MANY = 600000, UNSEEN = 5000, ROOM = MANY + 64 };

static const int32_t labels[] = {0, 1, 2, 1, 0, 2};

/* Memory of this test, handed out as a host's would be. */
struct room {
    _Alignas(64) unsigned char bytes[ROOM];
    size_t used;
    bool filled; /* what the next who asks hears */
};

static void *take(void *context, size_t bytes, bool *filled, struct err *err) {
    struct room *room = context;
    unsigned char *at = room->bytes + room->used;

    room->used += (bytes + 63) / 64 * 64;
    *filled = room->filled;
    if (room->used <= ROOM)
        return at;
    err_set(err, ERR_IO, "the room is full");
    return NULL;
}

static struct dataset_memory memory_of(struct room *room, int64_t bytes) {
    return (struct dataset_memory){.bytes = bytes, .take = take, .context = room, .indexed = true};
}

/* Open a set as rank 0 does, which gives its index. */
static struct dataset *first(const char *spec, struct room *room, int64_t cache, void **index,
                             size_t *len) {
    const struct dataset_memory memory = memory_of(room, cache);
    struct dataset *ds = NULL;
    struct err err = {0};

    if (dataset_open_in(&ds, spec, &memory, &err) || dataset_index_save(ds, index, len, &err))
        fail_msg("%s", err.msg);
    return ds;
}

/* Open it as another rank does; NULL: the file is another. */
static struct dataset *second(const void *index, size_t len, struct room *room) {
    const struct dataset_memory memory = memory_of(room, 0);
    enum dataset_alike alike = 0;
    struct dataset *ds = NULL;
    struct err err = {0};

    if (dataset_index_open(&ds, index, len, &memory, &alike, &err))
        fail_msg("%s", err.msg);
    assert_true((alike == DATASET_ALIKE) == (ds != NULL));
    return ds;
}

static void same_field(struct dataset *a, struct dataset *b, int i) {
    const struct dataset_field *f = dataset_field(a, i), *g = dataset_field(b, i);
    const int n = dataset_field_classes(a, i);
    struct err err = {0};

    assert_string_equal(f->name, g->name);
    assert_true(shape_equal(&f->sample, &g->sample) && f->kind == g->kind && f->rows == g->rows);
    assert_int_equal(n, dataset_field_classes(b, i));
    for (int k = 0; k < n; k++) {
        assert_string_equal(dataset_class_name(a, i, k), dataset_class_name(b, i, k));
        assert_true(dataset_class_counts(a, i)[k] == dataset_class_counts(b, i)[k]);
        assert_true(dataset_class_first(a, i)[k] == dataset_class_first(b, i)[k]);
    }
    for (int64_t row = 0; row < f->rows; row++) {
        unsigned char x[16] = {0}, y[16] = {0};
        assert_int_equal(dataset_read(a, i, &row, 1, x, &err), 0);
        assert_int_equal(dataset_read(b, i, &row, 1, y, &err), 0);
        assert_memory_equal(x, y, sizeof x);
    }
}

static void same_dataset(struct dataset *a, struct dataset *b) {
    assert_string_equal(dataset_name(a), dataset_name(b));
    assert_true(dataset_len(a) == dataset_len(b));
    assert_true(dataset_fingerprint(a) == dataset_fingerprint(b));
    assert_string_equal(dataset_guesses(a), dataset_guesses(b));
    assert_true(dataset_in_memory(a) == dataset_in_memory(b));
    assert_int_equal(dataset_n_fields(a), dataset_n_fields(b));
    assert_int_equal(dataset_n_parts(a), dataset_n_parts(b));
    for (int i = 0; i < dataset_n_fields(a); i++)
        same_field(a, b, i);
}

/* One-pixel images of which only the one in the gap between those that a witness sees may differ.
 */
static void write_many(unsigned char odd) {
    const int64_t dim[] = {MANY, 1, 1, 1};
    static unsigned char pixels[MANY];
    static int32_t label[MANY];
    struct err err = {0};
    struct h5 *file;

    pixels[UNSEEN] = odd;
    assert_int_equal(h5_create(&file, in_scratch("many.h5"), &err), 0);
    assert_int_equal(h5_write(file, "/images", H5_TYPE_U8, 4, dim, pixels, &err), 0);
    assert_int_equal(h5_write(file, "/labels", H5_TYPE_I32, 1, dim, label, &err), 0);
    little_end(file);
}

static void write_parts(void) {
    little("a.h5", 10, labels, N, "ant bee cat");
    little("b.h5", 50, labels, N, "cat ant dog");
}

/* As one file and as two, whose classes have other numbers; in memory and not. */
static void an_index_opens_what_it_is_of(void **state) {
    (void)state;
    write_parts();
    for (int parts = 1; parts <= 2; parts++)
        for (int kept = 0; kept < 2; kept++) {
            static struct room room, other;
            char spec[1000];
            void *index;
            size_t len;

            room.used = other.used = 0;
            snprintf(spec, sizeof spec, parts == 1 ? "%s/a.h5" : "%s/a.h5 + %s/b.h5", scratch,
                     scratch);
            struct dataset *ds = first(spec, &room, kept ? ROOM : 0, &index, &len);
            struct dataset *again = second(index, len, &other);
            assert_non_null(again);
            assert_true((room.used > 0) == kept);
            assert_true(room.used == other.used);
            same_dataset(ds, again);
            dataset_close(again);
            dataset_close(ds);
            free(index);
        }
}

/* Pictures end to end, and as rows of any length, which each process finds in its own file. */
static void an_index_opens_encoded_pictures(void **state) {
    static const int64_t rows[] = {3, 0, 5, 3};
    static const int of[] = {3, 0, 5, 3};
    static struct room room, other;

    (void)state;
    for (int lists = 0; lists < 2; lists++)
        for (int kept = 0; kept < 2; kept++) {
            void *index;
            size_t len;

            if (lists)
                encoded_write_lists("e.h5", "/images", "/labels", N, 0, false);
            else
                encoded_write("e.h5", &(struct encoded_file){.n = N, .names = true});
            room.used = other.used = 0;
            struct dataset *ds = first(in_scratch("e.h5"), &room, kept ? ROOM : 0, &index, &len);
            struct dataset *again = second(index, len, &other);
            assert_non_null(again);
            assert_true(dataset_in_memory(again) == kept && (other.used > 0) == kept);
            assert_true(dataset_fingerprint(ds) == dataset_fingerprint(again));
            encoded_expect(ds, rows, of, 4);
            encoded_expect(again, rows, of, 4);
            dataset_close(again);
            dataset_close(ds);
            free(index);
        }
}

static void other_pictures_are_told(void **state) {
    static struct room room, other;
    void *index;
    size_t len;

    (void)state;
    encoded_write("e.h5", &(struct encoded_file){.n = N});
    dataset_close(first(in_scratch("e.h5"), &room, 0, &index, &len));
    encoded_write("e.h5", &(struct encoded_file){.n = N, .first = 2});
    assert_null(second(index, len, &other));
    encoded_write("e.h5", &(struct encoded_file){.n = N, .channels = 1});
    assert_null(second(index, len, &other));
    free(index);
}

/* Another rank has filled the memory: it is read from there, and not written. */
static void memory_that_is_filled_is_not_filled_again(void **state) {
    static struct room room, other = {.filled = true};
    const int64_t row = 3;
    struct err err = {0};
    unsigned char pixel;
    void *index;
    size_t len;

    (void)state;
    write_parts();
    struct dataset *ds = first(in_scratch("a.h5"), &room, ROOM, &index, &len);
    struct dataset *again = second(index, len, &other);
    other.bytes[row] = 77;
    assert_int_equal(dataset_read(again, 0, &row, 1, &pixel, &err), 0);
    assert_int_equal(pixel, 77);
    assert_int_equal(dataset_read(ds, 0, &row, 1, &pixel, &err), 0);
    assert_int_equal(pixel, 13);
    dataset_close(again);
    dataset_close(ds);
    free(index);
}

/* Every way to be another file: it is not opened, which is no error. */
static void another_file_is_told(void **state) {
    static const int32_t odd[] = {0, 1, 2, 1, 0, 1};
    static struct room room, other;
    void *index;
    size_t len;

    (void)state;
    for (int k = 0; k < 5; k++) {
        write_parts();
        dataset_close(first(in_scratch("a.h5"), &room, 0, &index, &len));
        if (k == 0)
            little("a.h5", 11, labels, N, "ant bee cat");
        else if (k == 1)
            little("a.h5", 10, odd, N, "ant bee cat");
        else if (k == 2)
            little("a.h5", 10, labels, N - 1, "ant bee cat");
        else if (k == 3)
            little("a.h5", 10, labels, N, "ant bee cow");
        struct dataset *again = second(index, len, &other);
        assert_int_equal(again == NULL, k < 4); /* at last it is the same */
        dataset_close(again);
        free(index);
    }
}

/* A pixel that nobody looks at but who keeps it. */
static void other_values_in_memory_are_told(void **state) {
    static struct room room[2];
    void *index;
    size_t len;

    (void)state;
    for (int odd = 0; odd < 2; odd++) {
        room[0].used = room[1].used = 0;
        write_many(0);
        struct dataset *ds = first(in_scratch("many.h5"), &room[0], ROOM, &index, &len);
        write_many((unsigned char)odd);
        struct dataset *again = second(index, len, &room[1]);
        assert_int_equal(again == NULL, odd);
        dataset_close(again);
        dataset_close(ds);
        free(index);
    }
}

static void refused(const void *index, size_t len) {
    const struct dataset_memory none = {0};
    enum dataset_alike alike;
    struct dataset *ds = NULL;
    struct err err = {0};

    assert_int_equal(dataset_index_open(&ds, index, len, &none, &alike, &err), -1);
    assert_null(ds);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "the index of a dataset ");
}

static void damaged_bytes_are_no_index(void **state) {
    static struct room room;
    void *index;
    size_t len;

    (void)state;
    write_parts();
    struct dataset *ds = first(in_scratch("a.h5"), &room, 0, &index, &len);
    unsigned char *bytes = index;
    for (size_t at = 0; at < len; at += 7) {
        bytes[at] ^= 0x40;
        refused(index, len);
        bytes[at] ^= 0x40;
        refused(index, at);
    }
    dataset_close(ds);
    free(index);
}

/* Its file is not there, or no HDF5: that is an error, in the words of opening. */
static void a_file_that_does_not_open_is_an_error(void **state) {
    const struct dataset_memory none = {0};
    static struct room room;
    enum dataset_alike alike;
    struct err err = {0};
    void *index;
    size_t len;

    (void)state;
    write_parts();
    struct dataset *ds = first(in_scratch("a.h5"), &room, 0, &index, &len), *again = NULL;
    dataset_close(ds);
    assert_int_equal(remove(in_scratch("a.h5")), 0);
    assert_int_equal(dataset_index_open(&again, index, len, &none, &alike, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_contains(err.msg, "a.h5: No such file or directory");
    free(index);
}

/* Two groups of a file are one open file, for as long as one of them has it. */
static void open_files_are_shared(void **state) {
    struct h5_files files = {0};
    struct h5 *a = NULL, *b = NULL;
    struct err err = {0};

    (void)state;
    write_parts();
    const char *path = in_scratch("a.h5");
    assert_int_equal(h5_files_open(&files, path, &a, &err), 0);
    assert_int_equal(h5_files_open(&files, path, &b, &err), 0);
    assert_ptr_equal(a, b);
    h5_files_release(&files);
    h5_close(a);
    assert_int_equal(h5_exists(b, "/train/images", &err), 1);
    h5_close(b);
    assert_int_equal(h5_files_open(&files, in_scratch("none.h5"), &a, &err), -1);
    assert_int_equal(files.n, 0);
}

static void full_memory_is_an_error(void **state) {
    static struct room room;
    const struct dataset_memory memory = memory_of(&room, ROOM);
    struct dataset *ds = NULL;
    struct err err = {0};

    (void)state;
    write_parts();
    room.used = ROOM;
    assert_int_equal(dataset_open_in(&ds, in_scratch("a.h5"), &memory, &err), -1);
    assert_contains(err.msg, "a.h5: the room is full");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_opens_what_it_is_of),
        cmocka_unit_test(an_index_opens_encoded_pictures),
        cmocka_unit_test(other_pictures_are_told),
        cmocka_unit_test(memory_that_is_filled_is_not_filled_again),
        cmocka_unit_test(another_file_is_told),
        cmocka_unit_test(other_values_in_memory_are_told),
        cmocka_unit_test(damaged_bytes_are_no_index),
        cmocka_unit_test(a_file_that_does_not_open_is_an_error),
        cmocka_unit_test(open_files_are_shared),
        cmocka_unit_test(full_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
