#include "train/hosts.h"
#include "dist/place_text.h"

#include <stdlib.h>
#include <string.h>

static const double TEST_S = 1;

enum { MOST_WARNINGS = 4 };

void hosts_tell(struct places *p, const struct sinks *sinks) {
    struct place_line *line;
    int n;

    if (!sinks->n)
        return;
    n = places_draw(p, &line);
    for (int i = 0; i < n; i++)
        sinks_note(sinks, "%s", line[i].text);
    n = places_warn(p, &line);
    for (int i = 0; i < n; i++)
        sinks_warn(sinks, "%s", line[i].text);
}

/* --- links --- */

/* A figure of a host, or of the pair of it and the next one. */
typedef double figure_of(const struct link_host *host);

static double link_of(const struct link_host *host) {
    return host->bytes_per_s;
}

static double memory_of(const struct link_host *host) {
    return host->memory_bytes_per_s;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median of those that were measured; of an even number the larger of two, and of three the
 * largest, since a slow host is in two of their pairs. */
static double usual(const struct link_survey *s, figure_of *figure) {
    double *v = s->n_hosts > 0 ? calloc((size_t)s->n_hosts, sizeof *v) : NULL;
    int n = 0;

    if (!v)
        return 0; /* nothing is slow beside it */
    for (int h = 0; h < s->n_hosts; h++)
        if (figure(&s->host[h]) > 0)
            v[n++] = figure(&s->host[h]);
    qsort(v, (size_t)n, sizeof *v, by_size);
    const double median = n ? v[n == 3 ? 2 : n / 2] : 0;
    free(v);
    return median;
}

/* Of each host or pair below half of what is usual, and of no more than can be read. */
static void warn_of_slow(const struct link_survey *s, const char *what, figure_of *figure,
                         const struct sinks *sinks) {
    const double median = usual(s, figure), gb = 1e9;
    int n = 0;

    for (int h = 0; h < s->n_hosts; h++) {
        const double v = figure(&s->host[h]);
        if (v <= 0 || v >= median / 2 || n++ >= MOST_WARNINGS)
            continue;
        const char *next = s->host[(h + 1) % s->n_hosts].name;
        if (figure == link_of)
            sinks_warn(sinks, "the %s %s - %s is slow: %.3g GB/s, usual here are %.3g", what,
                       s->host[h].name, next, v / gb, median / gb);
        else
            sinks_warn(sinks, "the %s %s is slow: %.3g GB/s, usual here are %.3g", what,
                       s->host[h].name, v / gb, median / gb);
    }
    if (n > MOST_WARNINGS)
        sinks_warn(sinks, "%d more %s slow", n - MOST_WARNINGS,
                   n == MOST_WARNINGS + 1 ? "is" : "are");
}

void hosts_tell_links(const struct link_survey *s, const struct sinks *sinks) {
    const struct link_figures f = link_slowest(s);
    const double gb = 1e9, us = 1e6;

    sinks_note(sinks,
               "%d hosts: the slowest pair %s - %s sends %.3g GB/s while it receives as much; a "
               "message takes up to %.3g us; memory of a host %.3g GB/s",
               s->n_hosts, s->host[f.slowest].name, s->host[(f.slowest + 1) % s->n_hosts].name,
               f.bytes_per_s / gb, f.latency_s * us, f.memory_bytes_per_s / gb);
    warn_of_slow(s, "link", link_of, sinks);
    warn_of_slow(s, "memory of", memory_of, sinks);
}

/* Pretended hosts have one name. */
static bool several(const struct places *p) {
    for (int r = 1; r < p->size; r++)
        if (strcmp(p->rank[r].host, p->rank[0].host) != 0)
            return true;
    return false;
}

int hosts_test(struct comm *comm, const struct places *p, const struct sinks *sinks,
               struct err *err) {
    struct link_survey survey;

    if (!several(p))
        return 0;
    if (link_survey(comm, TEST_S, &survey, err))
        return -1;
    if (survey.n_hosts > 1)
        hosts_tell_links(&survey, sinks);
    link_survey_release(&survey);
    return 0;
}
