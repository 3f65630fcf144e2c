/* What docs/cookbook.md does from the raw file on: its commands make the data, its jobs train on
 * them, and reach what they say. And what README.md does with photographs. */
#include "cmd/recipes.h"
#include "io/image/image.h"

#include <unistd.h>

static const char cookbook[] = DLTRAIN_CONFIGS "/../docs/cookbook.md";
static const char first_page[] = DLTRAIN_CONFIGS "/../README.md";

static int setup(void **state) {
    if (program_setup(state) || mkdir("data", 0777) || mkdir("jobs", 0777))
        return -1;
    write_sounds();
    write_scans();
    return 0;
}

/* The measure of that name in the last line of results. */
static double result_of(const char *out, const char *name) {
    const char *line = strstr(out, "result: ");
    char wanted[64];

    snprintf(wanted, sizeof wanted, " %s=", name);
    const char *at = line ? strstr(line, wanted) : NULL;
    if (!at)
        fail_msg("no %s in\n%s", name, out);
    return strtod(at + strlen(wanted), NULL);
}

/* Train the job, on two ranks, and evaluate its best weights: as good as its second line says. */
static void train(const char *job) {
    char path[64], name[32];
    double least;

    if (sscanf(job, "; jobs/%63s\n; expect %31s >= %lf", path, name, &least) != 3)
        fail_msg("expected a job's path and what it reaches:\n%s", job);
    *strstr(path, ".ini") = 0;
    program_write("job.ini", "%s", job);
    struct program_run run = program_run("$MPIRUN -np 2 $DLTRAIN job.ini --set job.name=%s", path);
    if (run.code)
        fail_msg("%s: exit code %d\n%s", path, run.code, run.err);
    program_release(&run);
    run = program_run("$DLTRAIN eval runs/%s", path);
    if (run.code)
        fail_msg("%s: exit code %d\n%s", path, run.code, run.err);
    const double found = result_of(run.out, name);
    printf("%s: %s %.4f, expected at least %g\n", path, name, found, least);
    assert_true(found >= least);
    program_release(&run);
}

static void raw_files_become_trained_networks(void **state) {
    char *text = program_read(cookbook), *commands;
    const char *at = text;
    int n = 0;

    (void)state;
    while ((commands = recipe_block(&at, "sh"))) {
        char *job = recipe_block(&at, "ini");

        assert_non_null(job);
        recipe_run(commands);
        train(job);
        free(commands);
        free(job);
        n++;
    }
    free(text);
    assert_int_equal(n, 4);
}

/* Grey noise, brighter in the second class. */
static void write_photo(const char *path, unsigned char least, unsigned *state) {
    unsigned char pixels[40 * 48 * 3];
    struct err err = {0};

    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(least + 100 * drawn(state));
    if (image_write_png(path, 48, 40, 3, pixels, &err))
        fail_msg("%s", err.msg);
}

/* The commands as they stand there, but for a shorter training. */
static void photos_become_predictions_by_the_first_page(void **state) {
    char *text = program_read(first_page), path[64];
    const char *at = strstr(text, "## Your own images");
    unsigned drawing = 5;

    (void)state;
    assert_int_equal(symlink(DLTRAIN_CONFIGS, "configs"), 0);
    program_expect(0, NULL, "mkdir -p photos/night photos/day new_photos");
    for (int i = 0; i < 22; i++) {
        snprintf(path, sizeof path, "%s/%d.png",
                 i > 19  ? "new_photos"
                 : i % 2 ? "photos/day"
                         : "photos/night",
                 i);
        write_photo(path, i % 2 ? 140 : 10, &drawing);
    }
    assert_non_null(at);
    char *commands = recipe_block(&at, "sh"), *epochs = strstr(commands, "epochs  = 30");
    assert_non_null(epochs);
    memcpy(epochs, "epochs  =  1", strlen("epochs  =  1"));
    /* A program that was built without uPlot has no pages, and says so by 78. */
    program_write("photos.sh",
                  "node() { test -s photos.onnx; }\n"
                  "dltrain() {\n"
                  "  $DLTRAIN \"$@\" || { test $?$1 = 78report && echo none >report.html; }\n"
                  "}\n%s",
                  commands);
    free(commands);
    commands = program_read("photos.sh");
    recipe_run(commands);
    free(commands);
    free(text);
    program_expect(0, NULL,
                   "test -s report.html && grep -q '^new_photos/20.png,' predictions.csv && "
                   "test $(wc -l < predictions.csv) = 3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_files_become_trained_networks),
        cmocka_unit_test(photos_become_predictions_by_the_first_page),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
