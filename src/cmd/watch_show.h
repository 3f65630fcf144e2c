/* watch_show.h - what `dltrain watch` prints of runs. */
#pragma once
#include "cmd/watch_run.h"
#include "report/screen.h"

#include <stdio.h>

/* Where it is printed. */
struct watch_page {
    FILE *out;
    struct screen screen;
    int columns, rows; /* rows 0: as many as it takes */
};

/* One run: its state, how far it is, and a curve of each number. */
void watch_show_run(const struct watch_page *page, const struct watch_run *run);

/* Several: a line of each. */
void watch_show_runs(const struct watch_page *page, const struct watch_run *runs, int n);
