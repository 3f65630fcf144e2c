/* The safetensors format: bytes by hand from its specification, and files that lie. */
#include "io/scratch.h"
#include "io/weights/safetensors.h"

#include <math.h>

/* A file of that header and so many bytes of data. */
static const char *write_file(const char *header, const void *data, size_t data_len) {
    const char *path = in_scratch("some.safetensors");
    const size_t len = strlen(header);
    unsigned char *bytes = calloc(1, 8 + len + data_len + 1);

    assert_non_null(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(len >> 8 * i & 255);
    memcpy(bytes + 8, header, len);
    if (data)
        memcpy(bytes + 8 + len, data, data_len);
    write_bytes(path, bytes, 8 + len + data_len);
    free(bytes);
    return path;
}

static struct safetensors *opened(const char *path) {
    struct safetensors *st = NULL;
    struct err err = {0};

    if (safetensors_open(&st, path, &err))
        fail_msg("%s", err.msg);
    return st;
}

static void path_refused(const char *path, const char *message) {
    struct safetensors *st = NULL;
    struct err err = {0};

    if (!safetensors_open(&st, path, &err))
        fail_msg("expected '%s'", message);
    assert_string_equal(err.msg + strlen(path) + 2, message);
    assert_int_equal(err.kind, ERR_DATA);
    assert_null(st);
}

static void refused(const char *header, size_t data_len, const char *message) {
    path_refused(write_file(header, NULL, data_len), message);
}

static void every_kind_of_float_is_read(void **state) {
    /* 1, -2, 0.5 and the smallest normal and subnormal numbers, and infinity, by their bits */
    static const unsigned char data[] = {
        0x00, 0x3c, 0x00, 0xc0, 0x00, 0x04, 0x01, 0x00, 0x00, 0x7c, 0x00, 0x80, /* F16 */
        0x80, 0x3f, 0x00, 0xc0,                                                 /* BF16 */
        0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0xbf,                         /* F32 */
        0,    0,    0,    0,    0,    0,    0xe0, 0x3f,                         /* F64 */
    };
    static const float half[] = {1, -2, 0x1p-14f, 0x1p-24f, INFINITY, -0.0f};
    float out[6];
    int n;

    (void)state;
    struct safetensors *st =
        opened(write_file("{\"h\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,12]},"
                          "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[12,16]},"
                          "\"f\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[16,24]},"
                          "\"d\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[24,32]},"
                          "\"__metadata__\":{\"format\":\"pt\"}}   ",
                          data, sizeof data));
    const struct safetensor *t = safetensors_list(st, &n);
    assert_int_equal(n, 4);
    assert_string_equal(t[0].name, "b"); /* sorted */
    assert_string_equal(t[3].name, "h");
    assert_true(shape_equal(&t[3].shape, &(struct shape){2, {2, 3}}));
    assert_true(shape_equal(&t[1].shape, &(struct shape){1, {1}})); /* a scalar */
    safetensors_read(st, 3, out);
    assert_memory_equal(out, half, sizeof half);
    safetensors_read(st, 0, out);
    assert_true(out[0] == 1 && out[1] == -2);
    safetensors_read(st, 2, out);
    assert_true(out[0] == 1 && out[1] == -0.5f);
    safetensors_read(st, 1, out);
    assert_true(out[0] == 0.5f);
    assert_string_equal(safetensors_meta(st, "format"), "pt");
    assert_null(safetensors_meta(st, "other"));
    safetensors_close(st);
}

static void what_is_no_float_of_ours_is_listed_with_the_reason(void **state) {
    int n;

    (void)state;
    struct safetensors *st = opened(
        write_file("{\"a\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                   "\"b\":{\"dtype\":\"F16\",\"shape\":[1,1,1,1,1,2],\"data_offsets\":[8,12]},"
                   "\"c\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[12,12]}}",
                   NULL, 12));
    const struct safetensor *t = safetensors_list(st, &n);
    assert_int_equal(n, 3);
    assert_string_equal(t[0].why, "is I64");
    assert_string_equal(t[1].why, "has 6 dimensions");
    assert_string_equal(t[2].why, "is empty");
    safetensors_close(st);
}

static void a_written_file_is_what_the_format_says(void **state) {
    static const float w[] = {1, -2}, b[] = {0.5f};
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"a.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
        "\"a.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[4,12]}}";
    static const unsigned char data[] = {0, 0, 0, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0};
    const struct safetensor_out t[] = {{"a.weight", {2, {1, 2}}, w}, {"a.bias", {1, {1}}, b}};
    const struct safetensors_text meta = {"format", "pt"};
    const char *path = in_scratch("out.safetensors");
    struct err err = {0};
    size_t len;

    (void)state;
    assert_int_equal(safetensors_write(path, t, 2, &meta, 1, &err), 0);
    unsigned char *bytes = read_bytes(path, &len);
    const size_t header_len = (sizeof header - 1 + 7) / 8 * 8;
    assert_int_equal(len, 8 + header_len + 12);
    assert_true(bytes[0] == header_len && !bytes[1] && !bytes[7]);
    assert_memory_equal(bytes + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < header_len; i++)
        assert_true(bytes[8 + i] == ' ');
    assert_memory_equal(bytes + 8 + header_len, data, sizeof data);
    free(bytes);
    safetensors_close(opened(path));
    assert_int_equal(access(in_scratch("out.safetensors.tmp"), F_OK), -1);
}

static void all_bits_survive(void **state) {
    static const uint32_t bits[] = {0x7fc12345, 0x80000000, 1, 0x7f800000, 0x3f9d70a4};
    const char *path = in_scratch("bits.safetensors");
    float in[5], out[5];
    struct err err = {0};

    (void)state;
    memcpy(in, bits, sizeof in);
    const struct safetensor_out t = {"x", {1, {5}}, in};
    assert_int_equal(safetensors_write(path, &t, 1, NULL, 0, &err), 0);
    struct safetensors *st = opened(path);
    safetensors_read(st, 0, out);
    assert_memory_equal(out, bits, sizeof bits);
    safetensors_close(st);
}

static void names_that_cannot_be_written_are_refused(void **state) {
    static const float x[] = {1};
    const struct safetensor_out twice[] = {{"x", {1, {1}}, x}, {"x", {1, {1}}, x}};
    const struct safetensor_out latin = {"caf\xe9", {1, {1}}, x};
    struct err err = {0};

    (void)state;
    assert_int_equal(safetensors_write(in_scratch("no"), twice, 2, NULL, 0, &err), -1);
    assert_contains(err.msg, "no: two tensors would have the name x");
    assert_int_equal(safetensors_write(in_scratch("no"), &latin, 1, NULL, 0, &err), -1);
    assert_contains(err.msg, "is not UTF-8 text");
    assert_int_equal(access(in_scratch("no"), F_OK), -1);
}

static void a_file_that_is_cut_off_is_refused(void **state) {
    const char *path = in_scratch("short");

    (void)state;
    write_bytes(path, "\5\0\0", 3);
    path_refused(path, "is cut off after 3 bytes, or no safetensors file");
    write_bytes(path, "\40\0\0\0\0\0\0\0{\"a\":", 13);
    path_refused(path, "is cut off: its header takes 32 bytes, but 5 follow");
    write_bytes(path, "\x01\xe1\xf5\5\0\0\0\0{}", 10); /* 100,000,001 */
    path_refused(path, "its header would take 100000001 bytes, expected at most 100000000; it is "
                       "no safetensors file, or damaged");
    write_bytes(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
    path_refused(path, "its header would take 18446744073709551615 bytes, expected at most "
                       "100000000; it is no safetensors file, or damaged");
}

static void a_header_that_is_no_json_object_is_refused(void **state) {
    (void)state;
    refused("", 4, "its header does not begin with {");
    refused("[1]", 0, "its header does not begin with {");
    refused("{\"a\":1,\"a\":1}", 0,
            "its header is not as expected: duplicate object key near '\"a\"', at byte 10");
    refused("{} {}", 0, "its header is not as expected: end of file expected near '{', at byte 4");
    refused("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__: 'a' is no text");
    refused("{\"__metadata__\":3}", 0, "__metadata__ is no object");
}

#define A(dtype, shape, offsets)                                                                   \
    "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void a_tensor_that_is_not_described_is_refused(void **state) {
    (void)state;
    refused("{\"a\":3}", 0, "tensor a: has no dtype");
    refused(A("\"F31\"", "[1]", "[0,4]"), 4, "tensor a: its dtype 'F31' is not known");
    refused("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor a: has no shape");
    refused(A("\"F32\"", "[-1]", "[0,4]"), 4, "tensor a: its shape is no list of whole numbers");
    refused(A("\"F32\"", "[1.5]", "[0,4]"), 4, "tensor a: its shape is no list of whole numbers");
    refused(A("\"F32\"", "[4294967296,4294967296]", "[0,4]"), 4,
            "tensor a: its shape is larger than any file");
    refused(A("\"F32\"", "[1]", "[0]"), 4, "tensor a: data_offsets are no two whole numbers");
    refused(A("\"F32\"", "[1]", "[0,\"4\"]"), 4, "tensor a: data_offsets are no two whole numbers");
    refused(A("\"F32\"", "[2]", "[0,4]"), 4, "tensor a: its shape takes 8 bytes, but it has 4");
    refused("{\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
            "a tensor has an empty name");
    refused("{\"a\\u001b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
            "the name of a tensor has the control character 27");
}

static void data_that_is_not_there_is_refused(void **state) {
    (void)state;
    refused(A("\"F32\"", "[2]", "[0,8]"), 7,
            "tensor a: data_offsets are 0 to 8, outside of the 7 bytes of data; the file is "
            "damaged or cut off");
    refused(A("\"F32\"", "[2]", "[8,0]"), 8,
            "tensor a: data_offsets are 8 to 0, outside of the 8 bytes of data; the file is "
            "damaged or cut off");
    refused(A("\"F32\"", "[2]", "[-8,0]"), 8,
            "tensor a: data_offsets are -8 to 0, outside of the 8 bytes of data; the file is "
            "damaged or cut off");
}

#define TWO(first, second)                                                                         \
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" first                              \
    "},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" second "}}"

static void tensors_must_fill_the_data_without_overlap(void **state) {
    (void)state;
    refused(TWO("[0,8]", "[4,12]"), 12, "tensors a and b overlap");
    refused(TWO("[0,8]", "[0,8]"), 8, "tensors a and b overlap");
    refused(TWO("[0,8]", "[12,20]"), 20, "4 bytes before tensor b belong to no tensor");
    refused(TWO("[16,24]", "[8,16]"), 24, "8 bytes before tensor b belong to no tensor");
    refused(TWO("[0,8]", "[8,16]"), 17, "1 bytes at its end belong to no tensor");
    safetensors_close(opened(write_file(TWO("[8,16]", "[0,8]"), NULL, 16)));
    safetensors_close(opened(write_file("{}", NULL, 0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_float_is_read),
        cmocka_unit_test(what_is_no_float_of_ours_is_listed_with_the_reason),
        cmocka_unit_test(a_written_file_is_what_the_format_says),
        cmocka_unit_test(all_bits_survive),
        cmocka_unit_test(names_that_cannot_be_written_are_refused),
        cmocka_unit_test(a_file_that_is_cut_off_is_refused),
        cmocka_unit_test(a_header_that_is_no_json_object_is_refused),
        cmocka_unit_test(a_tensor_that_is_not_described_is_refused),
        cmocka_unit_test(data_that_is_not_there_is_refused),
        cmocka_unit_test(tensors_must_fill_the_data_without_overlap),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
