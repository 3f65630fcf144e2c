/* dltrain data, as its user meets it: what it refuses to write to, and what it says. */
#include "support/program.h"
#include "cmd/printed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void nothing_but_a_dataset_is_replaced(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "mkdir -p src/cat && mkfifo pipe && echo x > notes.txt && "
                   "ln shapes.h5 same.h5 && ln -s shapes.h5 soft.h5 && cp shapes.h5 b.h5");
    program_expect(64, "/dev/full: is a device", "$DLTRAIN data synth /dev/full");
    program_expect(64, "pipe: is a pipe", "$DLTRAIN data synth pipe");
    program_expect(64, "src: is a folder", "$DLTRAIN data import imagefolder src src");
    program_expect(64, "notes.txt: exists and is no HDF5 file; remove it first",
                   "$DLTRAIN data import imagefolder src notes.txt");
    program_expect(64, "same.h5: is the same file as shapes.h5",
                   "$DLTRAIN convert shapes.h5 same.h5");
    program_expect(64, "soft.h5: is the same file as shapes.h5",
                   "$DLTRAIN convert shapes.h5 soft.h5");
    program_expect(0, NULL, "cmp shapes.h5 b.h5 && test -c /dev/full && test -p pipe");
    program_expect(0, NULL, "$DLTRAIN data synth b.h5 --train 10 --test 10");
    program_expect(1, NULL, "cmp -s shapes.h5 b.h5");
    program_expect(0, NULL, "rm -r src pipe notes.txt same.h5 soft.h5 b.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_a_dataset_is_replaced),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
