#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/dltrain_XXXXXX";

int program_setup(void **state) {
    (void)state;
    if (!mkdtemp(folder) || chdir(folder))
        return -1;
    if (setenv("DLTRAIN", DLTRAIN_PROGRAM, 1) || setenv("MPIRUN", DLTRAIN_MPIRUN, 1) ||
        setenv("CONFIGS", DLTRAIN_CONFIGS, 1) || setenv("SAME", DLTRAIN_SAME, 1))
        return -1;
    return system("$DLTRAIN data synth shapes.h5 --train 240 --test 60 > synth.log");
}

int program_teardown(void **state) {
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", folder, folder);
    return chdir("/") ? -1 : system(command);
}

void program_write(const char *path, const char *fmt, ...) {
    FILE *file = fopen(path, "w");
    va_list ap;

    assert_non_null(file);
    va_start(ap, fmt);
    vfprintf(file, fmt, ap);
    va_end(ap);
    assert_int_equal(fclose(file), 0);
}

char *program_read(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0, used = 0;

    if (!file)
        fail_msg("%s cannot be read", path);
    for (size_t got = 1; got; used += got) {
        size = used + 65536;
        text = realloc(text, size + 1);
        assert_non_null(text);
        got = fread(text + used, 1, size - used, file);
    }
    text[used] = 0;
    fclose(file);
    return text;
}

static struct program_run run_command(const char *fmt, va_list ap) {
    char command[2048], line[4096];

    vsnprintf(command, sizeof command, fmt, ap);
    snprintf(line, sizeof line,
             "timeout -k 5 120 sh -c '%s' > program.out 2> program.err < /dev/null", command);
    const int status = system(line);
    struct program_run run = {.out = program_read("program.out"),
                              .err = program_read("program.err")};
    run.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return run;
}

struct program_run program_run(const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    struct program_run run = run_command(fmt, ap);
    va_end(ap);
    return run;
}

void program_release(struct program_run *run) {
    free(run->out);
    free(run->err);
    *run = (struct program_run){0};
}

/* How many lines begin with "dltrain: ", and does one of them hold the message? */
static int error_lines(const char *text, const char *message, bool *found) {
    int n = 0;

    for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
        const size_t len = strcspn(at, "\n");
        if (strncmp(at, "dltrain: ", 9))
            continue;
        n++;
        char *line = strndup(at, len);
        assert_non_null(line);
        *found = *found || strstr(line, message);
        free(line);
    }
    return n;
}

void program_expect(int code, const char *message, const char *fmt, ...) {
    bool found = false;
    va_list ap;

    va_start(ap, fmt);
    struct program_run run = run_command(fmt, ap);
    va_end(ap);
    const int n = message ? error_lines(run.err, message, &found) : 0;
    if (run.code != code || (message && (n != 1 || !found)))
        fail_msg("%s\nexit code %d, expected %d; expected one error line with '%s'\n"
                 "stdout:\n%s\nstderr:\n%s",
                 fmt, run.code, code, message ? message : "", run.out, run.err);
    program_release(&run);
}

void program_write_job(const char *path, int steps, const char *sections) {
    program_write(path,
                  "[job]\n"
                  "include = %s/classify.ini\n"
                  "model = small(classes=10)\n"
                  "steps = %d\n"
                  "[let]\n"
                  "lr = 0.05\n"
                  "[net small(image, classes)]\n"
                  "a = image | conv(8, 3, stride=2) | relu | conv(16, 3, stride=2) | relu\n"
                  "fc = a | maxpool(2) | flatten | linear(classes)\n"
                  "[data]\n"
                  "train = shapes.h5:train\n"
                  "validate = shapes.h5:test\n"
                  "augment = image | random_crop(32, pad=2) | random_flip | normalize\n"
                  "batch = 25\n"
                  "[log]\n"
                  "every = 1\n"
                  "%s",
                  DLTRAIN_CONFIGS, steps, sections);
}
