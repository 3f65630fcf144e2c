/* The algorithm that sums the vectors of this job fastest, on these hosts: a few are timed at a few
 * of the lengths that there are, and one is taken, or one for short vectors and another for long
 * ones. All ranks take the same, by the times of the slowest. */
#include "dist/agree.h"
#include "dist/allreduce/allreduce.h"
#include "dist/allreduce/by_size.h"
#include "dist/allreduce/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIZES = 4, N_CANDIDATES = 4, MOST_TIMED = 50, ARGS_BYTES = 64, CHOICE_TEXT = 128 };

/* Two must be faster than one by so much: else it was chance. */
static const double worth = 0.97;

struct auto_args {
    double seconds;
};

/* In order of preference. Not that of MPI, which may give ranks different bits. */
static const struct {
    const char *name;
    int leaders; /* 0: it has none */
} candidates[N_CANDIDATES] = {{"host", 1}, {"ring", 0}, {"tree", 0}, {"host", 2}};

/* A candidate with its arguments. */
struct auto_algorithm {
    struct applied applied;
    _Alignas(8) unsigned char args[ARGS_BYTES];
    char text[CHOICE_TEXT / 4];
};

/* What was chosen, and the memory of its arguments. */
struct auto_choice {
    struct auto_algorithm part[2];
    struct by_size_args both;
    struct applied applied;
    char text[CHOICE_TEXT];
};

/* A length that stands for all up to it that are longer than the one before. */
struct auto_size {
    int vector; /* one of them */
    int n;
    double seconds[N_CANDIDATES]; /* of one sum by the slowest rank */
};

static void make(int candidate, struct auto_algorithm *out) {
    const char *name = candidates[candidate].name;
    const int leaders = candidates[candidate].leaders;

    out->applied = (struct applied){allreduce_find(name), out->args};
    word_defaults(out->applied.word, out->args);
    if (leaders > 0)
        ((struct host_args *)(void *)out->args)->leaders = leaders;
    if (leaders > 1)
        snprintf(out->text, sizeof out->text, "%s(leaders=%d)", name, leaders);
    else
        snprintf(out->text, sizeof out->text, "%s", name);
}

/* --- measuring --- */

static int by_time(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median of what fits into that time, or the one sum that already takes it. */
static double time_sums(struct allreduce *a, struct comm *comm, double seconds) {
    double times[MOST_TIMED];

    const double first = comm_max_double(comm, allreduce_time(a, 0));
    const double fit = first > 0 ? seconds / first : MOST_TIMED;
    const int n = fit > MOST_TIMED ? MOST_TIMED : (int)fit;
    if (n < 2)
        return first;
    for (int i = 0; i < n; i++)
        times[i] = allreduce_time(a, 0);
    qsort(times, (size_t)n, sizeof *times, by_time);
    return comm_max_double(comm, times[n / 2]);
}

static int time_candidate(int candidate, struct comm *comm, const struct allreduce_vector *vector,
                          double seconds, double *out, struct err *err) {
    struct auto_algorithm algorithm;
    struct allreduce *a;

    make(candidate, &algorithm);
    if (allreduce_new(&a, comm, &algorithm.applied, vector, 1, err))
        return -1;
    *out = time_sums(a, comm, seconds);
    allreduce_free(a);
    return 0;
}

/* All candidates at one length, by a vector whose numbers are kept. */
static int time_size(struct auto_size *size, struct comm *comm,
                     const struct allreduce_vector *vector, double seconds, struct err *err) {
    const size_t bytes = (size_t)vector->len * sizeof(real);
    real *kept = malloc(bytes + 1);
    int rc = agree(comm, kept ? 0 : err_set(err, ERR_IO, "out of memory: %zu bytes", bytes), err);

    if (!rc)
        memcpy(kept, vector->v, bytes);
    comm_barrier(comm); /* others read and write it from here on */
    if (!rc)
        memset(vector->v, 0, bytes); /* sums of sums would grow beyond all bounds */
    for (int k = 0; k < N_CANDIDATES && !rc; k++)
        rc = time_candidate(k, comm, vector, seconds / N_CANDIDATES, &size->seconds[k], err);
    comm_barrier(comm);
    if (kept && !rc)
        memcpy(vector->v, kept, bytes);
    free(kept);
    return rc;
}

/* --- choosing --- */

static int by_len(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Up to MAX_SIZES of the lengths, evenly, the longest among them. Returns how many. */
static int find_sizes(const struct allreduce_vector *vector, int n, int64_t *room,
                      struct auto_size *size) {
    int n_lens = 0, n_sizes = 0;

    for (int i = 0; i < n; i++)
        room[i] = vector[i].len;
    qsort(room, (size_t)n, sizeof *room, by_len);
    for (int i = 0; i < n; i++)
        if (!n_lens || room[i] > room[n_lens - 1])
            room[n_lens++] = room[i];
    const int most = n_lens < MAX_SIZES ? n_lens : MAX_SIZES;
    for (int k = 0; k < most; k++) {
        const int64_t len = room[(int64_t)(k + 1) * n_lens / most - 1];
        const int64_t before = k ? vector[size[k - 1].vector].len : -1;
        size[n_sizes] = (struct auto_size){0};
        for (int i = 0; i < n; i++)
            if (vector[i].len > before && vector[i].len <= len) {
                size[n_sizes].n++;
                if (vector[i].len == len)
                    size[n_sizes].vector = i;
            }
        n_sizes++;
    }
    return n_sizes;
}

/* Seconds of all sums of sizes [begin, end) by a candidate. */
static double total(const struct auto_size *size, int begin, int end, int candidate) {
    double seconds = 0;

    for (int k = begin; k < end; k++)
        seconds += size[k].n * size[k].seconds[candidate];
    return seconds;
}

static int fastest(const struct auto_size *size, int begin, int end) {
    int best = 0;

    for (int k = 1; k < N_CANDIDATES; k++)
        if (total(size, begin, end, k) < worth * total(size, begin, end, best))
            best = k;
    return best;
}

/* One for all, unless two are faster from some length on. */
static void choose(const struct auto_size *size, int n_sizes, const struct allreduce_vector *vector,
                   struct auto_choice *out) {
    const int one = fastest(size, 0, n_sizes);
    double best = worth * total(size, 0, n_sizes, one);
    int at = 0;

    for (int k = 1; k < n_sizes; k++) {
        const double both = total(size, 0, k, fastest(size, 0, k)) +
                            total(size, k, n_sizes, fastest(size, k, n_sizes));
        if (both < best)
            best = both, at = k;
    }
    make(at ? fastest(size, 0, at) : one, &out->part[0]);
    out->applied = out->part[0].applied;
    snprintf(out->text, sizeof out->text, "%s", out->part[0].text);
    if (!at)
        return;
    char limit[ARG_TEXT];
    make(fastest(size, at, n_sizes), &out->part[1]);
    out->both = (struct by_size_args){out->part[0].applied, out->part[1].applied,
                                      vector[size[at - 1].vector].len * (int64_t)sizeof(real)};
    out->applied = (struct applied){allreduce_find("by_size"), &out->both};
    snprintf(out->text, sizeof out->text, "by_size(%s, %s, limit=%s)", out->part[0].text,
             out->part[1].text, arg_text(ARG_BYTES, (double)out->both.limit, limit));
}

static int measure(struct comm *comm, const struct allreduce_vector *vector, int n, double seconds,
                   struct auto_choice *out, struct err *err) {
    struct auto_size size[MAX_SIZES] = {{0}};
    int64_t *room = calloc((size_t)n + 1, sizeof *room);
    int n_sizes = 0;

    int rc =
        agree(comm, room ? 0 : err_set(err, ERR_IO, "out of memory: %d sums over ranks", n), err);
    if (!rc && comm_size(comm) > 1)
        n_sizes = find_sizes(vector, n, room, size);
    for (int k = 0; k < n_sizes && !rc; k++)
        rc = time_size(&size[k], comm, &vector[size[k].vector], seconds / n_sizes, err);
    if (!rc)
        choose(size, n_sizes, vector, out);
    free(room);
    return rc;
}

static int plan(struct allreduce **out, const void *args, struct comm *comm,
                const struct allreduce_vector *vector, int n, struct err *err) {
    const struct auto_args *wanted = args;
    struct auto_choice *choice = calloc(1, sizeof *choice);

    int rc = agree(comm, choice ? 0 : err_set(err, ERR_IO, "out of memory"), err);
    if (!rc)
        rc = measure(comm, vector, n, wanted->seconds, choice, err);
    if (!rc)
        rc = allreduce_new(out, comm, &choice->applied, vector, n, err);
    if (rc) {
        free(choice);
        return -1;
    }
    (*out)->choice = choice->text;
    (*out)->kept = choice;
    return 0;
}

static const struct arg_spec specs[] = {
    {.name = "seconds",
     .kind = ARG_REAL,
     .offset = offsetof(struct auto_args, seconds),
     .fallback = 0.8,
     .min = 0.001,
     .max = 3600,
     .help = "that it measures for, about"},
    {0},
};

const struct allreduce_algorithm allreduce_auto = {
    .word = {"auto", "what is fastest, measured at the start of each run; it says what it takes",
             sizeof(struct auto_args), specs},
    .wants_home = true,
    .measures = true,
    .plan = plan,
};
