/* A byte of a dataset that is another one than was written: no rank trains on it, and what was
 * trained before is kept. */
#define _GNU_SOURCE /* memmem */
#include "support/program.h"
#include "io/dataset/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROW = 32 * 32 * 3 };

/* Flip a bit in the middle of bytes[len], of which path has one copy. */
static void flip(const char *path, const void *bytes, size_t len) {
    FILE *file = fopen(path, "r+");

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    const size_t size = (size_t)ftell(file);
    unsigned char *all = malloc(size), *at;
    rewind(file);
    assert_int_equal(fread(all, 1, size, file), size);
    at = memmem(all, size, bytes, len);
    assert_non_null(at);
    fseek(file, at - all + (long)len / 2, SEEK_SET);
    fputc(at[len / 2] ^ 1, file);
    assert_int_equal(fclose(file), 0);
    free(all);
}

/* In row `row` of the images of shapes.h5:train, a copy of which is flipped.h5. */
static void flip_row(int64_t row) {
    static unsigned char bytes[ROW];
    struct dataset *ds;
    struct err err = {0};

    assert_int_equal(system("cp shapes.h5 flipped.h5"), 0);
    assert_int_equal(dataset_open(&ds, "shapes.h5:train", 0, &err), 0);
    assert_int_equal(dataset_read(ds, 0, &row, 1, bytes, &err), 0);
    dataset_close(ds);
    flip("flipped.h5", bytes, ROW);
}

static const char job[] = "[data]\ntrain = flipped.h5:train\nvalidate = shapes.h5:test\n"
                          "augment = image | normalize\nbatch = 24\nshuffle = none\n";

/* Rows 0 to 23 are those of step 1. */
static void a_row_is_refused_at_its_step_and_the_steps_before_are_saved(void **state) {
    (void)state;
    flip_row(112);
    program_write_job("f.ini", 10, "");
    program_write("g.ini", "[job]\ninclude = f.ini\nname = f\n%scache = 0\n", job);
    for (int ranks = 1; ranks <= 3; ranks++) {
        program_expect(65, "flipped.h5:train: row 112 of /train/images is not what was written; ",
                       "rm -rf runs; $MPIRUN -np %d $DLTRAIN g.ini", ranks);
        assert_int_equal(access("runs/f/last.h5", F_OK), 0);
        program_expect(0, NULL,
                       "cp flipped.h5 bad.h5; cp shapes.h5 flipped.h5; $MPIRUN -np %d $DLTRAIN "
                       "g.ini --resume; mv bad.h5 flipped.h5",
                       ranks);
    }
    program_expect(0, NULL,
                   "cp shapes.h5 flipped.h5; $MPIRUN -np 3 $DLTRAIN g.ini --set name=w; "
                   "$SAME runs/f/last.h5 runs/w/last.h5");
}

static void what_is_kept_in_memory_is_compared_before_step_1(void **state) {
    (void)state;
    flip_row(112);
    program_write("g.ini", "[job]\ninclude = f.ini\nname = k\n%s", job);
    for (int ranks = 1; ranks <= 3; ranks++) {
        program_expect(65, "flipped.h5:train: row 112 of /train/images is not what was written; ",
                       "$MPIRUN -np %d $DLTRAIN g.ini", ranks);
        assert_int_equal(access("runs/k", F_OK), -1);
    }
}

/* Each rank compares what it reads itself, with what the file of rank 0 says of it. */
static void a_host_whose_copy_is_damaged_is_named(void **state) {
    static const char *const caches[] = {"0", "1024"};

    (void)state;
    flip_row(112);
    program_write("g.ini", "[job]\ninclude = ../f.ini\nname = h\n%s", job);
    assert_int_equal(system("rm -rf h0 h1; mkdir h0 h1; cp g.ini h0; cp g.ini h1; cp shapes.h5 h0; "
                            "cp shapes.h5 h1; cp shapes.h5 h0/flipped.h5; mv flipped.h5 h1"),
                     0);
    for (int i = 0; i < 2; i++) {
        struct program_run run =
            program_run("export DLTRAIN_HOSTS=2; $MPIRUN -np 1 -wdir $PWD/h0 $DLTRAIN g.ini --set "
                        "data.cache=%s : -np 1 -wdir $PWD/h1 $DLTRAIN g.ini --set data.cache=%s",
                        caches[i], caches[i]);
        const char *line = strstr(run.err, "rank 1 on ");
        if (run.code != 65 || !line ||
            !strstr(line, "flipped.h5:train: row 112 of /train/images is not what was written"))
            fail_msg("cache %s: exit code %d\n%s", caches[i], run.code, run.err);
        program_release(&run);
    }
}

/* The name of the picture is that of the sample; all of them are probed where there are few. */
static void a_picture_is_refused_by_name(void **state) {
    struct dataset_buffer buffer = {0};
    struct dataset_blob blob;
    const int64_t row = 30;
    struct dataset *ds;
    struct err err = {0};

    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN data synth e.h5 --like imagenet --samples 40 --classes 2 && "
                   "$DLTRAIN data verify e.h5 && cp e.h5 flipped.h5");
    assert_int_equal(dataset_open(&ds, "e.h5:train", 0, &err), 0);
    assert_int_equal(dataset_read_encoded(ds, 0, &row, 1, &blob, &buffer, &err), 0);
    flip("flipped.h5", blob.bytes, blob.len);
    dataset_buffer_release(&buffer);
    dataset_close(ds);
    program_write("e.ini", "[job]\ninclude = f.ini\nsteps = 2\n[data]\ntrain = flipped.h5:train\n"
                           "validate = e.h5:validate\nbatch = 4\n"
                           "augment = image | random_resized_crop(32) | normalize\n");
    for (int ranks = 1; ranks <= 2; ranks++)
        program_expect(65, "of flipped.h5:train: that of /train/images is not what was written",
                       "$MPIRUN -np %d $DLTRAIN e.ini", ranks);
    program_expect(65, "/train/images: is not what was written: row 30 of 38; ",
                   "$DLTRAIN data verify flipped.h5");
}

static void info_shows_what_is_compared(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN data info shapes.h5:train | grep \"hashes: of each row\" && "
                   "$DLTRAIN data info shapes.h5:train | grep \"hashes: of 512 rows each\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_refused_at_its_step_and_the_steps_before_are_saved),
        cmocka_unit_test(what_is_kept_in_memory_is_compared_before_step_1),
        cmocka_unit_test(a_host_whose_copy_is_damaged_is_named),
        cmocka_unit_test(a_picture_is_refused_by_name),
        cmocka_unit_test(info_shows_what_is_compared),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
