/* What the program says of itself. */
#include "printed_json.h"

static void the_first_line_is_that_of_the_option(void **state) {
    char *all = printed("$DLTRAIN version"), *first = printed("$DLTRAIN --version");

    (void)state;
    if (strncmp(first, "dltrain 0.", 10) != 0 || strncmp(all, first, strlen(first)) != 0)
        fail_msg("%s\nexpected to begin with\n%s", all, first);
    assert_ptr_equal(strchr(first, '\n'), first + strlen(first) - 1);
    free(all);
    free(first);
}

static const char *string_at(const json_t *object, const char *group, const char *key) {
    const char *text = json_string_value(json_object_get(json_object_get(object, group), key));

    if (!text || !*text)
        fail_msg("no %s of %s", key, group);
    return text;
}

static void libraries_flags_and_processors_are_told(void **state) {
    json_t *v = printed_json("DLTRAIN_ISA=generic $DLTRAIN version --json");
    const json_t *processors = json_object_get(v, "processors");

    (void)state;
    assert_non_null(strstr(string_at(v, "compiler", "flags"), "-ffp-contract=fast"));
    assert_non_null(strstr(string_at(v, "blas", "library"), "OpenBLAS "));
    assert_non_null(strchr(string_at(v, "mpi", "standard"), '.'));
    string_at(v, "mpi", "library");
    string_at(v, "pictures", "libpng");
    assert_string_equal(string_at(v, "instruction_set", "chosen"), "generic");
    assert_int_equal((int)number(json_object_get(v, "blas"), "threads"), 1);
    assert_true(number(processors, "allowed") >= 1);
    assert_true(number(processors, "all") >= number(processors, "allowed"));
    json_decref(v);
}

/* It needs no ranks: one process says it. */
static void several_processes_say_it_once(void **state) {
    char *out = printed("$MPIRUN -np 3 $DLTRAIN version | grep -c '^HDF5 '");

    (void)state;
    assert_string_equal(out, "1\n");
    free(out);
}

static void what_is_too_much_is_refused(void **state) {
    (void)state;
    program_expect(64, "version: found 'x', expected nothing or --json", "$DLTRAIN version x");
    program_expect(64, "did you mean --json?", "$DLTRAIN version --jsn");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_is_that_of_the_option),
        cmocka_unit_test(libraries_flags_and_processors_are_told),
        cmocka_unit_test(several_processes_say_it_once),
        cmocka_unit_test(what_is_too_much_is_refused),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
