#include "io/scratch.h"

#include "io/h5/h5_private.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

static const int64_t four_by_three[] = {4, 3};

/* A file with one growing dataset of n rows i*2, i*2+1. */
static void write_rows(const char *path, int64_t n) {
    const int64_t two = 2;
    struct err err = {0};
    struct h5_data *data;
    struct h5 *file;

    assert_int_equal(h5_create(&file, path, &err), 0);
    assert_int_equal(h5_group_create(file, "/g", &err), 0);
    assert_int_equal(h5_data_create(&data, file, "/g/rows", H5_TYPE_I64, 2, &two, 3, &err), 0);
    for (int64_t i = 0; i < n; i++) {
        const int64_t row[] = {2 * i, 2 * i + 1};

        assert_int_equal(h5_data_append(data, 1, row, &err), 0);
    }
    assert_int_equal(h5_data_info(data)->dim[0], n);
    h5_data_close(data);
    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static void rows_come_back_from_the_middle(void **state) {
    struct err err = {0};
    struct h5_data *data;
    struct h5 *file;
    float some[4];

    (void)state;
    write_rows(in_scratch("a.h5"), 10);
    assert_int_equal(h5_open(&file, in_scratch("a.h5"), &err), 0);
    assert_int_equal(h5_data_open(&data, file, "/g/rows", &err), 0);
    assert_int_equal(h5_data_info(data)->rank, 2);
    assert_int_equal(h5_data_info(data)->dim[0], 10);
    assert_int_equal(h5_data_info(data)->chunk[0], 3);
    assert_int_equal(h5_data_info(data)->class, H5_CLASS_INT);
    assert_int_equal(h5_row_len(h5_data_info(data)), 2);
    assert_int_equal(h5_data_read(data, 5, 2, H5_TYPE_F32, some, &err), 0);
    for (int i = 0; i < 4; i++)
        assert_true(some[i] == (float)(10 + i));
    assert_int_equal(h5_data_read(data, 9, 2, H5_TYPE_F32, some, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "rows 9 to 10 were asked for, it has 10");
    h5_data_close(data);
    h5_close(file);
}

static void members_are_listed_by_name(void **state) {
    struct err err = {0};
    struct h5_list list;
    struct h5 *file;

    (void)state;
    write_rows(in_scratch("list.h5"), 1);
    assert_int_equal(h5_open(&file, in_scratch("list.h5"), &err), 0);
    assert_int_equal(h5_list(file, "/", &list, &err), 0);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.entry[0].name, "g");
    assert_true(list.entry[0].group);
    h5_list_release(&list);
    assert_int_equal(h5_is_group(file, "/g", &err), 1);
    assert_int_equal(h5_exists(file, "/g/rows", &err), 1);
    assert_int_equal(h5_is_data(file, "/g/rows", &err), 1);
    assert_int_equal(h5_is_group(file, "/g/rows", &err), 0);
    assert_int_equal(h5_exists(file, "/g/none", &err), 0);
    assert_int_equal(h5_exists(file, "/none/rows", &err), 0);
    assert_int_equal(h5_exists(file, "/g/rows/more", &err), 0); /* in a dataset */
    assert_int_equal(h5_attr_exists(file, "/g", "none", &err), 0);
    assert_int_equal(h5_attr_exists(file, "/none", "none", &err), 0);
    assert_int_equal(h5_list(file, "/none", &list, &err), -1);
    assert_contains(err.msg, "has no group /none");
    h5_close(file);
}

static void an_image_in_memory_is_a_file(void **state) {
    const double values[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11.5};
    double back[12] = {0};
    struct err err = {0};
    struct h5 *file, *again;
    unsigned char *image, *bytes;
    int64_t place;
    size_t len;

    (void)state;
    assert_int_equal(h5_create_memory(&file, "checkpoint", &err), 0);
    assert_int_equal(h5_reserve(file, "/w", H5_TYPE_F64, 2, four_by_three, &place, &err), 0);
    assert_int_equal(h5_write(file, "/v", H5_TYPE_F64, 2, four_by_three, values, &err), 0);
    assert_int_equal(h5_image(file, &bytes, &len, &err), 0);
    memcpy(bytes + place, values, sizeof values);
    assert_int_equal(access("checkpoint", F_OK), -1);

    assert_int_equal(h5_open_image(&again, bytes, len, "from memory", &err), 0);
    assert_int_equal(h5_read(again, "/v", H5_TYPE_F64, 12, back, &err), 0);
    assert_memory_equal(back, values, sizeof values);
    memset(back, 0, sizeof back);
    assert_int_equal(h5_read(again, "/w", H5_TYPE_F64, 12, back, &err), 0);
    assert_memory_equal(back, values, sizeof values);
    assert_int_equal(h5_read(again, "/w", H5_TYPE_F64, 11, back, &err), -1);
    assert_contains(err.msg, "from memory:/w: holds 12 numbers, expected 11");
    h5_close(again);

    write_bytes(in_scratch("image.h5"), bytes, len);
    image = read_bytes(in_scratch("image.h5"), &len);
    assert_memory_equal(image, "\x89HDF\r\n\x1a\n", 8);
    memset(back, 0, sizeof back);
    assert_int_equal(h5_open(&again, in_scratch("image.h5"), &err), 0);
    assert_int_equal(h5_read(again, "/w", H5_TYPE_F64, 12, back, &err), 0);
    assert_memory_equal(back, values, sizeof values);
    h5_close(again);
    h5_close(file);
    free(image);
}

static void attributes_come_back(void **state) {
    const char *const names[] = {"cat", "", "Gr\xc3\xbcn"};
    const double thirds[] = {1.0 / 3, 2.0 / 3};
    struct err err = {0};
    struct h5 *file;
    char *text, **texts;
    double *reals, real;
    int64_t whole;
    int n;

    (void)state;
    assert_int_equal(h5_create_memory(&file, "m", &err), 0);
    assert_int_equal(h5_attr_write_text(file, "/", "text", "a job", &err), 0);
    assert_int_equal(h5_attr_write_texts(file, "/", "names", names, 3, &err), 0);
    assert_int_equal(h5_attr_write_int(file, "/", "step", INT64_C(1) << 60, &err), 0);
    assert_int_equal(h5_attr_write_real(file, "/", "lr", 0.1, &err), 0);
    assert_int_equal(h5_attr_write_reals(file, "/", "mean", thirds, 2, &err), 0);

    assert_int_equal(h5_attr_text(file, "/", "text", &text, &err), 0);
    assert_string_equal(text, "a job");
    free(text);
    assert_int_equal(h5_attr_texts(file, "/", "names", &texts, &n, &err), 0);
    assert_int_equal(n, 3);
    for (int i = 0; i < n; i++)
        assert_string_equal(texts[i], names[i]);
    h5_texts_free(texts, n);
    assert_int_equal(h5_attr_int(file, "/", "step", &whole, &err), 0);
    assert_true(whole == INT64_C(1) << 60);
    assert_int_equal(h5_attr_real(file, "/", "lr", &real, &err), 0);
    assert_true(real == 0.1);
    assert_int_equal(h5_attr_reals(file, "/", "mean", &reals, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_memory_equal(reals, thirds, sizeof thirds);
    free(reals);
    h5_close(file);
}

static void attributes_of_another_kind_are_refused(void **state) {
    const double two[] = {1, 2};
    struct err err = {0};
    struct h5 *file;
    double *reals, real;
    int64_t whole;
    char *text;
    int n;

    (void)state;
    assert_int_equal(h5_create_memory(&file, "m", &err), 0);
    assert_int_equal(h5_attr_write_text(file, "/", "text", "a", &err), 0);
    assert_int_equal(h5_attr_write_reals(file, "/", "two", two, 2, &err), 0);
    assert_int_equal(h5_attr_reals(file, "/", "text", &reals, &n, &err), -1);
    assert_contains(err.msg, "m:/: attribute 'text' is not a number");
    assert_int_equal(h5_attr_real(file, "/", "two", &real, &err), -1);
    assert_contains(err.msg, "is a list, expected one number");
    assert_int_equal(h5_attr_int(file, "/", "two", &whole, &err), -1);
    assert_contains(err.msg, "is not an integer");
    assert_int_equal(h5_attr_text(file, "/", "none", &text, &err), -1);
    assert_contains(err.msg, "attribute 'none' is missing");
    assert_int_equal(h5_attr_text(file, "/none", "none", &text, &err), -1);
    assert_contains(err.msg, "has no group or dataset /none");
    h5_close(file);
}

static void long_class_lists_fit(void **state) {
    enum { N = 21841 }; /* classes of the whole of ImageNet */
    static char names[N][12];
    static const char *pointers[N];
    struct err err = {0};
    struct h5 *file;
    char **texts;
    int n;

    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "n%08d", i);
        pointers[i] = names[i];
    }
    assert_int_equal(h5_create(&file, in_scratch("long.h5"), &err), 0);
    assert_int_equal(h5_attr_write_texts(file, "/", "classes", pointers, N, &err), 0);
    assert_int_equal(h5_attr_texts(file, "/", "classes", &texts, &n, &err), 0);
    assert_int_equal(n, N);
    assert_string_equal(texts[N - 1], "n00021840");
    h5_texts_free(texts, n);
    h5_close(file);
}

static void what_is_not_hdf5_is_refused(void **state) {
    struct err err = {0};
    struct h5 *file = NULL;

    (void)state;
    assert_int_equal(h5_open(&file, in_scratch("none.h5"), &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_contains(err.msg, "none.h5: No such file or directory");
    assert_int_equal(h5_open(&file, scratch, &err), -1);
    assert_contains(err.msg, "is a directory");
    write_bytes(in_scratch("text.h5"), "text", 4);
    assert_int_equal(h5_open(&file, in_scratch("text.h5"), &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "text.h5: is not an HDF5 file");
    write_bytes(in_scratch("empty.h5"), "", 0);
    assert_int_equal(h5_open(&file, in_scratch("empty.h5"), &err), -1);
    assert_contains(err.msg, "empty.h5: is empty");
    assert_int_equal(h5_open_image(&file, "text", 4, "m", &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
}

static void a_truncated_file_is_refused(void **state) {
    struct err err = {0};
    struct h5 *file;
    unsigned char *bytes;
    size_t n;

    (void)state;
    write_rows(in_scratch("whole.h5"), 1000);
    bytes = read_bytes(in_scratch("whole.h5"), &n);
    write_bytes(in_scratch("half.h5"), bytes, n / 2);
    free(bytes);
    assert_int_equal(h5_open(&file, in_scratch("half.h5"), &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "half.h5: cannot be opened as HDF5, it is damaged or incomplete");
    assert_contains(err.msg, "truncated file");
}

/* From now on reading that file fails as on a broken disk: it is open for writing alone. */
static void break_reading(const char *path) {
    char link[64], target[512];
    int broken = 0;
    const int null = open("/dev/null", O_WRONLY);

    for (int fd = 3; fd < 64; fd++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        const ssize_t n = readlink(link, target, sizeof target - 1);
        target[n < 0 ? 0 : n] = 0;
        if (!strcmp(target, path))
            broken += dup2(null, fd) == fd;
    }
    close(null);
    assert_int_equal(broken, 1);
}

/* Three answers: yes, no, could not tell. */
static void what_cannot_be_read_is_neither_there_nor_absent(void **state) {
    struct err err = {0};
    struct h5_list list;
    struct h5_data *data;
    struct h5 *file;
    int64_t row[2];

    (void)state;
    write_rows(in_scratch("refused.h5"), 4);
    assert_int_equal(h5_open(&file, in_scratch("refused.h5"), &err), 0);
    assert_int_equal(h5_data_open(&data, file, "/g/rows", &err), 0);
    break_reading(in_scratch("refused.h5"));
    assert_int_equal(h5_data_read(data, 0, 1, H5_TYPE_I64, row, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_contains(err.msg, "/g/rows: cannot be read: Bad file descriptor");
    h5_data_close(data);
    h5_close(file);

    assert_int_equal(h5_open(&file, in_scratch("refused.h5"), &err), 0);
    break_reading(in_scratch("refused.h5"));
    assert_int_equal(h5_exists(file, "/g/rows", &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    err.kind = 0;
    assert_int_equal(h5_attr_exists(file, "/g", "none", &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    err.kind = 0;
    assert_int_equal(h5_list(file, "/g", &list, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    err.kind = 0;
    assert_int_equal(h5_data_open(&data, file, "/g/rows", &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    h5_close(file);
}

static void damage_is_not_the_systems_fault(void **state) {
    struct err err = {0};
    struct h5 *file;
    size_t n, damaged = 0;

    (void)state;
    write_rows(in_scratch("sound.h5"), 4);
    unsigned char *bytes = read_bytes(in_scratch("sound.h5"), &n);
    for (size_t i = 200; i + 4 < n; i++) /* headers of objects, but the root's */
        if (!memcmp(bytes + i, "OHDR", 4))
            damaged += bytes[i + 5]++ < 255;
    assert_true(damaged > 0);
    write_bytes(in_scratch("damaged.h5"), bytes, n);
    free(bytes);
    assert_int_equal(h5_open(&file, in_scratch("damaged.h5"), &err), 0);
    assert_int_equal(h5_exists(file, "/g/rows", &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    h5_close(file);
}

/* Hostile files are made with HDF5 itself. */
static void links_out_of_the_file_are_refused(void **state) {
    struct err err = {0};
    struct h5_list list;
    struct h5_data *data;
    struct h5 *file;

    (void)state;
    write_rows(in_scratch("target.h5"), 4);
    assert_int_equal(h5_create(&file, in_scratch("links.h5"), &err), 0);
    assert_true(H5Lcreate_external(in_scratch("target.h5"), "/g", file->id, "outside", H5P_DEFAULT,
                                   H5P_DEFAULT) >= 0);
    h5_close(file);
    assert_int_equal(h5_open(&file, in_scratch("links.h5"), &err), 0);
    assert_int_equal(h5_exists(file, "/outside", &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "/outside: is an external link");
    assert_int_equal(h5_data_open(&data, file, "/outside/rows", &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "/outside: is an external link");
    assert_int_equal(h5_list(file, "/", &list, &err), -1);
    assert_contains(err.msg, "is an external link");
    h5_close(file);

    assert_int_equal(h5_create(&file, in_scratch("soft.h5"), &err), 0);
    assert_true(H5Lcreate_soft("/elsewhere", file->id, "soft", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_int_equal(h5_data_open(&data, file, "/soft", &err), -1);
    assert_contains(err.msg, "/soft: is a soft link");
    h5_close(file);
}

static void data_in_other_files_is_refused(void **state) {
    const hsize_t dim = 4;
    struct err err = {0};
    struct h5_data *data;
    struct h5 *file;
    hid_t space, list, id;

    (void)state;
    write_bytes(in_scratch("secret"), "abcd", 4);
    assert_int_equal(h5_create(&file, in_scratch("external.h5"), &err), 0);
    space = H5Screate_simple(1, &dim, NULL);
    list = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_external(list, in_scratch("secret"), 0, 4) >= 0);
    id = H5Dcreate2(file->id, "x", H5T_NATIVE_UINT8, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(id >= 0);
    H5Dclose(id);
    H5Pclose(list);
    assert_int_equal(h5_data_open(&data, file, "x", &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "x: is stored in other files");

    list = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_virtual(list, space, in_scratch("target.h5"), "/g/rows", space) >= 0);
    id = H5Dcreate2(file->id, "v", H5T_NATIVE_UINT8, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(id >= 0);
    H5Dclose(id);
    H5Pclose(list);
    H5Sclose(space);
    assert_int_equal(h5_data_open(&data, file, "v", &err), -1);
    assert_contains(err.msg, "v: is a virtual dataset");
    h5_close(file);
}

static void impossible_dimensions_are_refused(void **state) {
    const hsize_t dim[] = {UINT64_C(1) << 40, UINT64_C(1) << 40}, chunk[] = {1, 1};
    struct err err = {0};
    struct h5_data *data;
    struct h5 *file;
    hid_t space, list, id;

    (void)state;
    assert_int_equal(h5_create(&file, in_scratch("huge.h5"), &err), 0);
    space = H5Screate_simple(2, dim, NULL);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 2, chunk);
    id = H5Dcreate2(file->id, "x", H5T_NATIVE_UINT8, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(id >= 0);
    H5Dclose(id);
    H5Pclose(list);
    H5Sclose(space);
    assert_int_equal(h5_data_open(&data, file, "x", &err), -1);
    assert_contains(err.msg, "x: its dimensions are impossibly large");
    h5_close(file);
}

/* Write until it fails: 0 where it did, with ERR_IO. */
static int fill_disk(void) {
    static const unsigned char rows[1 << 16];
    const int64_t sample = 1 << 16;
    struct err err = {0};
    struct h5_data *data = NULL;
    struct h5 *file;
    int status;

    if (h5_create(&file, "/dev/full", &err))
        return err.kind != ERR_IO;
    status = h5_data_create(&data, file, "/x", H5_TYPE_U8, 2, &sample, 1, &err);
    for (int i = 0; !status && i < 512; i++)
        status = h5_data_append(data, 1, rows, &err);
    h5_data_close(data);
    if (!status)
        status = h5_sync(file, &err);
    h5_close(file);
    return status == 0 || err.kind != ERR_IO;
}

/* /dev/full accepts opening and refuses writing. In a process of its own: HDF5 does not let go of
 * what it could not write. */
static void a_full_disk_is_noticed(void **state) {
    const pid_t child = fork();
    int status;

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(fill_disk());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void *read_many_times(void *context) {
    struct h5_data *data = context;
    struct err err = {0};
    int64_t row[2];

    for (int64_t i = 0; i < 500; i++)
        if (h5_data_read(data, i % 100, 1, H5_TYPE_I64, row, &err) || row[1] != i % 100 * 2 + 1)
            return context;
    return NULL;
}

static void two_threads_read_one_dataset(void **state) {
    struct err err = {0};
    struct h5_data *data;
    struct h5 *file;
    pthread_t other;
    void *failed;

    (void)state;
    write_rows(in_scratch("threads.h5"), 100);
    assert_int_equal(h5_open(&file, in_scratch("threads.h5"), &err), 0);
    assert_int_equal(h5_data_open(&data, file, "/g/rows", &err), 0);
    assert_int_equal(pthread_create(&other, NULL, read_many_times, data), 0);
    assert_null(read_many_times(data));
    pthread_join(other, &failed);
    assert_null(failed);
    h5_data_close(data);
    h5_close(file);
}

/* Of this process, in bytes. */
static int64_t memory_in_use(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

/* 128 chunks of 1 MiB, of each of which half is read: some 16 MiB are kept. */
static void chunks_that_were_read_in_part_are_not_kept(void **state) {
    const int64_t len = 1 << 19;
    struct err err = {0};
    struct h5_data *data;
    struct h5 *file;
    unsigned char *row = calloc((size_t)len, 1);

    (void)state;
    assert_int_equal(h5_create(&file, in_scratch("many.h5"), &err), 0);
    assert_int_equal(h5_data_create(&data, file, "/rows", H5_TYPE_U8, 2, &len, 2, &err), 0);
    for (int i = 0; i < 256; i++)
        assert_int_equal(h5_data_append(data, 1, row, &err), 0);
    h5_data_close(data);
    h5_close(file);
    assert_int_equal(h5_open(&file, in_scratch("many.h5"), &err), 0);
    assert_int_equal(h5_data_open(&data, file, "/rows", &err), 0);
    const int64_t before = memory_in_use();
    for (int i = 0; i < 256; i += 2)
        assert_int_equal(h5_data_read(data, i, 1, H5_TYPE_U8, row, &err), 0);
    assert_in_range(memory_in_use() - before, 0, 64 << 20);
    h5_data_close(data);
    h5_close(file);
    free(row);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_from_the_middle),
        cmocka_unit_test(members_are_listed_by_name),
        cmocka_unit_test(an_image_in_memory_is_a_file),
        cmocka_unit_test(attributes_come_back),
        cmocka_unit_test(attributes_of_another_kind_are_refused),
        cmocka_unit_test(long_class_lists_fit),
        cmocka_unit_test(what_is_not_hdf5_is_refused),
        cmocka_unit_test(a_truncated_file_is_refused),
        cmocka_unit_test(what_cannot_be_read_is_neither_there_nor_absent),
        cmocka_unit_test(damage_is_not_the_systems_fault),
        cmocka_unit_test(links_out_of_the_file_are_refused),
        cmocka_unit_test(data_in_other_files_is_refused),
        cmocka_unit_test(impossible_dimensions_are_refused),
        cmocka_unit_test(a_full_disk_is_noticed),
        cmocka_unit_test(two_threads_read_one_dataset),
        cmocka_unit_test(chunks_that_were_read_in_part_are_not_kept),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
