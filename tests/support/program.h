/* program.h - the program as its user runs it: in a scratch folder with a small dataset. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct program_run {
    int code;        /* exit code; 128 + signal when it was killed */
    char *out, *err; /* what it printed */
};

/* Make a scratch folder with shapes.h5 (groups train of 240 and test of 60 samples) and go there.
 * For cmocka_run_group_tests; state is not used. */
int program_setup(void **state);
int program_teardown(void **state);

/* Write a file in the scratch folder. */
void program_write(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Run a shell command in which $DLTRAIN is the program and $MPIRUN starts it on several ranks, as
 * in
 * "$MPIRUN -np 2 $DLTRAIN job.ini"; $SAME A.h5 B.h5 tells whether two checkpoints have the same
 * tensors, to the bit. Ended after 120 s. Release with program_release. */
struct program_run program_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void program_release(struct program_run *run);

/* Run it; fails the test unless it ends with that code and, where message is not NULL, its stderr
 * has that text in exactly one line that begins with "dltrain: ". */
void program_expect(int code, const char *message, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The text of a file, to be freed. Fails the test when it cannot be read. */
char *program_read(const char *path);

/* A job that trains a network without batch norm (so that ranks do not matter) for so many steps of
 * batch 24 on shapes.h5, with what else is given as sections. */
void program_write_job(const char *path, int steps, const char *sections);
