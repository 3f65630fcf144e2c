/* Tables that people know, where Python's scikit-learn has brought them: iris and breast cancer,
 * from its CSV files on. Their first lines are no header; skipped where they are not there. */
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define FOLDER "/usr/lib/python3/dist-packages/sklearn/datasets/data"

static const char *folder(void) {
    const char *other = getenv("SKLEARN_DATA");

    return other ? other : FOLDER;
}

/* Import a table, train a small network on its classes, and see that it tells them apart. */
static void learns(const char *name, int target, int classes, double least) {
    char best[32];

    program_expect(0, NULL, "tail -n +2 %s/%s.csv > %s.csv", folder(), name, name);
    program_expect(0, NULL,
                   "$DLTRAIN data import csv %s.csv %s.h5 --no-header --target c%d --classes "
                   "--split 0.3",
                   name, name, target);
    program_write("t.ini",
                  "[job]\nepochs = 60\n[net m(x)]\nout = x | linear(32) | relu | linear(%d)\n"
                  "[data]\ntrain = %s.h5:train\nvalidate = %s.h5:validate\n"
                  "augment = image | normalize\nbatch = 16\n"
                  "[step]\nloss = cross_entropy(m(features), label)\ntrain = m\n"
                  "optimizer = adam(lr=cosine(1e-2))\n"
                  "[validate]\ntop1 = accuracy(m(features), label)\nbest = top1\n",
                  classes, name, name);
    struct program_run run = program_run("$DLTRAIN t.ini --set job.name=%s", name);
    const char *at = strstr(run.out, "best: top1=");
    if (run.code || !at)
        fail_msg("%s: exit code %d\n%s", name, run.code, run.err);
    snprintf(best, sizeof best, "%.16s", at + strlen("best: top1="));
    if (strtod(best, NULL) < least)
        fail_msg("%s: %s, expected at least %g", name, best, least);
    program_release(&run);
}

static void iris_and_tumours_are_told_apart(void **state) {
    (void)state;
    learns("iris", 5, 3, 0.93);
    learns("breast_cancer", 31, 2, 0.93);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(iris_and_tumours_are_told_apart)};
    char path[512];

    snprintf(path, sizeof path, "%s/iris.csv", folder());
    if (access(path, R_OK)) {
        printf("skipped: there is no %s, which python3-sklearn has\n", path);
        return 77;
    }
    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
