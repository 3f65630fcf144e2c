#include "cmd/command.h"
#include "cmd/options.h"
#include "io/file/file.h"
#include "report/page.h"
#include "report/page_folders.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct report_args {
    const char *out, *title;
};

/* A page replaces what is there: a slip of the hand must not reach a file of a run. */
static int check_name(const char *out, struct err *err) {
    const char *dot = strrchr(out, '.');

    if (dot && (!strcmp(dot, ".html") || !strcmp(dot, ".htm")))
        return file_check_target(out, NULL, 0, err);
    return err_set(err, ERR_USAGE, "-o: found '%s', expected a name that ends in .html", out);
}

/* Runs that are found in one folder, as that of a sweep, are called as it is. NULL: by their names.
 */
static const char *title_of(const char *const *given, int n, const struct page_request *q,
                            struct pool *pool) {
    char *path = pool_copy(pool, given[0], strlen(given[0]));

    for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
        path[len - 1] = 0;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return n == 1 && q->n_runs > 1 && *name && name[0] != '.' ? name : NULL;
}

static int make(const struct report_args *a, const char *const *given, int n, struct err *err) {
    struct pool pool = {0};
    const char **runs;
    struct page_request request = {.title = a->title, .out = a->out};
    size_t bytes;

    request.n_runs = page_folders(given, n, &pool, &runs);
    request.runs = runs;
    if (!request.title)
        request.title = title_of(given, n, &request, &pool);
    const int rc = check_name(a->out, err) || page_write(&request, &bytes, err) ? -1 : 0;
    if (!rc)
        printf("%s: %d run%s, %.2f MB; open it in a browser\n", a->out, request.n_runs,
               request.n_runs == 1 ? "" : "s", (double)bytes / 1e6);
    pool_release(&pool);
    return rc;
}

static int run(int argc, char **argv, struct err *err) {
    static const struct option_spec options[] = {
        {"o", OPTION_TEXT, .offset = offsetof(struct report_args, out)},
        {"title", OPTION_TEXT, .offset = offsetof(struct report_args, title)},
        {0}};
    struct report_args a = {.out = "report.html"};

    const int first = options_read(&a, options, "report", argc, argv, err);
    if (first < 0)
        return -1;
    if (first == argc)
        return err_set(
            err, ERR_USAGE,
            "found no run, expected the folders of some, as in dltrain report runs/NAME");
    return make(&a, (const char *const *)argv + first, argc - first, err);
}

const struct command command_report = {
    .name = "report",
    .summary = "make one HTML page of one or several runs, which needs no network",
    .usage =
        "dltrain report RUN... [-o FILE.html] [--title TEXT]\n"
        "\n"
        "  RUN                      a run's folder, runs/NAME: one that is going on, too, or a "
        "copy\n"
        "  -o FILE.html             the page (default: report.html), which is replaced\n"
        "  --title TEXT             its heading (default: the names of the runs, or of their "
        "folder)\n"
        "\n"
        "The page holds all that the runs have written: curves (drag to zoom, double click to go\n"
        "back), the network, tables of the validation, pictures, the samples that are most wrong,\n"
        "histograms, what each rank waits for. What a run has not written is not in it. Several\n"
        "runs are laid over each other; those that differ in their seed alone are one mean with\n"
        "its spread. It is one file, to be kept, sent, or opened from a disk.\n"
        "\n"
        "  dltrain report runs/quickstart\n"
        "  dltrain report runs/lr_* -o sweep.html --title 'Learning rates'\n"
        "  while sleep 60; do dltrain report runs/quickstart; done   # of a run that is going on\n",
    .run = run,
};
