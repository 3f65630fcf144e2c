/* fault_text.c - a fault as a page: the first line says what happened, the last ones what to do. */
#include "train/fault_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

struct fault_words {
    const char *name, *advice;
};

static const struct fault_words kinds[FAULT_KINDS] = {
    [FAULT_STALL] = {"stall", "The last checkpoint is kept: start the job again with --resume. "
                              "Where the same rank stalls again, leave its host out."},
    [FAULT_CRASH] = {"crash",
                     "The last checkpoint is kept: start the job again with --resume. Where it "
                     "crashes at the same place on another host, too, it is the program: report "
                     "this page. Where it is the same host each time, leave that out."},
    [FAULT_NOT_FINITE] = {"not finite",
                          "The last checkpoint is kept. `dltrain replay` with this folder computes "
                          "the step again, operator by operator, and says why it failed."},
    [FAULT_UNLIKE] = {"replicas differ",
                      "The last checkpoint is of before: start the job again with --resume, "
                      "without the host that is named: its memory or processor may be damaged."},
    [FAULT_DATA] = {"data", "Mend or leave out what is named, and start the job again with "
                            "--resume; `dltrain data verify` looks through a whole dataset."},
    [FAULT_IO] = {"I/O", "Make room or mend what is named, and start the job again with --resume."},
};

const char *fault_kind_name(enum fault_kind kind) {
    return kinds[kind].name;
}

static bool said(const char *text) {
    return text && text[0];
}

/* Lines of a table: what it is, and what is known of it. */
static const char *row(struct pool *pool, const char *page, const char *what, const char *value) {
    return said(value) ? pool_print(pool, "%s%-10s %s\n", page, what, value) : page;
}

static const char *whose(const struct fault *f, struct pool *pool) {
    if (f->rank < 0)
        return NULL;
    return pool_print(pool, "%d of %d%s%s", f->rank, f->size, said(f->host) ? ", host " : "",
                      said(f->host) ? f->host : "");
}

static const char *when(const struct fault *f, struct pool *pool) {
    if (f->step <= 0)
        return NULL;
    return pool_print(pool, "%" PRId64 "%s%s%s", f->step, said(f->which) ? ", [step " : "",
                      said(f->which) ? f->which : "", said(f->which) ? "]" : "");
}

static const char *losses(const struct fault *f, struct pool *pool) {
    const char *text = "";

    for (int i = 0; i < f->n_losses; i++)
        text = pool_print(pool, "%s%s%.6g", text, i ? "  " : "", f->loss[i]);
    return text;
}

static const char *now(struct pool *pool) {
    const time_t t = time(NULL);
    struct tm tm;
    char text[32];

    gmtime_r(&t, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm);
    return pool_print(pool, "%s", text);
}

const char *fault_text(const struct fault *f, struct pool *pool) {
    const char *page = pool_print(pool, "%s\n\n", f->message);

    page = row(pool, page, "kind", fault_kind_name(f->kind));
    page = row(pool, page, "time", now(pool));
    page = row(pool, page, "rank", whose(f, pool));
    page = row(pool, page, "step", when(f, pool));
    page = row(pool, page, "phase", f->phase);
    page = row(pool, page, "operator", f->node);
    page = row(pool, page, "tensor", f->tensor);
    page = row(pool, page, "bucket", f->bucket > 0 ? pool_print(pool, "%d", f->bucket) : NULL);
    for (int i = 0; i < f->n_samples; i++)
        page = row(pool, page, i ? "" : "samples", f->sample[i]);
    page = row(pool, page, "losses", losses(f, pool));
    for (int i = 0; i < f->n_lines; i++)
        page = pool_print(pool, "%s%s%s\n", page, i ? "" : "\n", f->line[i]);
    return pool_print(pool, "%s\nWhat to do: %s\n", page,
                      said(f->advice) ? f->advice : kinds[f->kind].advice);
}
