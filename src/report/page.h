/* page.h - one or several runs as one HTML file that needs nothing else: no network, no program but
 * a browser. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>

struct page_request {
    const char *const *runs; /* [n_runs] their folders */
    int n_runs;
    const char *title; /* NULL: the runs' names */
    const char *out;   /* the file, which is replaced */
};

/* Write the page; *bytes is how large it is. Errors: ERR_CONFIG where this program was built
 * without uPlot, saying how to build it in; those of page_run; ERR_IO. */
int page_write(const struct page_request *request, size_t *bytes, struct err *err);
