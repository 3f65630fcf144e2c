#include "report/page.h"
#include "io/file/file.h"
#include "report/page_assets.h"
#include "report/page_lines.h"
#include "report/page_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Shares of all runs together; a page is to stay below 5 MB. */
enum { POINTS = 2000, LEAST_POINTS = 200, CELLS = 48000, PICTURE_BYTES = 900000 };

#ifndef DLTRAIN_UPLOT
int page_write(const struct page_request *request, size_t *bytes, struct err *err) {
    (void)request;
    (void)bytes;
    return err_set(err, ERR_CONFIG,
                   "this dltrain was built without uPlot, which draws the curves of a page; where "
                   "it is built: cmake --preset release -DDLTRAIN_UPLOT=uplot-1.6.32.tgz, which is "
                   "https://registry.npmjs.org/uplot/-/uplot-1.6.32.tgz, and build again");
}
#else

/* Data in a page: whatever a name holds, no '<' of it ends the script that it stands in. */
static void print_data(FILE *out, const json_t *data) {
    char *text = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(9));

    for (const char *at = text; at && *at; at++)
        if (*at == '<')
            fputs("\\u003c", out);
        else
            fputc(*at, out);
    free(text);
}

static void print_html(FILE *out, const char *text) {
    for (; *text; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
}

/* What {{name}} of the template stands for. */
static void print_part(FILE *out, const char *name, size_t len, const json_t *data) {
    const struct {
        const char *name;
        const unsigned char *bytes;
        size_t len;
    } parts[] = {
        {"style", page_asset_style, page_asset_style_len},
        {"scripts", page_asset_scripts, page_asset_scripts_len},
        {"uplot_style", page_asset_uplot_style, page_asset_uplot_style_len},
        {"uplot_script", page_asset_uplot_script, page_asset_uplot_script_len},
        {"uplot_licence", page_asset_uplot_licence, page_asset_uplot_licence_len},
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strlen(parts[i].name) == len && !memcmp(parts[i].name, name, len))
            fwrite(parts[i].bytes, 1, parts[i].len, out);
    if (len == 5 && !memcmp(name, "title", len))
        print_html(out, json_string_value(json_object_get(data, "title")));
    if (len == 4 && !memcmp(name, "data", len))
        print_data(out, data);
}

static void print_page(FILE *out, const json_t *data) {
    const char *at = (const char *)page_asset_template, *open, *close;

    while ((open = strstr(at, "{{")) && (close = strstr(open, "}}"))) {
        fwrite(at, 1, (size_t)(open - at), out);
        print_part(out, open + 2, (size_t)(close - open - 2), data);
        at = close + 2;
    }
    fputs(at, out);
}

/* "a", "a and b", "a and 3 others": what a page is called that nobody has named. */
static json_t *title_of(const json_t *runs) {
    const size_t n = json_array_size(runs);
    const char *first = json_string_value(json_object_get(json_array_get(runs, 0), "name"));
    const char *second = json_string_value(json_object_get(json_array_get(runs, 1), "name"));

    if (n < 2)
        return json_string(first);
    return n == 2 ? json_sprintf("%s and %s", first, second)
                  : json_sprintf("%s and %d others", first, (int)n - 1);
}

/* Runs of one sweep have one network: it is kept once, and others hold the number of that run. */
static void share_networks(json_t *runs) {
    for (size_t i = 1; i < json_array_size(runs); i++) {
        json_t *run = json_array_get(runs, i), *network = json_object_get(run, "network");
        for (size_t k = 0; network && k < i; k++)
            if (json_equal(network, json_object_get(json_array_get(runs, k), "network"))) {
                json_object_set_new(run, "network", json_integer((json_int_t)k));
                break;
            }
    }
}

static int read_runs(const struct page_request *q, json_t *runs, struct err *err) {
    const size_t n = (size_t)q->n_runs;
    const struct page_share share = {
        .points = POINTS / n < LEAST_POINTS ? LEAST_POINTS : POINTS / n,
        .cells = CELLS / n,
        .picture_bytes = PICTURE_BYTES / n,
    };

    for (int i = 0; i < q->n_runs; i++) {
        json_t *run;
        const int rc = page_run(&run, q->runs[i], &share, err);
        json_array_append_new(runs, run ? run : json_null());
        if (rc)
            return -1;
    }
    share_networks(runs);
    return 0;
}

int page_write(const struct page_request *q, size_t *bytes, struct err *err) {
    json_t *runs = json_array();
    char *text = NULL;
    int rc = read_runs(q, runs, err);

    if (!rc) {
        json_t *data = json_pack("{s:s, s:o, s:I, s:O}", "program", "dltrain " DLTRAIN_VERSION,
                                 "title", q->title ? page_text(q->title) : title_of(runs), "made",
                                 (json_int_t)time(NULL), "runs", runs);
        FILE *out = open_memstream(&text, bytes);
        if (out && data)
            print_page(out, data);
        if (!data || !out || fclose(out))
            rc = err_set(err, ERR_IO, "%s: no memory for the page", q->out);
        json_decref(data);
    }
    if (!rc)
        rc = file_replace(q->out, text, *bytes, err);
    free(text);
    json_decref(runs);
    return rc;
}
#endif
