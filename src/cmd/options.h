/* options.h - the options of a command line, as a table in place of a loop. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,  /* bool: becomes true */
    OPTION_TEXT,  /* const char *: borrowed from argv */
    OPTION_WHOLE, /* int64_t: min .. max */
    OPTION_READ,  /* a value for read() */
};

/* One option. A table ends with {0}. */
struct option_spec {
    const char *name; /* without dashes; of one letter: "-o", and "--o" */
    enum option_kind kind;
    size_t offset;    /* of its value in what options_read fills */
    int64_t min, max; /* inclusive */
    int (*read)(void *to, const char *value, struct err *err);
};

/* Read the options in argv into *to, which holds the defaults, and bring the other arguments to the
 * end of argv.
 *   command  for "dltrain help COMMAND lists them"
 *   argv[0]  is passed over
 * Returns the place of the first other argument, or -1 with err (ERR_USAGE). */
int options_read(void *to, const struct option_spec *specs, const char *command, int argc,
                 char **argv, struct err *err);

/* Likewise, but only of the options that stand in front of the first other argument; argv keeps its
 * order. */
int options_read_first(void *to, const struct option_spec *specs, const char *command, int argc,
                       char **argv, struct err *err);
