/* Bytes of messages: the examples of protobuf.dev's page on the encoding, and others by its rules.
 */
#include "report/proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void holds(struct proto *p, const void *bytes, size_t len) {
    assert_false(p->failed);
    assert_int_equal(p->len, len);
    assert_memory_equal(p->bytes, bytes, len);
    proto_release(p);
}

static void numbers_are_varints(void **state) {
    struct proto p = {0};

    (void)state;
    proto_int(&p, 1, 150);
    proto_int(&p, 16, -1); /* ten bytes, as of 64 bits */
    holds(&p, "\x08\x96\x01\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 15);
}

static void texts_and_messages_have_their_length(void **state) {
    struct proto p = {0}, inner = {0};

    (void)state;
    proto_text(&p, 2, "testing");
    proto_int(&inner, 1, 150);
    proto_message(&p, 3, &inner);
    proto_release(&inner);
    holds(&p, "\x12\x07testing\x1a\x03\x08\x96\x01", 14);
}

static void fractions_are_little_endian(void **state) {
    static const double list[] = {1, -2};
    struct proto p = {0};

    (void)state;
    proto_float(&p, 2, 1);
    proto_double(&p, 1, 1);
    proto_doubles(&p, 6, list, 2);
    holds(&p,
          "\x15\0\0\x80\x3f"
          "\x09\0\0\0\0\0\0\xf0\x3f"
          "\x32\x10\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\xc0",
          32);
}

static void memory_is_kept_for_the_next_message(void **state) {
    struct proto p = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        proto_text(&p, 1, "some text that grows");
    proto_clear(&p);
    proto_int(&p, 1, 1);
    holds(&p, "\x08\x01", 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_varints),
        cmocka_unit_test(texts_and_messages_have_their_length),
        cmocka_unit_test(fractions_are_little_endian),
        cmocka_unit_test(memory_is_kept_for_the_next_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
