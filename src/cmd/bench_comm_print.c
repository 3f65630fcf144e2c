#include "cmd/bench_comm.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

enum { FIGURE_TEXT = 32 };

/* "64 KiB" */
static const char *bytes_text(double bytes, char text[FIGURE_TEXT]) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    int unit = 0;

    for (; unit < 3 && bytes >= 1024 && fmod(bytes, 1024) <= 0; unit++)
        bytes /= 1024;
    snprintf(text, FIGURE_TEXT, "%.0f %s", bytes, units[unit]);
    return text;
}

static const char *time_text(double s, char text[FIGURE_TEXT]) {
    if (s < 1e-3)
        snprintf(text, FIGURE_TEXT, "%.1f us", 1e6 * s);
    else if (s < 1)
        snprintf(text, FIGURE_TEXT, "%.2f ms", 1e3 * s);
    else
        snprintf(text, FIGURE_TEXT, "%.2f s", s);
    return text;
}

static double share_of(const struct bench_sum *s) {
    return s->median_s > 0 ? s->limit_s / s->median_s : 0;
}

static void print_head(const struct bench_sums *r) {
    const struct link_figures *l = &r->link;

    printf("all-reduce over %d rank%s on %d host%s, float32, vectors in memory of %s\n", r->n_ranks,
           r->n_ranks == 1 ? "" : "s", l->n_hosts, l->n_hosts == 1 ? "" : "s",
           r->shared ? "their host" : "each rank");
    if (l->n_hosts > 1)
        printf("slowest link: %.3f GB/s each way, latency %.1f us; ", l->bytes_per_s / 1e9,
               1e6 * l->latency_s);
    printf("memory of a host: %.1f GB/s\n\n", l->memory_bytes_per_s / 1e9);
    printf("%10s  %-24s %10s %10s %9s %9s %6s\n", "size", "algorithm", "median", "min", "bus GB/s",
           "of limit", "wrong");
}

void bench_comm_print_table(const struct bench_sums *r) {
    char size[FIGURE_TEXT], median[FIGURE_TEXT], min[FIGURE_TEXT], share[FIGURE_TEXT];

    print_head(r);
    for (int i = 0; i < r->n; i++) {
        const struct bench_sum *s = &r->sum[i];
        snprintf(share, sizeof share, "%.0f %%", 100 * share_of(s));
        printf("%10s  %-24s %10s %10s %9.3f %9s %6.0f\n", bytes_text((double)s->bytes, size),
               s->algorithm, time_text(s->median_s, median), time_text(s->min_s, min),
               s->bus_bytes_per_s / 1e9, s->limit_s > 0 ? share : "-", s->wrong);
    }
}

static json_t *sum_json(const struct bench_sum *s) {
    return json_pack("{s:I, s:s, s:f, s:f, s:f, s:f, s:i, s:I}", "bytes", (json_int_t)s->bytes,
                     "algorithm", s->algorithm, "median_us", 1e6 * s->median_s, "min_us",
                     1e6 * s->min_s, "bus_gb_per_s", s->bus_bytes_per_s / 1e9, "share_of_limit",
                     share_of(s), "timed", s->n_timed, "wrong", (json_int_t)s->wrong);
}

int bench_comm_print_json(const struct bench_sums *r, struct err *err) {
    json_t *sums = json_array();

    for (int i = 0; i < r->n; i++)
        json_array_append_new(sums, sum_json(&r->sum[i]));
    json_t *all = json_pack(
        "{s:i, s:i, s:b, s:f, s:f, s:f, s:o}", "ranks", r->n_ranks, "hosts", r->link.n_hosts,
        "shared", r->shared, "memory_gb_per_s", r->link.memory_bytes_per_s / 1e9, "link_gb_per_s",
        r->link.bytes_per_s / 1e9, "latency_us", 1e6 * r->link.latency_s, "sums", sums);
    const bool done =
        all && !json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) && puts("") >= 0;
    json_decref(all);
    return done ? 0 : err_set(err, ERR_IO, "no memory for the figures, or nowhere to print them");
}
