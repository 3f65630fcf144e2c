#include "report/page_lines.h"
#include "report/page_parts.h"
#include "report/page_thin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { KINDS = 3, MOST_COLUMNS = 400, LEAST_COLUMNS = 20 };

static const char *const kinds[KINDS] = {"compute_s", "wait_s", "data_s"};

/* All lines are kept until their number is known. */
static int keep(void *context, json_t *line, struct err *err) {
    (void)err;
    json_array_append((json_t *)context, line);
    return 0;
}

/* Four digits are more than a colour shows. */
static json_t *short_number(double v) {
    char text[32];

    snprintf(text, sizeof text, "%.4g", v);
    return isfinite(v) ? json_real(strtod(text, NULL)) : json_null();
}

/* The mean over lines [begin, end) of kind[rank], of those that say it. */
static json_t *mean(const json_t *lines, size_t begin, size_t end, const char *kind, size_t rank) {
    double sum = 0;
    int n = 0;

    for (size_t i = begin; i < end; i++) {
        const json_t *v = json_array_get(json_object_get(json_array_get(lines, i), kind), rank);
        if (!json_is_number(v))
            continue;
        sum += json_number_value(v);
        n++;
    }
    return short_number(n ? sum / n : (double)NAN);
}

static json_t *means(const json_t *lines, size_t begin, size_t end, const char *kind,
                     size_t n_ranks) {
    json_t *out = json_array();

    for (size_t k = 0; k < n_ranks; k++)
        json_array_append_new(out, mean(lines, begin, end, kind, k));
    return out;
}

static json_t *ranks_log(const json_t *lines, size_t n_ranks, size_t cells) {
    const size_t n = json_array_size(lines);
    size_t columns = cells / n_ranks;
    json_t *log = json_pack("{s:[], s:[]}", "step", "epoch");

    columns = columns > MOST_COLUMNS ? MOST_COLUMNS : columns;
    columns = columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns;
    columns = columns > n ? n : columns;
    for (int k = 0; k < KINDS; k++)
        json_object_set_new(log, kinds[k], json_array());
    for (size_t c = 0, begin = 0; c < columns; c++) {
        const size_t last = page_thin_even(c, columns, n);
        const json_t *line = json_array_get(lines, last);
        json_array_append(json_object_get(log, "step"), json_object_get(line, "step"));
        json_array_append(json_object_get(log, "epoch"), json_object_get(line, "epoch"));
        for (int k = 0; k < KINDS; k++)
            json_array_append_new(json_object_get(log, kinds[k]),
                                  means(lines, begin, last + 1, kinds[k], n_ranks));
        begin = last + 1;
    }
    return log;
}

int page_ranks_add(json_t *run, const char *path, size_t cells, struct err *err) {
    json_t *lines = json_array();
    size_t n_ranks = 0;
    const int rc = page_lines_read(path, true, keep, lines, err);

    for (size_t i = 0; i < json_array_size(lines); i++) {
        json_t *line = json_array_get(lines, i), *hosts = json_object_get(line, "hosts");
        const size_t n = json_array_size(json_object_get(line, kinds[0]));
        n_ranks = n > n_ranks ? n : n_ranks;
        if (hosts)
            json_object_set(run, "hosts", hosts);
    }
    if (!rc && n_ranks) {
        json_object_set_new(run, "ranks", json_integer((json_int_t)n_ranks));
        json_object_set_new(run, "ranks_log", ranks_log(lines, n_ranks, cells));
    }
    json_decref(lines);
    return rc;
}

int page_phases_add(json_t *run, const char *path, struct err *err) {
    char *text;
    size_t len;

    if (page_file_read(path, &text, &len, err))
        return -1;
    if (text)
        json_object_set_new(run, "phases", page_text(text));
    free(text);
    return 0;
}

int page_histograms_add(json_t *run, const char *path, size_t cells, struct err *err) {
    json_t *lines = json_array(), *kept = json_array();
    const int rc = page_lines_read(path, true, keep, lines, err);
    const size_t n = json_array_size(lines);
    size_t counts = 1;

    for (size_t i = 0; i < json_array_size(json_object_get(json_array_get(lines, 0), "tensors"));
         i++)
        counts += 64;
    size_t k = cells / counts;
    k = k < 4 ? 4 : k;
    k = k > n ? n : k;
    for (size_t i = 0; i < k; i++)
        json_array_append(kept, json_array_get(lines, page_thin_even(i, k, n)));
    if (!rc && n)
        json_object_set(run, "histograms", kept);
    json_decref(kept);
    json_decref(lines);
    return rc;
}
