/* printed.h - what a command prints. */
#pragma once
#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Run it, expect it to succeed, and give what it printed, to be freed. */
static inline char *printed(const char *command) {
    struct program_run run = program_run("%s", command);
    char *out = run.out;

    if (run.code)
        fail_msg("%s\nexit code %d\n%s%s", command, run.code, run.out, run.err);
    free(run.err);
    return out;
}

static inline void expect_text(const char *command, const char *text) {
    char *out = printed(command);

    if (!strstr(out, text))
        fail_msg("%s\nprints no '%s' but\n%s", command, text, out);
    free(out);
}

/* Run it, expect that code, and a text in what it prints on either stream. */
static inline void expect_said(int code, const char *text, const char *command) {
    struct program_run run = program_run("%s", command);

    if (run.code != code || (!strstr(run.out, text) && !strstr(run.err, text)))
        fail_msg("%s\nexit code %d, expected %d and '%s' in\n%s%s", command, run.code, code, text,
                 run.out, run.err);
    program_release(&run);
}
