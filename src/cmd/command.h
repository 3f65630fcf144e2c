/* command.h - a command of the program: dltrain NAME ... */
#pragma once
#include "core/base/err.h"

struct command {
    const char *name;
    const char *summary; /* one line for dltrain help */
    const char *usage;   /* for dltrain help NAME: the synopsis, then its options */
    /* argv[0] is the command's name. Prints to stdout. Returns 0, or -1 with err set. */
    int (*run)(int argc, char **argv, struct err *err);
};

extern const struct command command_data;
