/* Files as h5py writes them, with what this program does not write. Skipped where Python has no
 * h5py.
 */
#include "cmd/torch_case.h"

static const char *python;

static void is_said(const char *text, bool said) {
    struct program_run run = program_run("$DLTRAIN data info e.h5");

    if (run.code || !strstr(run.out, text) == said)
        fail_msg("exit code %d, '%s' is %s\n%s%s", run.code, text, said ? "not said" : "said",
                 run.out, run.err);
    program_release(&run);
}

static void write_labels(const char *type) {
    program_write("e.py",
                  "import h5py, numpy as np\n"
                  "f = h5py.File('e.h5', 'w')\n"
                  "f['t/images'] = np.zeros((6, 4, 4, 3), 'uint8')\n"
                  "f.create_dataset('t/labels', data=np.arange(6) %% 2, dtype=%s)\n",
                  type);
    program_expect(0, NULL, "%s e.py", python);
}

static void names_of_an_enumeration_are_said_not_to_be_read(void **state) {
    (void)state;
    write_labels("h5py.enum_dtype({'cat': 0, 'dog': 1}, basetype='u1')");
    is_said("/t/labels: the names of its enumeration are not read; the names of classes are", true);
    write_labels("bool");
    is_said("enumeration", false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_an_enumeration_are_said_not_to_be_read),
    };

    python = torch_python("h5py");
    return python ? cmocka_run_group_tests(tests, program_setup, program_teardown) : 77;
}
