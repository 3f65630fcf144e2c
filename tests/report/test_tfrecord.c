/* Records and their checksums, and what becomes of them where there is no room. */
#include "io/scratch.h"

#include "report/tfrecord.h"

#include <signal.h>
#include <sys/resource.h>

/* Check values of CRC-32C: the one that all catalogues give, and those of RFC 3720, B.4. */
static void checksums_are_castagnolis(void **state) {
    unsigned char v[32] = {0};

    (void)state;
    assert_true(tfrecord_crc("123456789", 9) == 0xe3069283);
    assert_true(tfrecord_crc(v, sizeof v) == 0x8a9136aa);
    memset(v, 0xff, sizeof v);
    assert_true(tfrecord_crc(v, sizeof v) == 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        v[i] = (unsigned char)i;
    assert_true(tfrecord_crc(v, sizeof v) == 0x46dd794e);
}

static struct tfrecord *create(const char *name) {
    struct tfrecord *f = NULL;
    struct err err = {0};

    if (tfrecord_create(&f, in_scratch(name), &err))
        fail_msg("%s", err.msg);
    return f;
}

/* 12 bytes of head, the data, 4 of tail: the same for every record. */
static void records_follow_each_other(void **state) {
    struct tfrecord *f = create("two");
    struct err err = {0};
    size_t n;

    (void)state;
    assert_int_equal(tfrecord_append(f, "abc", 3, &err), 0);
    assert_int_equal(tfrecord_append(f, "abc", 3, &err), 0);
    tfrecord_close(f);
    unsigned char *bytes = read_bytes(in_scratch("two"), &n);
    assert_int_equal(n, 2 * (12 + 3 + 4));
    assert_memory_equal(bytes, "\x03\0\0\0\0\0\0\0", 8);
    assert_memory_equal(bytes + 12, "abc", 3);
    assert_memory_equal(bytes, bytes + 19, 19);
    free(bytes);
}

static void a_file_that_is_there_is_not_written_over(void **state) {
    struct tfrecord *f = create("one");
    struct err err = {0};

    (void)state;
    tfrecord_close(f);
    assert_int_equal(tfrecord_create(&f, in_scratch("one"), &err), -1);
    assert_contains(err.msg, "cannot be written: File exists");
}

/* As of a disk that fills up within a record. */
static void half_a_record_is_cut_off(void **state) {
    static const char data[4096];
    struct tfrecord *f = create("full");
    struct rlimit old, small;
    struct err err = {0};
    size_t n;

    (void)state;
    assert_int_equal(tfrecord_append(f, "abc", 3, &err), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){1000, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const int rc = tfrecord_append(f, data, sizeof data, &err);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(rc, -1);
    assert_contains(err.msg, "cannot be written: File too large");
    assert_int_equal(tfrecord_append(f, "abc", 3, &err), 0);
    tfrecord_close(f);
    free(read_bytes(in_scratch("full"), &n));
    assert_int_equal(n, 2 * 19);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_castagnolis),
        cmocka_unit_test(records_follow_each_other),
        cmocka_unit_test(a_file_that_is_there_is_not_written_over),
        cmocka_unit_test(half_a_record_is_cut_off),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
