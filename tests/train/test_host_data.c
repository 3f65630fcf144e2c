/* Ranks open their data together: each sees what it would alone, what is kept is kept once a host,
 * and what goes wrong on one of them is an error of all. */
#include "support/mpi_main.h"

#include "io/dataset/dataset_writer.h"
#include "train/host_data.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = 37, SIDE = 3, IMAGE = SIDE * SIDE * 3, CLASSES = 4 };

static char folder[] = "/tmp/dltrain_XXXXXX"; /* of all ranks, who are in it */

static void write_file(const char *path, int first) {
    static const char *const names[CLASSES] = {"ant", "bee", "cat", "dog"};
    const struct shape sample = {3, {SIDE, SIDE, 3}};
    unsigned char images[N * IMAGE];
    struct dataset_writer *w;
    struct err err = {0};
    int32_t label[N];

    for (int i = 0; i < N * IMAGE; i++)
        images[i] = (unsigned char)(first + i * 7);
    for (int i = 0; i < N; i++)
        label[i] = (first + i) % CLASSES;
    if (dataset_writer_new(&w, path, &err) || dataset_writer_split(w, "train", &sample, &err) ||
        dataset_writer_append(w, images, label, N, &err) ||
        dataset_writer_finish(w, names, CLASSES, &err))
        fail_msg("%s", err.msg);
    dataset_writer_free(w);
}

/* Rank 0 makes it, all go there. */
static void enter(void) {
    if (comm_rank(comm) == 0) {
        strcpy(folder, "/tmp/dltrain_XXXXXX");
        assert_non_null(mkdtemp(folder));
        assert_int_equal(chdir(folder), 0);
        write_file("a.h5", 0);
        write_file("b.h5", 100);
    }
    comm_bcast(comm, folder, sizeof folder, 0);
    assert_int_equal(chdir(folder), 0);
    comm_barrier(comm);
}

/* The last rank goes to a folder of its own, which has another a.h5, or none. */
static void part_ways(bool with_file) {
    if (comm_rank(comm) == comm_size(comm) - 1) {
        assert_int_equal(mkdir("other", 0777), 0);
        assert_int_equal(chdir("other"), 0);
        if (with_file)
            write_file("a.h5", 1);
    }
    comm_barrier(comm);
}

static void leave(void) {
    char command[64];

    assert_int_equal(chdir("/"), 0);
    comm_barrier(comm);
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (comm_rank(comm) == 0)
        assert_int_equal(system(command), 0);
}

static void same_rows(struct dataset *a, struct dataset *b) {
    unsigned char x[IMAGE], y[IMAGE];
    struct err err = {0};

    assert_true(dataset_len(a) == dataset_len(b));
    assert_true(dataset_fingerprint(a) == dataset_fingerprint(b));
    assert_memory_equal(dataset_labels(a, 1), dataset_labels(b, 1),
                        (size_t)dataset_len(a) * sizeof(int32_t));
    for (int64_t row = 0; row < dataset_len(a); row++) {
        assert_int_equal(dataset_read(a, 0, &row, 1, x, &err), 0);
        assert_int_equal(dataset_read(b, 0, &row, 1, y, &err), 0);
        assert_memory_equal(x, y, IMAGE);
    }
}

/* One file, and two, in memory and not. */
static void every_rank_sees_what_it_would_alone(void **state) {
    static const char *const specs[] = {"a.h5:train", "a.h5:train + b.h5:train"};
    static const int64_t caches[] = {0, N * IMAGE, 1 << 20, INT64_MAX};

    (void)state;
    enter();
    for (size_t s = 0; s < sizeof specs / sizeof *specs; s++)
        for (size_t c = 0; c < sizeof caches / sizeof *caches; c++) {
            struct host_data data = {0};
            struct dataset *ds = NULL, *alone = NULL;
            struct err err = {0};

            host_data_init(&data, comm, caches[c], NULL);
            if (host_data_open(&data, specs[s], &ds, &err) ||
                dataset_open(&alone, specs[s], caches[c], &err))
                fail_msg("%s", err.msg);
            host_data_opened(&data);
            same_rows(ds, alone);
            assert_true(dataset_kept_bytes(ds) == dataset_kept_bytes(alone));
            assert_true(dataset_kept_bytes(ds) + dataset_unkept_bytes(ds) ==
                        (int64_t)(s + 1) * N * IMAGE);
            dataset_close(alone);
            dataset_close(ds);
            host_data_release(&data);
        }
    leave();
}

static void a_file_that_one_rank_lacks_is_an_error_of_all(void **state) {
    struct host_data data = {0};
    struct dataset *ds = NULL;
    struct err err = {0};
    char rank[32];

    (void)state;
    enter();
    part_ways(false);
    for (int kept = 0; kept < 2; kept++) {
        host_data_init(&data, comm, kept ? 1 << 20 : 0, NULL);
        assert_int_equal(host_data_open(&data, "a.h5:train", &ds, &err), -1);
        assert_null(ds);
        assert_int_equal(err.kind, ERR_IO);
        assert_non_null(strstr(err.msg, "a.h5: No such file or directory"));
        snprintf(rank, sizeof rank, "rank %d on ", comm_size(comm) - 1);
        assert_true(comm_size(comm) == 1 || strstr(err.msg, rank) == err.msg);
        host_data_release(&data);
    }
    leave();
}

/* Whoever compares them will say so; nobody else's data is touched by it. */
static void a_rank_with_another_file_has_its_own(void **state) {
    (void)state;
    enter();
    part_ways(true);
    for (int kept = 0; kept < 2; kept++) {
        const int64_t cache = kept ? 1 << 20 : 0;
        struct host_data data = {0};
        struct dataset *ds = NULL, *alone = NULL;
        struct err err = {0};

        host_data_init(&data, comm, cache, NULL);
        if (host_data_open(&data, "a.h5:train", &ds, &err) ||
            dataset_open(&alone, "a.h5:train", cache, &err))
            fail_msg("%s", err.msg);
        same_rows(ds, alone);
        dataset_close(alone);
        dataset_close(ds);
        host_data_release(&data);
    }
    leave();
}

/* Pieces of many sizes, each written by the first rank of a host and read by the others. */
static void memory_is_taken_once_a_host(void **state) {
    enum { PIECES = 300 };
    struct host_memory memory = {.comm = comm};
    static unsigned char *at[PIECES];
    struct err err = {0};

    (void)state;
    for (int k = 0; k < PIECES; k++) {
        const size_t bytes = (size_t)(1 + k * 97 % 5000);
        bool filled = false;

        assert_int_equal(host_memory_take(&memory, bytes, &err), 0);
        at[k] = host_memory_next(&memory, bytes, &filled, &err);
        assert_non_null(at[k]);
        assert_true((uintptr_t)at[k] % 64 == 0);
        assert_true(filled == (comm_local_rank(comm) > 0));
        if (!filled)
            memset(at[k], k, bytes);
    }
    assert_true(host_memory_shared(&memory, NULL) == (comm_size(comm) > 1));
    assert_null(host_memory_next(&memory, 1, &(bool){false}, &err));
    comm_barrier(comm);
    for (int k = 0; k < PIECES; k++)
        assert_true(at[k][0] == (unsigned char)k && at[k][k * 97 % 5000] == (unsigned char)k);
    comm_barrier(comm);
    host_memory_release(&memory);
}

static void more_than_a_host_has_is_refused_with_figures(void **state) {
    struct host_memory memory = {.comm = comm};
    struct err err = {0};

    (void)state;
    assert_int_equal(host_memory_take(&memory, (size_t)1 << 50, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.msg, "1073741824 MiB of data are to be kept in it, and "));
    host_memory_release(&memory);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_rank_sees_what_it_would_alone),
    cmocka_unit_test(a_file_that_one_rank_lacks_is_an_error_of_all),
    cmocka_unit_test(a_rank_with_another_file_has_its_own),
    cmocka_unit_test(memory_is_taken_once_a_host),
    cmocka_unit_test(more_than_a_host_has_is_refused_with_figures),
};

MPI_MAIN(tests)
