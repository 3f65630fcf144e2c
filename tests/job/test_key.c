/* The tables of keys, and values that no key of today's has. */
#include "job/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static bool unique(const struct key *keys, const struct key *key) {
    int n = 0;

    for (const struct key *k = keys; k->name; k++)
        n += !strcmp(k->name, key->name);
    return n == 1;
}

/* What the reader and help rely on. */
static void rows_of_keys_are_whole(void **state) {
    const struct job_section *s;

    (void)state;
    for (int i = 0; (s = job_section_at(i)); i++) {
        assert_ptr_equal(job_section_find(s->kind), s);
        assert_non_null(s->help);
        assert_true((s->holds == JOB_STATEMENTS) == !s->keys);
        for (const struct key *k = s->keys; k && k->name; k++)
            if (!k->kind || !k->help || !unique(s->keys, k) ||
                (k->fallback != NULL) + (k->absent != NULL) + (k->missing != NULL) > 1 ||
                (k->kind->is_number && !(k->min <= k->max || k->max == 0)) || !k->find != !k->at)
                fail_msg("[%s] %s: its row is not whole", s->kind, k->name);
    }
}

/* --- words of a table --- */

struct packed {
    int bits;
};

static const struct arg_spec packed_args[] = {
    {.name = "bits", .kind = ARG_INT, .offset = offsetof(struct packed, bits), .fallback = 8},
    {0},
};
static const struct word ways[] = {{.name = "plain"},
                                   {"packed", "", sizeof(struct packed), packed_args}};

static const struct word *way_at(int i) {
    return i < 2 ? &ways[i] : NULL;
}

static const struct word *way_find(const char *name) {
    for (int i = 0; i < 2; i++)
        if (!strcmp(ways[i].name, name))
            return &ways[i];
    return NULL;
}

/* The value of a key `way`, or what is wrong with it. */
static int read_way(struct job *job, const char *value, struct applied *out, struct err *err) {
    static const struct key keys[] = {
        {"way", &kind_applied, 0, "packed", .find = way_find, .at = way_at, .help = ""}, {0}};
    const struct pos pos = {"some.job.ini", 7, 7};
    struct entry entry = {.key = "way", .value = value, .raw = value, .pos = pos};
    const struct section section = {
        .kind = "some", .name = "", .entries = &entry, .n_entries = value ? 1 : 0};

    return keys_read(job, keys, &section, out, err);
}

static void words_that_need_no_arguments_may_stand_alone(void **state) {
    static const char *const bad[][2] = {
        {"pakced(4)", "some.job.ini:7:7: found 'pakced', expected the name of a known way; did you "
                      "mean 'packed'?"},
        {"3", "some.job.ini:7:7: way: expected one as in plain"},
        {"packed(bytes=1)", "some.job.ini:7:14: packed has no argument 'bytes'"},
    };
    const char *const values[] = {NULL, "packed", "packed()", "packed(4)", "plain"};
    const int bits[] = {8, 8, 8, 4, 0};
    struct applied way;
    struct job job = {0};

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct err err = {0};
        if (read_way(&job, values[i], &way, &err))
            fail_msg("%s", err.msg);
        assert_ptr_equal(way.word, bits[i] ? &ways[1] : &ways[0]);
        assert_true(!bits[i] || ((const struct packed *)way.args)->bits == bits[i]);
    }
    for (int i = 0; i < 3; i++) {
        struct err err = {0};
        assert_int_equal(read_way(&job, bad[i][0], &way, &err), -1);
        assert_memory_equal(err.msg, bad[i][1], strlen(bad[i][1]));
    }
    job_release(&job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_keys_are_whole),
        cmocka_unit_test(words_that_need_no_arguments_may_stand_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
