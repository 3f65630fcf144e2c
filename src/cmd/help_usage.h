/* help_usage.h - the usage of a command taken apart, for manual pages and completion: what is
 * written for people is the only list of options that there is. */
#pragma once
#include "cmd/command.h"

#include <stdbool.h>

enum usage_kind {
    USAGE_BLANK,
    USAGE_SYNOPSIS,  /* "dltrain eval JOB.ini|RUN [--weights FILE]", or more of it */
    USAGE_ITEM,      /* "  --seed N      of the draw": head and text */
    USAGE_MORE,      /* of the text of the item before */
    USAGE_PARAGRAPH, /* text from the left edge */
    USAGE_VERBATIM,  /* an example, or whatever else is indented */
};

/* One line; its parts are not ended by 0. */
struct usage_line {
    enum usage_kind kind;
    const char *head; /* of an item: "--seed N" */
    int head_len;
    const char *text;
    int text_len;
};

/* The next line of a usage.
 *   at    in: where it begins; out: behind it
 *   line  in: the line before, {0} at first; out: this one
 * Returns false at the end. */
bool usage_next(const char **at, struct usage_line *line);

/* An option of a command: "seed", and "N" or NULL where it takes no value. */
struct usage_option {
    char name[32], value[32];
    const char *help; /* a few words, not ended by 0; "" where there are none */
    int help_len;
};

enum { USAGE_OPTIONS = 64 };

/* The options that a usage names, each once, in its order. Returns their number. */
int usage_options(const char *usage, struct usage_option *out);

/* The i-th subcommand, as of `dltrain data import`: into name, of so many bytes; false past the
 * end. */
enum { USAGE_NAME = 32 };
bool usage_subcommand(const struct command *command, int i, char name[USAGE_NAME]);
