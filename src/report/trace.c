#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "report/trace.h"
#include "io/file/file.h"
#include "train/node_label.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_TEXT = 1024, NAME_TEXT = 256 };

static const struct {
    const char *name, *category;
} kinds[TRACE_KINDS] = {
    [TRACE_STEP] = {"step", "step"},
    [TRACE_FORWARD] = {NULL, "forward"},
    [TRACE_BACKWARD] = {NULL, "backward"},
    [TRACE_UPDATE] = {"update", "optimizer"},
    [TRACE_BUCKET] = {"bucket", "gradients"},
    [TRACE_SUM] = {"wait for all losses", "wait"},
    [TRACE_WAIT] = {"wait for gradients", "wait"},
    [TRACE_DATA] = {"wait for a batch", "wait"},
    [TRACE_VALIDATE] = {"validation", "step"},
    [TRACE_SAVE] = {"checkpoint", "step"},
    [TRACE_READ] = {"read a batch", "data"},
    [TRACE_PREPARE] = {"prepare samples", "data"},
    [TRACE_MOVE] = {"move messages", "gradients"},
};

/* A file that grows in memory, and what is needed to name its events. */
struct writer {
    const struct event *e;
    FILE *out;
    bool first;
    double zero_s;                     /* the earliest moment, by rank 0's clock */
    const char **label[JOB_MAX_STEPS]; /* [n_nodes] of each graph, as JSON */
    const char *step[JOB_MAX_STEPS];   /* the names of the job's steps, likewise; "": it has none */
    struct pool pool;
};

static const char *quoted(struct pool *pool, const char *text) {
    json_t *string = json_string(text);
    char *json = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    const char *copy = pool_print(pool, "%s", json ? json : "\"?\"");

    free(json);
    json_decref(string);
    return copy;
}

static void label_nodes(struct writer *w) {
    const struct replica *r = w->e->replica;

    for (int i = 0; i < r->n_steps; i++) {
        const struct graph *g = r->step[i].graph;
        const char *name = w->e->job->step[i].name;
        w->step[i] = name[0] ? quoted(&w->pool, name) : "";
        w->label[i] = pool_take(&w->pool, (size_t)g->n_nodes * sizeof *w->label[i]);
        for (int k = 0; k < g->n_nodes; k++) {
            const struct node *node = &g->nodes[k];
            const char *label = node_label(g, k, &w->pool);
            w->label[i][k] =
                quoted(&w->pool,
                       node->home ? pool_print(&w->pool, "%s.%s", node->home->name, label) : label);
        }
    }
}

static double micros(const struct writer *w, const struct event_rank_trace *rank, double s) {
    return (s - rank->ahead_s - w->zero_s) * 1e6;
}

static void begin_object(struct writer *w) {
    fputs(w->first ? "\n{" : ",\n{", w->out);
    w->first = false;
}

/* The name of an event's arguments a and b, where they say something. */
static void arguments(const struct writer *w, const struct trace_event *t) {
    switch (t->kind) {
    case TRACE_STEP:
        fprintf(w->out, ",\"args\":{\"step\":%d}", t->a);
        break;
    case TRACE_FORWARD:
    case TRACE_BACKWARD:
    case TRACE_UPDATE:
    case TRACE_WAIT:
        if (w->step[t->a][0])
            fprintf(w->out, ",\"args\":{\"step\":%s}", w->step[t->a]);
        break;
    case TRACE_READ:
        fprintf(w->out, ",\"args\":{\"batch\":%d}", t->a);
        break;
    case TRACE_PREPARE:
        fprintf(w->out, ",\"args\":{\"first\":%d,\"samples\":%d}", t->a, t->b);
        break;
    default:
        break;
    }
}

/* Buckets are under way side by side: a begin and an end with one number. */
static void bucket(struct writer *w, int r, const struct trace_event *t, int64_t id) {
    const struct event_rank_trace *rank = &w->e->trace.rank[r];
    const double times[] = {micros(w, rank, t->begin), micros(w, rank, t->end)};

    for (int i = 0; i < 2; i++) {
        begin_object(w);
        fprintf(w->out,
                "\"name\":\"bucket %d\",\"cat\":\"%s\",\"ph\":\"%c\",\"id\":\"%d.%" PRId64
                "\",\"pid\":%d,\"tid\":%d,\"ts\":%.3f}",
                t->b, kinds[t->kind].category, i ? 'e' : 'b', r, id, r, t->thread, times[i]);
    }
}

static void whole(struct writer *w, int r, const struct trace_event *t) {
    const struct event_rank_trace *rank = &w->e->trace.rank[r];
    const bool node = t->kind == TRACE_FORWARD || t->kind == TRACE_BACKWARD;

    begin_object(w);
    if (node)
        fprintf(w->out, "\"name\":%s", w->label[t->a][t->b]);
    else
        fprintf(w->out, "\"name\":\"%s\"", kinds[t->kind].name);
    fprintf(w->out, ",\"cat\":\"%s\",\"ph\":\"X\",\"pid\":%d,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f",
            kinds[t->kind].category, r, t->thread, micros(w, rank, t->begin),
            (t->end - t->begin) * 1e6);
    arguments(w, t);
    fputc('}', w->out);
}

static const char *thread_name(int thread, char text[NAME_TEXT]) {
    if (thread == TRACE_MAIN)
        return "training";
    if (thread == TRACE_MOVER)
        return "messages";
    if (thread == TRACE_READER)
        return "reader";
    snprintf(text, NAME_TEXT, "worker %d", thread - TRACE_WORKERS);
    return text;
}

/* Who the rank and its threads are. */
static void names(struct writer *w, int r) {
    const struct event_rank_trace *rank = &w->e->trace.rank[r];
    int n_threads = 0;
    char text[NAME_TEXT];

    snprintf(text, sizeof text, "rank %d on %s", r, rank->host);
    begin_object(w);
    fprintf(w->out, "\"name\":\"process_name\",\"ph\":\"M\",\"pid\":%d,\"args\":{\"name\":%s}}", r,
            quoted(&w->pool, text));
    for (int64_t i = 0; i < rank->n; i++)
        n_threads = rank->event[i].thread >= n_threads ? rank->event[i].thread + 1 : n_threads;
    for (int i = 0; i < n_threads; i++) {
        begin_object(w);
        fprintf(w->out,
                "\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":"
                "\"%s\"}}",
                r, i, thread_name(i, text));
    }
}

static void find_zero(struct writer *w) {
    w->zero_s = HUGE_VAL;
    for (int r = 0; r < w->e->trace.n; r++) {
        const struct event_rank_trace *rank = &w->e->trace.rank[r];
        for (int64_t i = 0; i < rank->n; i++)
            w->zero_s = fmin(w->zero_s, rank->event[i].begin - rank->ahead_s);
    }
}

static void head(struct writer *w) {
    const struct event_trace *trace = &w->e->trace;

    fprintf(w->out,
            "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"job\":%s,\"version\":\"" DLTRAIN_VERSION
            "\",\"dropped_events\":%" PRId64 ",\"clock_error_us\":[",
            quoted(&w->pool, w->e->job->name), trace->dropped);
    for (int r = 0; r < trace->n; r++)
        fprintf(w->out, "%s%.3f", r ? "," : "", trace->rank[r].error_s * 1e6);
    fputs("]},\"traceEvents\":[", w->out);
}

static void write_all(struct writer *w) {
    label_nodes(w);
    find_zero(w);
    head(w);
    for (int r = 0; r < w->e->trace.n; r++) {
        const struct event_rank_trace *rank = &w->e->trace.rank[r];
        names(w, r);
        for (int64_t i = 0; i < rank->n; i++)
            if (rank->event[i].kind == TRACE_BUCKET)
                bucket(w, r, &rank->event[i], i);
            else
                whole(w, r, &rank->event[i]);
    }
    fputs("\n]}\n", w->out);
}

static int write_file(const struct event *e, const char *path, struct err *err) {
    struct writer w = {.e = e, .first = true};
    char *text = NULL;
    size_t len = 0;

    w.out = open_memstream(&text, &len);
    if (!w.out)
        return err_set(err, ERR_IO, "%s: no memory", path);
    write_all(&w);
    const bool failed = ferror(w.out) != 0;
    int rc = fclose(w.out) || failed ? err_set(err, ERR_IO, "%s: no memory", path)
                                     : file_replace(path, text, len, err);
    free(text);
    pool_release(&w.pool);
    return rc;
}

static void take(struct sink *sink, const struct event *e) {
    const struct trace_file *f = (const struct trace_file *)sink;
    char path[PATH_TEXT];
    struct err err = {0};

    if (e->kind != EVENT_TRACE)
        return;
    snprintf(path, sizeof path, "%s/trace.json", e->folder);
    if (write_file(e, path, &err))
        sinks_warn(f->warn, "%s; training goes on", err.msg);
    else
        sinks_note(f->warn, "%s: the trace, for ui.perfetto.dev or speedscope.app", path);
    if (e->trace.dropped)
        sinks_warn(f->warn,
                   "%s lacks %" PRId64 " events, for which there was no room; trace fewer "
                   "steps",
                   path, e->trace.dropped);
}

static const struct sink_kind kind = {.take = take};

void trace_file_init(struct trace_file *f, const struct sinks *warn) {
    *f = (struct trace_file){{&kind}, warn};
}
