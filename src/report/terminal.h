/* terminal.h - what the user sees of a running job: one line that moves on a terminal, plain lines
 * elsewhere. */
#pragma once
#include "report/glyphs.h"
#include "report/screen.h"
#include "train/event.h"

#include <stdio.h>

struct terminal {
    struct sink sink;
    FILE *out;            /* borrowed */
    struct screen screen; /* where it moves, the line is written over */
    double last;          /* when a line was last written, seconds */
    int columns;          /* of the terminal; 0: as many as it has at the time */
    bool line_is_open;    /* the terminal's cursor stands behind a progress line */
    struct spark loss;    /* of the job's first step */
};

/* A sink that writes to stdout: progress 5 times a second on a terminal, every 10 seconds
 * elsewhere; everything else at once. Local. */
void terminal_init(struct terminal *t);
