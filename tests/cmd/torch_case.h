/* torch_case.h - a Python with PyTorch in it, and the losses that it and the program print. */
#pragma once
#include "support/program.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The first Python that has these modules, as "torch, h5py"; NULL: none. */
static inline const char *torch_python(const char *modules) {
    static const char *const pythons[] = {"python3", "/usr/bin/python3"};
    char command[128];

    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "%s -c 'import %s' 2>/dev/null", pythons[i], modules);
        if (!system(command))
            return pythons[i];
    }
    printf("skipped: no Python with %s\n", modules);
    return NULL;
}

/* The number behind "loss=" in what a command prints. */
static inline double loss_of(const char *command) {
    struct program_run run = program_run("%s", command);
    const char *at = strstr(run.out, "loss=");

    if (run.code || !at)
        fail_msg("%s\nexit code %d\n%s%s", command, run.code, run.out, run.err);
    const double loss = strtod(at + 5, NULL);
    program_release(&run);
    return loss;
}
