#include "cmd/findings.h"
#include "cmd/scale.h"
#include "core/math/isa/isa.h"
#include "dist/sync.h"
#include "report/columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ALGORITHM = 4, LIMIT = 12, N_COLUMNS, CELL = 40 }; /* columns that begin at the left */

/* The cells of a line of the table. */
struct scale_cells {
    char text[N_COLUMNS][CELL];
};

static const struct scale_cells head[2] = {
    {{"", "", "batch", "", "all-", "step", "exposed", "of", "", "speed-", "efficiency, %", "memory",
      "limited"}},
    {{"ranks", "hosts", "a rank", "batch", "reduce", "ms", "ms", "step, %", "images/s", "up",
      "1 rank, host", "a host", "by"}}};

/* Three digits, and no power of ten as far as that goes. */
static void number(double v, char text[CELL]) {
    snprintf(text, CELL, "%.*f", v >= 99.95 || !(v > 0) ? 0 : v >= 9.995 ? 1 : 2, v);
}

static void fill(const struct scale_row *r, struct scale_cells *c) {
    char bytes[FINDING_TEXT];

    snprintf(c->text[0], CELL, "%lld", (long long)r->ranks);
    snprintf(c->text[1], CELL, "%lld", (long long)r->hosts);
    snprintf(c->text[2], CELL, "%lld", (long long)r->per_rank);
    snprintf(c->text[3], CELL, "%lld", (long long)r->batch);
    snprintf(c->text[4], CELL, "%s", r->ranks > 1 ? r->model->name : "-");
    number(1e3 * r->step_s, c->text[5]);
    number(1e3 * r->exposed_s, c->text[6]);
    snprintf(c->text[7], CELL, "%.0f", 100 * r->exposed_s / r->step_s);
    number(r->samples_per_s, c->text[8]);
    number(r->speedup, c->text[9]);
    if (r->hosts > 1)
        snprintf(c->text[10], CELL, "%.0f, %3.0f", 100 * r->efficiency, 100 * r->host_efficiency);
    else
        snprintf(c->text[10], CELL, "%.0f,   -", 100 * r->efficiency);
    snprintf(c->text[11], CELL, "%s", findings_bytes(r->host_bytes, bytes));
    snprintf(c->text[12], CELL, "%s", scale_limit_text(r->limit));
}

static int width_of(const struct scale_cells *lines, int n, int column) {
    int width = 0;

    for (int i = 0; i < n; i++) {
        const int columns = columns_of(lines[i].text[column]);
        width = columns > width ? columns : width;
    }
    return width;
}

static void print_table(const struct scale *s) {
    struct scale_cells lines[SCALE_MAX_ROWS + 2] = {head[0], head[1]};
    const int n = s->want.n_ranks + 2;

    for (int i = 2; i < n; i++)
        fill(&s->rows[i - 2], &lines[i]);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < LIMIT; k++) {
            columns_print(stdout, lines[i].text[k], width_of(lines, n, k), k == ALGORITHM);
            fputs("  ", stdout);
        }
        puts(lines[i].text[LIMIT]);
    }
}

/* What was measured, and where. */
static void print_measured(const struct scale *s) {
    const struct scale_profile *p = &s->profile;
    double gradients = 0;
    int buckets = 0;
    char bytes[FINDING_TEXT];

    for (int i = 0; i < p->n_steps; i++)
        for (int b = 0; b < p->step[i].n_buckets; b++, buckets++)
            gradients += p->step[i].buckets[b].bytes;
    printf("%s: %s of gradients in %d bucket%s; measured", p->model,
           findings_bytes(gradients, bytes), buckets, buckets == 1 ? "" : "s");
    if (s->want.profile)
        printf(" in %s", s->want.profile);
    printf(" with %d thread%s and %s", p->threads, p->threads == 1 ? "" : "s",
           p->n_sizes > 1 ? "batches of" : "a batch of");
    for (int i = 0; i < p->n_sizes; i++)
        printf("%s %lld", i ? "," : "", (long long)p->sizes[i]);
    if (p->sharing > 1)
        printf("; %d ranks at once take %.2f times as long as one", p->sharing, p->slowdown);
    puts("");
}

/* What nobody measured. */
static void print_assumed(const struct scale *s) {
    const struct scale_setting *g = &s->setting;
    const struct cost_cluster *c = &g->cluster;

    printf(
        "links of %.4g Gbit/s and %.3g us, %s; memory of a host %.4g GB/s, %s; messages within a "
        "host %.2g us, assumed\n",
        8e-9 * c->bytes_per_s, 1e6 * c->latency_s, s->want.measure_link ? "measured" : "given",
        1e-9 * c->memory_bytes_per_s, s->want.memory_bytes_per_s > 0 ? "given" : "as measured",
        1e6 * c->memory_latency_s);
    if (c->per_host > s->profile.sharing)
        printf("more than %d rank%s a host: operators as fast as measured until what they move "
               "beyond caches fills the memory's bandwidth, assumed\n",
               s->profile.sharing, s->profile.sharing == 1 ? "" : "s");
    if (g->thread_scale != 1)
        printf("%d threads of a rank: %.3g times the time of %d, assumed\n", g->threads,
               g->thread_scale, s->profile.threads);
    if (s->rows[0].per_rank > s->profile.sizes[s->profile.n_sizes - 1] * g->parts)
        printf("batches of a rank beyond %lld: on the line through those measured, assumed\n",
               (long long)s->profile.sizes[s->profile.n_sizes - 1]);
    if (!g->storage_bytes_per_s && s->profile.samples > 0)
        puts("storage as fast as asked, assumed (--storage)");
}

/* What [dist] does that no row counts. */
static void print_unknown(const struct scale *s) {
    const struct job *job = &s->args.job;
    const char *const known = job->allreduce.word ? job->allreduce.word->name : "";

    if (job->reproducible)
        puts("not in the model: reduction = reproducible; rows are of a job without it");
    else if (sync_local_sgd(&job->sync))
        puts("not in the model: sync = local_sgd; rows are of a job without it");
    else if (!strcmp(known, "powersgd"))
        puts(
            "not in the model: allreduce = powersgd; rows are of a job that sends whole gradients");
}

/* Reading and decoding, of the last row. */
static void print_data(const struct scale *s) {
    const struct scale_row *r = &s->rows[s->want.n_ranks - 1];
    char rate[FINDING_TEXT], sample[FINDING_TEXT];

    if (!s->profile.samples)
        return;
    printf("data: %s a sample in files; %lld ranks read %s/s, and %.3g processors of each host "
           "decode\n",
           findings_bytes(s->profile.sample_bytes, sample), (long long)r->ranks,
           findings_bytes(r->read_bytes_per_s, rate), r->decoders);
}

static void print_answer(const struct scale *s, const char *question, const struct scale_row *r,
                         bool found) {
    char epoch[FINDING_TEXT];

    if (!found) {
        printf("%s: no number of ranks up to %lld\n", question,
               (long long)s->want.ranks[s->want.n_ranks - 1]);
        return;
    }
    printf("%s: %lld rank%s on %lld host%s, batch %lld, allreduce = %s: ", question,
           (long long)r->ranks, r->ranks == 1 ? "" : "s", (long long)r->hosts,
           r->hosts == 1 ? "" : "s", (long long)r->batch, r->ranks > 1 ? r->model->name : "any");
    printf("%.4g images/s, efficiency %.0f %%", r->samples_per_s, 100 * r->efficiency);
    if (s->setting.samples > 0)
        printf(", an epoch in %s", findings_time(r->epoch_s, epoch));
    if (r->host_hours > 0)
        printf(", %.4g host hours for %.4g epochs", r->host_hours, s->setting.epochs);
    if (r->host_hours > 0 && s->want.host_price > 0)
        printf(" (%.4g)", r->host_hours * s->want.host_price);
    puts("");
}

static void print_answers(const struct scale *s) {
    const struct scale_args *a = &s->want;
    const int64_t most = a->ranks[a->n_ranks - 1];
    struct scale_row row;
    char question[64], time[FINDING_TEXT];

    if (a->target_s > 0) {
        snprintf(question, sizeof question, "an epoch in %s", findings_time(a->target_s, time));
        const bool found = scale_least(&s->setting, most, a->target_s, &row);
        print_answer(s, question, &row, found);
    }
    if (a->target_efficiency > 0) {
        snprintf(question, sizeof question, "efficiency of %.4g %%", 100 * a->target_efficiency);
        const bool found = scale_most(&s->setting, most, a->target_efficiency, &row);
        print_answer(s, question, &row, found);
    }
    if (!(a->target_s > 0) && !(a->target_efficiency > 0) && s->setting.samples > 0)
        print_answer(s, "the last row", &s->rows[a->n_ranks - 1], true);
}

/* Where the job itself says something slower. */
static void print_own(const struct scale *s) {
    const struct scale_row *best = &s->rows[s->want.n_ranks - 1];
    const struct cost_model *own = s->setting.own;

    if (!own || best->ranks == 1)
        return;
    const struct scale_row row = scale_row(&s->setting, best->ranks, own);
    if (row.step_s > 1.01 * best->step_s)
        printf(
            "the job has allreduce = %s%s%s%s, with which %lld ranks take %.4g ms a step, of which "
            "%.4g are exposed\n",
            own->name, own->as ? " (as " : "", own->as ? own->as : "", own->as ? ")" : "",
            (long long)row.ranks, 1e3 * row.step_s, 1e3 * row.exposed_s);
}

void scale_print(const struct scale *s) {
    print_measured(s);
    print_assumed(s);
    print_unknown(s);
    print_data(s);
    puts("");
    print_table(s);
    puts("");
    print_own(s);
    print_answers(s);
}

/* --- for programs --- */

static json_t *row_json(const struct scale_row *r) {
    json_t *parts = json_object();

    for (int i = 0; i < SCALE_ROOM; i++)
        json_object_set_new(parts, scale_limit_text((enum scale_limit)i), json_real(r->part_s[i]));
    json_t *out = json_pack("{s:I, s:I, s:I, s:I, s:s, s:f, s:f, s:f, s:f, s:f, s:f}", "ranks",
                            (json_int_t)r->ranks, "hosts", (json_int_t)r->hosts, "batch",
                            (json_int_t)r->batch, "batch_per_rank", (json_int_t)r->per_rank,
                            "allreduce", r->model->name, "step_s", r->step_s, "forward_s",
                            r->forward_s, "backward_s", r->backward_s, "update_s", r->update_s,
                            "data_s", r->data_s, "exposed_s", r->exposed_s);
    json_t *rest =
        json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:s, s:o}", "images_per_s", r->samples_per_s,
                  "speedup", r->speedup, "efficiency", r->efficiency, "host_efficiency",
                  r->host_efficiency, "host_bytes", r->host_bytes, "read_bytes_per_s",
                  r->read_bytes_per_s, "limit", scale_limit_text(r->limit), "parts_s", parts);
    json_object_update(out, rest);
    json_decref(rest);
    if (r->epoch_s > 0)
        json_object_set_new(out, "epoch_s", json_real(r->epoch_s));
    if (r->host_hours > 0)
        json_object_set_new(out, "host_hours", json_real(r->host_hours));
    return out;
}

static void set_answer(json_t *out, const char *key, const struct scale_row *r, bool found) {
    json_object_set_new(out, key, found ? row_json(r) : json_null());
}

int scale_print_json(const struct scale *s, struct err *err) {
    const struct scale_args *a = &s->want;
    const struct cost_cluster *c = &s->setting.cluster;
    const int64_t most = a->ranks[a->n_ranks - 1];
    json_t *rows = json_array();
    struct scale_row row;

    for (int i = 0; i < a->n_ranks; i++)
        json_array_append_new(rows, row_json(&s->rows[i]));
    json_t *out =
        json_pack("{s:s, s:s, s:i, s:I, s:f, s:f, s:f, s:f, s:b, s:o}", "model", s->profile.model,
                  "isa", isa_get()->name, "threads", s->setting.threads, "per_host",
                  (json_int_t)c->per_host, "link_bytes_per_s", c->bytes_per_s, "link_latency_s",
                  c->latency_s, "memory_bytes_per_s", c->memory_bytes_per_s, "slowdown",
                  s->profile.slowdown, "weak", (int)s->setting.weak, "rows", rows);
    if (out && a->target_s > 0)
        set_answer(out, "target", &row, scale_least(&s->setting, most, a->target_s, &row));
    if (out && a->target_efficiency > 0)
        set_answer(out, "target_efficiency", &row,
                   scale_most(&s->setting, most, a->target_efficiency, &row));
    const bool done =
        out && !json_dumpf(out, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) && puts("") >= 0;
    json_decref(out);
    return done ? 0 : err_set(err, ERR_IO, "no memory for the figures, or nowhere to print them");
}
