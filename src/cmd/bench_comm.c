#include "cmd/bench_comm.h"
#include "cmd/command.h"
#include "cmd/jobargs.h"
#include "cmd/options.h"
#include "dist/agree.h"
#include "dist/launch.h"
#include "job/job.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LIST = 32, WARM_UP = 2, LEAST_TIMED = 5, MOST_TIMED = 500, MOST_MIB = 2047 };

/* Seconds that one size and algorithm is timed for, and links and memory before. */
static const double time_s = 0.15, link_s = 0.5;

/* One algorithm, in the job that it was read with: its arguments are that one's. */
struct comm_entry {
    char *text;
    struct job job;
};

struct comm_bench {
    bool comm_given, json;
    int64_t bytes[MAX_LIST];
    struct comm_entry entry[MAX_LIST];
    int n_bytes, n_entries;
    struct comm *comm, *host;
    struct comm_shared *home; /* of all vectors in turn; NULL: */
    real *own;
    struct bench_sum *sum; /* [n_bytes][n_entries] */
};

/* --- the command line --- */

/* The next of a list, which commas inside of brackets do not end; NULL behind the last. */
static const char *next_item(const char **at, size_t *len) {
    const char *begin = *at;
    int depth = 0;

    if (!*begin)
        return NULL;
    while (**at && (depth > 0 || **at != ',')) {
        depth += (**at == '(') - (**at == ')');
        ++*at;
    }
    *len = (size_t)(*at - begin);
    *at += **at == ',';
    return begin;
}

static int read_size(const char *text, size_t len, int64_t *out, struct err *err) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    const double most = (double)MOST_MIB * (1 << 20);
    char *end;
    double bytes = strtod(text, &end), scale = 1;
    const size_t left = (size_t)(text + len - end);
    bool known = end != text && end <= text + len && left == 0;

    for (int i = 0; i < 4 && !known; i++, scale *= 1024)
        if (end != text && strlen(units[i]) == left && !strncmp(end, units[i], left)) {
            known = true;
            bytes *= scale;
        }
    if (!known || !(bytes >= sizeof(real) && bytes <= most))
        return err_set(err, ERR_USAGE,
                       "--sizes: found '%.*s', expected a size from %zu B to %d MiB, as in 64KiB",
                       (int)len, text, sizeof(real), MOST_MIB);
    *out = (int64_t)bytes;
    if ((double)*out < bytes || *out % (int64_t)sizeof(real) != 0)
        return err_set(err, ERR_USAGE, "--sizes: found '%.*s', expected whole numbers of %zu bytes",
                       (int)len, text, sizeof(real));
    return 0;
}

static int read_sizes(void *to, const char *value, struct err *err) {
    struct comm_bench *b = to;
    const char *item;
    size_t len;

    for (b->n_bytes = 0; (item = next_item(&value, &len)); b->n_bytes++) {
        if (b->n_bytes == MAX_LIST)
            return err_set(err, ERR_USAGE, "--sizes: more than %d sizes", MAX_LIST);
        if (read_size(item, len, &b->bytes[b->n_bytes], err))
            return -1;
    }
    return b->n_bytes ? 0 : err_set(err, ERR_USAGE, "--sizes: found none");
}

static int add_algorithm(struct comm_bench *b, const char *text, size_t len, struct err *err) {
    static const char form[] = "[dist]\nallreduce = %.*s\n";
    struct comm_entry *entry = &b->entry[b->n_entries];
    const size_t size = sizeof form + len;
    char *job = malloc(size);

    entry->text = calloc(len + 1, 1);
    if (!job || !entry->text) {
        free(job);
        return err_set(err, ERR_IO, "out of memory");
    }
    memcpy(entry->text, text, len);
    snprintf(job, size, form, (int)len, text);
    b->n_entries++;
    const int rc = job_read_text(&entry->job, "--algorithms", job, NULL, 0, err);
    free(job);
    return rc;
}

static int read_algorithms(void *to, const char *value, struct err *err) {
    struct comm_bench *b = to;
    const char *item;
    size_t len;

    while ((item = next_item(&value, &len))) {
        if (b->n_entries == MAX_LIST)
            return err_set(err, ERR_USAGE, "--algorithms: more than %d", MAX_LIST);
        if (add_algorithm(b, item, len, err))
            return -1;
    }
    return b->n_entries ? 0 : err_set(err, ERR_USAGE, "--algorithms: found none");
}

static const struct option_spec options[] = {
    {"comm", OPTION_FLAG, .offset = offsetof(struct comm_bench, comm_given)},
    {"json", OPTION_FLAG, .offset = offsetof(struct comm_bench, json)},
    {"sizes", OPTION_READ, .read = read_sizes},
    {"algorithms", OPTION_READ, .read = read_algorithms},
    {0},
};

/* Those that need no arguments, and measure by themselves. */
static int all_algorithms(struct comm_bench *b, struct err *err) {
    const struct word *w;

    for (int i = 0; (w = allreduce_word(i)) && i < MAX_LIST; i++) {
        bool needs = ((const struct allreduce_algorithm *)(const void *)w)->measures;
        for (const struct arg_spec *a = w->args; a && a->name; a++)
            needs = needs || a->required;
        if (!needs && add_algorithm(b, w->name, strlen(w->name), err))
            return -1;
    }
    return 0;
}

static int parse(struct comm_bench *b, int argc, char **argv, struct err *err) {
    const int first = options_read(b, options, "bench", argc, argv, err);

    if (first < 0)
        return -1;
    if (first < argc)
        return err_set(err, ERR_USAGE, "bench --comm takes no job, found %s", argv[first]);
    if (!b->n_bytes)
        for (int64_t bytes = 16; bytes <= 256 << 20; bytes *= 4)
            b->bytes[b->n_bytes++] = bytes;
    return b->n_entries ? 0 : all_algorithms(b, err);
}

/* --- measuring --- */

/* Small whole numbers, whose sums are exact in any order up to many thousand ranks. */
static real number(int rank, int64_t i) {
    return (real)((i * 31 + rank * 17) % 1009);
}

static real sum_of_numbers(int n_ranks, int64_t i) {
    double sum = 0;

    for (int r = 0; r < n_ranks; r++)
        sum += (double)number(r, i);
    return (real)sum;
}

/* Numbers of this rank's that are not the sum. */
static double check(struct allreduce *a, struct comm *comm) {
    const struct allreduce_vector *v = a->vector;
    double wrong = 0;

    for (int64_t i = 0; i < v->len; i++)
        v->v[i] = number(comm_rank(comm), i);
    allreduce_start(a, 0);
    while (!allreduce_progress(a, 0))
        sched_yield();
    const real *sum = allreduce_sum(a, 0);
    for (int64_t i = 0; i < v->len; i++)
        wrong += !(sum[i] == sum_of_numbers(comm_size(comm), i));
    allreduce_used(a, 0);
    while (!allreduce_writable(a, 0))
        sched_yield();
    comm_sum_doubles(comm, &wrong, 1);
    return wrong;
}

static int by_time(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of each sum the time of the slowest rank; into out, sorted. */
static void time_sums(struct allreduce *a, struct comm *comm, int n, double *out) {
    for (int i = 0; i < n; i++)
        out[i] = allreduce_time(a, 0);
    for (int i = 0; i < n; i++)
        out[i] = comm_max_double(comm, out[i]);
    qsort(out, (size_t)n, sizeof *out, by_time);
}

/* Of zeros, since sums of sums would grow beyond all bounds. */
static void time_vector(struct allreduce *a, struct comm *comm, struct bench_sum *out) {
    double seconds[MOST_TIMED], once = 0;

    memset(a->vector->v, 0, (size_t)a->vector->len * sizeof(real));
    comm_barrier(comm);
    for (int i = 0; i < WARM_UP; i++)
        once = allreduce_time(a, 0);
    once = comm_max_double(comm, once);
    const double fit = time_s / (once > 0 ? once : time_s);
    out->n_timed = fit < LEAST_TIMED ? LEAST_TIMED : fit > MOST_TIMED ? MOST_TIMED : (int)fit;
    time_sums(a, comm, out->n_timed, seconds);
    out->median_s = seconds[out->n_timed / 2];
    out->min_s = seconds[0];
}

/* Seconds that memory of one host takes, or the slowest link between several: each number is read
 * once for each rank and written once; a ring sends it 2 (H - 1) / H times. */
static double limit_of(const struct link_figures *l, int n_ranks, double bytes) {
    const double hosts = l->n_hosts;

    if (l->n_hosts > 1)
        return l->bytes_per_s > 0 ? 2 * (hosts - 1) / hosts * bytes / l->bytes_per_s : 0;
    return n_ranks > 1 && l->memory_bytes_per_s > 0 ? (n_ranks + 1) * bytes / l->memory_bytes_per_s
                                                    : 0;
}

static int measure_sum(const struct comm_bench *b, const struct link_figures *link,
                       const struct comm_entry *entry, struct bench_sum *out, struct err *err) {
    real *v = b->home ? comm_shared_of(b->home, comm_rank(b->host)) : b->own;
    const struct allreduce_vector vector = {
        .v = v, .len = out->bytes / (int64_t)sizeof(real), .home = b->home};
    const int n_ranks = comm_size(b->comm);
    struct allreduce *a;

    if (allreduce_new(&a, b->comm, &entry->job.allreduce, &vector, 1, err))
        return -1;
    out->algorithm = entry->text;
    out->wrong = check(a, b->comm);
    time_vector(a, b->comm, out);
    out->bus_bytes_per_s = 2.0 * (n_ranks - 1) / n_ranks * (double)out->bytes / out->median_s;
    out->limit_s = limit_of(link, n_ranks, (double)out->bytes);
    allreduce_free(a);
    return 0;
}

/* Vectors as long as the longest, in memory of the host where every host has room. */
static int reserve(struct comm_bench *b, struct err *err) {
    struct err why = {0};
    int64_t most = 0;
    int rc = 0;

    for (int i = 0; i < b->n_bytes; i++)
        most = b->bytes[i] > most ? b->bytes[i] : most;
    b->sum = calloc((size_t)(b->n_bytes * b->n_entries), sizeof *b->sum);
    b->host = comm_on_host(b->comm);
    if (comm_size(b->host) > 1)
        b->home = comm_shared_new(b->host, (size_t)most, &why);
    if (comm_max_double(b->comm, comm_size(b->host) > 1 && !b->home) > 0) {
        comm_shared_free(b->home);
        b->home = NULL;
    }
    if (!b->home)
        b->own = calloc((size_t)most, 1);
    if (!b->sum || (!b->home && !b->own))
        rc = err_set(err, ERR_IO, "no memory for vectors of %lld bytes", (long long)most);
    return agree(b->comm, rc, err);
}

static int measure(struct comm_bench *b, struct err *err) {
    struct bench_sums r = {.n_ranks = comm_size(b->comm), .n = b->n_bytes * b->n_entries};

    if (link_measure(b->comm, link_s, &r.link, err) || reserve(b, err))
        return -1;
    for (int i = 0; i < r.n; i++) {
        b->sum[i].bytes = b->bytes[i / b->n_entries];
        if (measure_sum(b, &r.link, &b->entry[i % b->n_entries], &b->sum[i], err))
            return -1;
    }
    r.sum = b->sum;
    r.shared = comm_max_double(b->comm, b->home != NULL) > 0;
    if (comm_rank(b->comm))
        return 0;
    if (b->json)
        return bench_comm_print_json(&r, err);
    bench_comm_print_table(&r);
    return 0;
}

static void release(struct comm_bench *b, struct err *err) {
    free(b->sum);
    free(b->own);
    for (int i = 0; i < b->n_entries; i++) {
        job_release(&b->entry[i].job);
        free(b->entry[i].text);
    }
    if (!b->comm)
        return;
    comm_shared_free(b->home);
    comm_free(b->host);
    if (comm_rank(b->comm) == 0)
        command_say_error(err);
    err->msg[0] = 0;
    comm_free(b->comm);
}

int bench_comm(int argc, char **argv, struct err *err) {
    struct comm_bench *b = calloc(1, sizeof *b);

    if (!b)
        return err_set(err, ERR_IO, "out of memory");
    int rc = comm_new(&b->comm, &argc, &argv, err);
    if (rc && !b->comm && launch_rank(getenv) > 0) /* all find the same; one says it */
        err->msg[0] = 0;
    if (!rc)
        rc = agree(b->comm, parse(b, argc, argv, err), err);
    if (!rc)
        rc = jobargs_same_command(b->comm, argc, argv, true, err);
    if (!rc)
        rc = agree(b->comm, measure(b, err), err);
    release(b, err);
    free(b);
    return rc;
}
