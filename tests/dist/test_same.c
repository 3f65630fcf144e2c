/* Lists that should be the same on all ranks, and in what they are not. */
#include "support/mpi_main.h"

#include "dist/same.h"

#include <string.h>

enum { MESSAGE = sizeof((struct err){0}.msg) };

/* "rank R on HOST has MINE, rank 0 on HOST has FIRST; do something", R the lowest of those that
 * differ. All are on one host. */
static void expect(const struct same *list, int rank, const char *mine, const char *first) {
    struct err err = {0}, all[16];
    char expected[MESSAGE + 256];

    if (comm_size(comm) <= rank) {
        assert_int_equal(same_check(comm, list, ERR_DATA, "do something", &err), 0);
        assert_string_equal(err.msg, "");
        return;
    }
    assert_int_equal(same_check(comm, list, ERR_DATA, "do something", &err), -1);
    snprintf(expected, sizeof expected, "rank %d on %s has %s, rank 0 on %s has %s; do something",
             rank, comm_host(comm), mine, comm_host(comm), first);
    assert_string_equal(err.msg, expected);
    assert_int_equal(err.kind, ERR_DATA);
    comm_all_gather(comm, &err, all, sizeof err);
    for (int r = 0; r < comm_size(comm); r++)
        assert_string_equal(all[r].msg, expected);
}

static const char *const keys[] = {"a", "b", "c"};

static bool differs(int from) {
    return comm_rank(comm) >= from;
}

static void add_some(struct same *list) {
    same_add(list, "[job] epochs", "%d", 3);
    same_add(list, "[validate]", "%s", "");
}

static void what_is_the_same_is_fine(void **state) {
    struct same list = {0}, empty = {0};
    struct err err = {.kind = ERR_DATA, .msg = "old"};

    (void)state;
    add_some(&list);
    assert_int_equal(same_check(comm, &list, ERR_CONFIG, "", &err), 0);
    assert_int_equal(same_check(comm, &empty, ERR_CONFIG, "", &err), 0);
    assert_string_equal(err.msg, "old");
    same_release(&list);
}

static void the_lowest_rank_unlike_rank_0_is_named_with_both_texts(void **state) {
    (void)state;
    for (int from = 1; from < 4; from++) {
        struct same list = {0};
        add_some(&list);
        same_add(&list, "[step] loss", "%smse(a, b)", differs(from) ? "5 * " : "");
        same_add(&list, "[step] train", "%s", differs(from) ? "g" : "f"); /* not the first */
        expect(&list, from, "[step] loss = 5 * mse(a, b)", "[step] loss = mse(a, b)");
        same_release(&list);
    }
}

/* Whichever of the ranks has less, at whatever place, even nothing. */
static void a_key_that_one_of_them_lacks_is_named(void **state) {
    (void)state;
    for (int place = 0; place < 3; place++)
        for (int lacks = 0; lacks < 2; lacks++) {
            struct same list = {0};
            for (int i = 0; i < 3; i++)
                if (i == place && differs(1) != lacks)
                    same_add(&list, "odd", "%s", "7");
                else if (i != place)
                    same_add(&list, keys[i], "%d", i);
            expect(&list, 1, lacks ? "no odd" : "odd = 7", lacks ? "odd = 7" : "no odd");
            same_release(&list);
        }
    struct same list = {0};
    if (!differs(1))
        add_some(&list);
    expect(&list, 1, "no [job] epochs", "[job] epochs = 3");
    same_release(&list);
    if (differs(2))
        same_add(&list, "[validate]", "%s", "");
    expect(&list, 2, "[validate]", "no [validate]");
    same_release(&list);
}

static void another_order_is_a_difference(void **state) {
    struct same list = {0};

    (void)state;
    for (int i = 0; i < 3; i++)
        same_add(&list, keys[differs(2) && i ? 3 - i : i], "%s", "1");
    expect(&list, 2, "c before b", "b before c");
    same_release(&list);
}

/* Neither a text that goes on as the next key, nor one that is moved into it, deceives. */
static void keys_and_texts_are_not_mixed_up(void **state) {
    struct same list = {0};

    (void)state;
    same_add(&list, differs(1) ? "ab" : "a", "%s", differs(1) ? "c" : "bc");
    expect(&list, 1, "no a", "a = bc");
    same_release(&list);
}

static void long_texts_are_shown_where_they_part(void **state) {
    char text[4001];
    struct same list = {0};
    struct err err = {0};

    (void)state;
    for (int at = 0; at < 4000; at += 3999 / 3) {
        memset(text, '.', 4000), text[4000] = 0;
        text[at] = differs(1) ? 'X' : 'Y';
        same_add(&list, "long", "%s", text);
        if (comm_size(comm) > 1) {
            assert_int_equal(same_check(comm, &list, ERR_DATA, "advice", &err), -1);
            assert_non_null(strchr(err.msg, 'X'));
            assert_non_null(strchr(err.msg, 'Y'));
            assert_non_null(strstr(err.msg, "; advice"));
            assert_true(strlen(err.msg) < 600);
        }
        same_release(&list);
    }
}

/* Two bytes a character: however they are cut, it is between two. */
static void characters_are_not_cut(void **state) {
    struct err err = {0};

    (void)state;
    for (int at = 400; at < 404; at++) {
        struct same list = {0};
        char text[1001];
        for (int i = 0; i < 1000; i += 2)
            memcpy(text + i, "\xc3\xa4", 2);
        text[1000] = 0;
        text[at / 2 * 2] = text[at / 2 * 2 + 1] = differs(1) ? 'X' : 'Y';
        same_add(&list, "k", "%s%s", at % 2 ? "z" : "", text);
        if (comm_size(comm) > 1) {
            assert_int_equal(same_check(comm, &list, ERR_DATA, "", &err), -1);
            for (const char *c = err.msg; *c; c++)
                if ((unsigned char)*c == 0xc3)
                    assert_int_equal((unsigned char)c[1], 0xa4);
                else if ((unsigned char)*c == 0xa4)
                    assert_int_equal((unsigned char)c[-1], 0xc3);
        }
        same_release(&list);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_the_same_is_fine),
    cmocka_unit_test(the_lowest_rank_unlike_rank_0_is_named_with_both_texts),
    cmocka_unit_test(a_key_that_one_of_them_lacks_is_named),
    cmocka_unit_test(another_order_is_a_difference),
    cmocka_unit_test(keys_and_texts_are_not_mixed_up),
    cmocka_unit_test(long_texts_are_shown_where_they_part),
    cmocka_unit_test(characters_are_not_cut),
};

MPI_MAIN(tests)
