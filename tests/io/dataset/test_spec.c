/* How a job names one dataset or several. */
#include "io/scratch.h"

#include "io/dataset/dataset_spec.h"

static int enter(void **state) {
    static const char *const files[] = {"a.h5",   "b.h5",     "s10.h5", "s2.h5",
                                        "x,y.h5", "p + q.h5", "c++.h5"};

    if (scratch_setup(state) || chdir(scratch))
        return -1;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        write_bytes(files[i], "", 0);
    return 0;
}

static void parts_are(const char *text, const char *const *parts) {
    struct dataset_spec spec = {0};
    struct err err = {0};
    int n = 0;

    if (dataset_spec_read(&spec, text, &err))
        fail_msg("%s", err.msg);
    for (; parts[n]; n++) {
        assert_true(n < spec.n);
        assert_string_equal(spec.part[n], parts[n]);
    }
    assert_int_equal(spec.n, n);
    dataset_spec_release(&spec);
}

#define PARTS(text, ...) parts_are(text, (const char *const[]){__VA_ARGS__, NULL})

static void parts_stand_between_plus_signs_and_commas(void **state) {
    (void)state;
    PARTS("a.h5:train", "a.h5:train");
    PARTS("a.h5:x + b.h5:y", "a.h5:x", "b.h5:y");
    PARTS("a.h5, b.h5", "a.h5", "b.h5");
    PARTS("a.h5:x + b.h5", "a.h5:x", "b.h5");
    PARTS("a.h5:x +\n  b.h5:y,a.h5:z", "a.h5:x", "b.h5:y", "a.h5:z");
    PARTS("absent.h5", "absent.h5");
    PARTS("c++.h5 + a.h5:x", "c++.h5", "a.h5:x");
}

static void patterns_stand_for_files_in_the_order_of_their_names(void **state) {
    (void)state;
    PARTS("s*.h5:train", "s10.h5:train", "s2.h5:train");
    PARTS("[ab].h5", "a.h5", "b.h5");
    PARTS("s?.h5:x + a.h5", "s2.h5:x", "a.h5");
    PARTS("a.h5:fold*", "a.h5:fold*"); /* patterns are of files */
}

static void a_file_may_have_any_name(void **state) {
    (void)state;
    PARTS("x,y.h5", "x,y.h5");
    PARTS("x,y.h5:train", "x,y.h5:train");
    PARTS("p + q.h5:a", "p + q.h5:a");
}

static void is_refused(const char *text, enum err_kind kind, const char *message) {
    struct dataset_spec spec = {0};
    struct err err = {0};

    assert_int_equal(dataset_spec_read(&spec, text, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_contains(err.msg, message);
    dataset_spec_release(&spec);
}

static void what_names_nothing_is_refused(void **state) {
    (void)state;
    is_refused("a.h5:x + ", ERR_CONFIG, "'a.h5:x + ': found nothing where a file is expected");
    is_refused("a.h5,, b.h5", ERR_CONFIG, "found nothing where a file is expected");
    is_refused(" + a.h5", ERR_CONFIG, "found nothing where a file is expected");
    is_refused("", ERR_CONFIG, "found nothing where a file is expected");
    is_refused("a.h5+b.h5", ERR_IO,
               "a.h5+b.h5: there is no such file; a + between files has blanks around it");
    is_refused("z*.h5:train", ERR_IO, "z*.h5: no file matches");
    is_refused("*.h5:x, a.h5:x", ERR_CONFIG, "a.h5:x is named twice");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_stand_between_plus_signs_and_commas),
        cmocka_unit_test(patterns_stand_for_files_in_the_order_of_their_names),
        cmocka_unit_test(a_file_may_have_any_name),
        cmocka_unit_test(what_names_nothing_is_refused),
    };

    return cmocka_run_group_tests(tests, enter, scratch_teardown);
}
