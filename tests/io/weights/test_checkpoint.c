#include "io/weights/checkpoint.h"
#include "io/file/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/dltrain_XXXXXX";
static char path[64], beside[80];

static const float kernel[] = {1, -2, 3.5f, 0, 1e-30f, -4, 5, 6, 7, 8, 9, 10};
static const float bias[] = {0.25f, -0.5f};
static const char meta[] = "{\"step\": 12, \"name\": \"caf\xc3\xa9\"}";
static const struct checkpoint_tensor tensors[] = {
    {"/nets/model/layer1.0.conv1.weight", {4, {2, 1, 3, 2}}, kernel, false},
    {"/nets/model/conv1.bias", {1, {2}}, bias, true},
    {"/optimizers/main/0", {1, {2}}, bias, false},
};

static int setup(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/last.h5", folder);
    snprintf(beside, sizeof beside, "%s.tmp", path);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    unlink(path);
    unlink(beside);
    return rmdir(folder);
}

static void write_good(void) {
    struct err err = {0};

    if (checkpoint_write(path, tensors, 3, meta, &err))
        fail_msg("%s", err.msg);
}

static void refused(enum err_kind kind, const char *message) {
    struct checkpoint *ck = NULL;
    struct err err = {0};

    assert_int_equal(checkpoint_open(&ck, path, &err), -1);
    assert_null(ck);
    assert_string_equal(strstr(err.msg, "last.h5"), message);
    assert_int_equal(err.kind, kind);
}

static void everything_comes_back(void **state) {
    (void)state;
    struct checkpoint *ck;
    struct err err = {0};
    float out[12];
    int n;

    write_good();
    assert_int_equal(access(beside, F_OK), -1);
    if (checkpoint_open(&ck, path, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(checkpoint_meta(ck), meta);
    const struct checkpoint_tensor *t = checkpoint_tensors(ck, &n);
    assert_int_equal(n, 3);
    assert_string_equal(t[0].path, "/nets/model/conv1.bias");
    assert_string_equal(t[1].path, "/nets/model/layer1.0.conv1.weight");
    assert_string_equal(t[2].path, "/optimizers/main/0");
    assert_true(shape_equal(&t[1].shape, &tensors[0].shape));
    assert_true(t[0].plain && !t[1].plain && !t[2].plain);
    assert_ptr_equal(checkpoint_find(ck, t[1].path), &t[1]);
    assert_null(checkpoint_find(ck, "/nets/model"));
    assert_int_equal(checkpoint_read(ck, tensors[0].path, &tensors[0].shape, out, &err), 0);
    assert_memory_equal(out, kernel, sizeof kernel);
    checkpoint_close(ck);
}

static void tensors_of_another_name_or_shape_are_refused(void **state) {
    (void)state;
    const struct shape flat = {1, {12}};
    struct checkpoint *ck;
    struct err err = {0};
    float out[12] = {0};

    write_good();
    assert_int_equal(checkpoint_open(&ck, path, &err), 0);
    assert_int_equal(checkpoint_read(ck, "/nets/model/fc.bias", &flat, out, &err), -1);
    assert_string_equal(strstr(err.msg, "last.h5"),
                        "last.h5: there is no tensor /nets/model/fc.bias");
    assert_int_equal(checkpoint_read(ck, tensors[0].path, &flat, out, &err), -1);
    assert_string_equal(
        strstr(err.msg, "last.h5"),
        "last.h5: tensor /nets/model/layer1.0.conv1.weight is 2x1x3x2, expected 12");
    assert_int_equal(err.kind, ERR_DATA);
    assert_true(out[0] == 0);
    checkpoint_close(ck);
}

static char *content(size_t *len) {
    struct err err = {0};
    char *bytes = NULL;

    assert_int_equal(file_read(path, &bytes, len, &err), 0);
    return bytes;
}

static void put(const char *bytes, size_t len) {
    struct err err = {0};

    assert_int_equal(file_replace(path, bytes, len, &err), 0);
}

/* Wherever it is: in numbers, names, the checksum or what HDF5 keeps between. */
static void one_wrong_bit_anywhere_is_refused(void **state) {
    (void)state;
    struct checkpoint *ck = NULL;
    size_t len;

    write_good();
    char *bytes = content(&len);
    for (size_t i = 0; i < len; i += i < 64 ? 1 : 7) {
        struct err err = {0};

        bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
        put(bytes, len);
        bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
        assert_int_equal(checkpoint_open(&ck, path, &err), -1);
        assert_int_equal(err.kind, ERR_DATA);
    }
    put(bytes, len);
    struct err err = {0};
    assert_int_equal(checkpoint_open(&ck, path, &err), 0);
    checkpoint_close(ck);
    free(bytes);
}

/* Where some bytes are in the file: in the middle of it, once. */
static size_t place_of(const char *bytes, size_t len, const void *part, size_t n) {
    for (size_t at = 0; at + n <= len; at++)
        if (!memcmp(bytes + at, part, n))
            return at;
    fail_msg("the file does not hold these bytes");
    return 0;
}

/* Of two that are, the first in the order in which they were written; else what lies between. */
static void what_is_damaged_has_a_name(void **state) {
    (void)state;
    char message[200];
    size_t len;

    write_good();
    char *bytes = content(&len);
    const size_t first = place_of(bytes, len, kernel, sizeof kernel);
    const size_t second = place_of(bytes, len, bias, sizeof bias);
    const size_t text = place_of(bytes, len, meta, sizeof meta - 1);
    bytes[second] ^= 1;
    put(bytes, len);
    refused(ERR_DATA, "last.h5: is damaged: /nets/model/conv1.bias is not what was saved");
    bytes[first + sizeof kernel - 1] ^= 16;
    put(bytes, len);
    refused(ERR_DATA,
            "last.h5: is damaged: /nets/model/layer1.0.conv1.weight is not what was saved");
    bytes[text + 3] ^= 4;
    put(bytes, len);
    refused(ERR_DATA, "last.h5: is damaged: /meta is not what was saved");
    snprintf(message, sizeof message,
             "last.h5: is cut off: it has %zu bytes, and /nets/model/layer1.0.conv1.weight ends at "
             "%zu",
             first + 8, first + sizeof kernel);
    bytes[text + 3] ^= 4;
    put(bytes, first + 8);
    refused(ERR_DATA, message);
    free(bytes);
    write_good();
    bytes = content(&len);
    bytes[9] ^= 1;
    put(bytes, len);
    refused(
        ERR_DATA,
        "last.h5: is damaged: its checksum does not match, its structure is not what was saved");
    free(bytes);
}

static void damage_and_foreign_files_are_told_apart(void **state) {
    (void)state;
    char message[80];
    size_t len;

    write_good();
    char *bytes = content(&len);
    snprintf(message, sizeof message, "last.h5: is cut off: it has %zu bytes of %zu", len - 1, len);
    put(bytes, len - 1);
    refused(ERR_DATA, message);
    put(bytes, 100);
    refused(ERR_DATA, "last.h5: not a checkpoint, or one that is cut off: it has no checksum");
    put("", 0);
    refused(ERR_DATA, "last.h5: is empty");
    unlink(path);
    refused(ERR_IO, "last.h5: cannot be read: No such file or directory");
    free(bytes);
}

static void a_full_disk_leaves_the_old_checkpoint(void **state) {
    (void)state;
    struct checkpoint *ck;
    struct err err = {0};

    write_good();
    assert_int_equal(symlink("/dev/full", beside), 0);
    assert_int_equal(checkpoint_write(path, tensors, 1, "{}", &err), -1);
    assert_string_equal(strstr(err.msg, "last.h5"),
                        "last.h5: cannot be written: No space left on device");
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(access(beside, F_OK), -1);
    assert_int_equal(checkpoint_open(&ck, path, &err), 0);
    assert_string_equal(checkpoint_meta(ck), meta);
    checkpoint_close(ck);
}

static void meta_may_be_longer_than_an_attribute(void **state) {
    (void)state;
    enum { LEN = 200000 };
    struct checkpoint *ck;
    struct err err = {0};
    char *text = malloc(LEN + 1);

    assert_non_null(text);
    memset(text, 'x', LEN);
    text[0] = text[LEN - 1] = '"';
    text[LEN] = 0;
    assert_int_equal(checkpoint_write(path, NULL, 0, text, &err), 0);
    assert_int_equal(checkpoint_open(&ck, path, &err), 0);
    assert_string_equal(checkpoint_meta(ck), text);
    checkpoint_close(ck);
    free(text);
}

static void a_missing_folder_is_an_error(void **state) {
    (void)state;
    struct err err = {0};
    char nowhere[96];

    snprintf(nowhere, sizeof nowhere, "%s/none/last.h5", folder);
    assert_int_equal(checkpoint_write(nowhere, tensors, 3, meta, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(strstr(err.msg, "none"),
                        "none/last.h5: cannot be written: No such file or directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(tensors_of_another_name_or_shape_are_refused),
        cmocka_unit_test(one_wrong_bit_anywhere_is_refused),
        cmocka_unit_test(what_is_damaged_has_a_name),
        cmocka_unit_test(damage_and_foreign_files_are_told_apart),
        cmocka_unit_test(a_full_disk_leaves_the_old_checkpoint),
        cmocka_unit_test(meta_may_be_longer_than_an_attribute),
        cmocka_unit_test(a_missing_folder_is_an_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
