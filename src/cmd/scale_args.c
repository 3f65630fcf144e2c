#include "cmd/options.h"
#include "cmd/scale.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RANKS = 1000000, MOST_THREADS = 1024 };

/* What a number is followed by. A table ends with {0}. */
struct unit {
    const char *name;
    double factor;
};

static const struct unit times[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1},
                                    {"min", 60},  {"h", 3600},  {0}};
static const struct unit rates[] = {{"Kbit", 125},     {"Mbit", 125e3},   {"Gbit", 125e6},
                                    {"Tbit", 125e9},   {"MB/s", 1e6},     {"GB/s", 1e9},
                                    {"TB/s", 1e12},    {"MiB/s", 0x1p20}, {"GiB/s", 0x1p30},
                                    {"Mbit/s", 125e3}, {"Gbit/s", 125e6}, {0}};
static const struct unit sizes[] = {{"MB", 1e6},     {"GB", 1e9},     {"TB", 1e12}, {"MiB", 0x1p20},
                                    {"GiB", 0x1p30}, {"TiB", 0x1p40}, {0}};

/* Beyond these nothing is that could be meant, and what is computed of it would be no number. */
static const double LEAST = 1e-15, MOST = 1e30;

/* A number above 0 with a unit of the table, all of text[len]. */
static bool read_quantity(const char *text, size_t len, const struct unit *units, double *out) {
    char *end;

    errno = 0;
    const double number = strtod(text, &end);
    const size_t rest = (size_t)(text + len - end);
    if (errno || end == text || end > text + len || !(number > 0) || !isfinite(number))
        return false;
    for (; units->name; units++)
        if (strlen(units->name) == rest && !strncmp(units->name, end, rest)) {
            *out = number * units->factor;
            return *out >= LEAST && *out <= MOST;
        }
    return false;
}

static struct scale_args *args_of(void *to) {
    return &((struct scale *)to)->want;
}

/* One number with a unit, of the option of that name. */
static int read_one(const char *name, const char *value, const struct unit *units,
                    const char *expected, double *out, struct err *err) {
    return read_quantity(value, strlen(value), units, out)
               ? 0
               : err_set(err, ERR_USAGE, "--%s: found '%s', expected %s", name, value, expected);
}

static int read_memory(void *to, const char *value, struct err *err) {
    return read_one("memory-bandwidth", value, rates,
                    "what all ranks of a host read and write together, as in 200GB/s",
                    &args_of(to)->memory_bytes_per_s, err);
}

static int read_room(void *to, const char *value, struct err *err) {
    return read_one("host-memory", value, sizes, "the memory of a host, as in 256GiB",
                    &args_of(to)->host_bytes, err);
}

static int read_storage(void *to, const char *value, struct err *err) {
    return read_one("storage", value, rates,
                    "what all hosts together read from storage, as in 5GB/s",
                    &args_of(to)->storage_bytes_per_s, err);
}

static int read_target(void *to, const char *value, struct err *err) {
    return read_one("target", value, times, "the time of an epoch, as in 10min",
                    &args_of(to)->target_s, err);
}

static int read_seconds(void *to, const char *value, struct err *err) {
    return read_one("measure", value, times, "the time that measuring may take, as in 20s",
                    &args_of(to)->seconds, err);
}

/* "10Gbit,5us", "measure". */
static int read_link(void *to, const char *value, struct err *err) {
    struct scale_args *a = args_of(to);
    const size_t len = strcspn(value, ",");

    a->measure_link = !strcmp(value, "measure");
    if (a->measure_link ||
        (value[len] && read_quantity(value, len, rates, &a->bytes_per_s) &&
         read_quantity(value + len + 1, strlen(value + len + 1), times, &a->latency_s)))
        return 0;
    return err_set(
        err, ERR_USAGE,
        "--link: found '%s', expected bandwidth and latency between two hosts with their "
        "units, as in 10Gbit,5us, or `measure`",
        value);
}

static int read_number(const char *name, const char *value, double max, double *out,
                       const char *expected, struct err *err) {
    char *end;

    *out = strtod(value, &end);
    if (end != value && !*end && *out > 0 && *out <= max)
        return 0;
    return err_set(err, ERR_USAGE, "--%s: found '%s', expected %s", name, value, expected);
}

static int read_efficiency(void *to, const char *value, struct err *err) {
    return read_number("target-efficiency", value, 1, &args_of(to)->target_efficiency,
                       "a share above 0 and up to 1, as in 0.9", err);
}

static int read_price(void *to, const char *value, struct err *err) {
    return read_number("host-price", value, 1e9, &args_of(to)->host_price,
                       "what an hour of a host costs, as in 1.25", err);
}

static int wrong_ranks(const char *value, const char *why, struct err *err) {
    return err_set(err, ERR_USAGE,
                   "--ranks: found '%s', %s; expected numbers from 1 to %d, as in 1..4096 (each "
                   "twice the last) or 1,16,48",
                   value, why, MOST_RANKS);
}

/* Behind the number: its end; NULL: it is none from 1 to MOST_RANKS. */
static const char *read_ranks_number(const char *text, int64_t *out) {
    char *end;
    const long long n = strtoll(text, &end, 10);

    *out = n;
    return end == text || *text < '0' || *text > '9' || n < 1 || n > MOST_RANKS ? NULL : end;
}

static int read_range(struct scale_args *a, const char *value, const char *at, struct err *err) {
    int64_t last, n = a->ranks[0];

    at = read_ranks_number(at, &last);
    if (!at || *at)
        return wrong_ranks(value, "where a number is to stand behind ..", err);
    if (last < n)
        return wrong_ranks(value, "which ends before it begins", err);
    for (a->n_ranks = 0; n < last; n *= 2)
        a->ranks[a->n_ranks++] = n;
    a->ranks[a->n_ranks++] = last;
    return 0;
}

static int read_ranks(void *to, const char *value, struct err *err) {
    struct scale_args *a = args_of(to);
    const char *at = value;

    for (a->n_ranks = 0; a->n_ranks < SCALE_MAX_ROWS;) {
        at = read_ranks_number(at, &a->ranks[a->n_ranks]);
        if (!at)
            return wrong_ranks(value, "where a number is to stand", err);
        if (a->n_ranks > 0 && a->ranks[a->n_ranks] <= a->ranks[a->n_ranks - 1])
            return wrong_ranks(value, "whose numbers do not rise", err);
        a->n_ranks++;
        if (!*at)
            return 0;
        if (a->n_ranks == 1 && !strncmp(at, "..", 2))
            return read_range(a, value, at + 2, err);
        if (*at++ != ',')
            return wrong_ranks(value, "where a comma is to stand", err);
    }
    return wrong_ranks(value, "which are too many", err);
}

#define AT(member) offsetof(struct scale_args, member)

static const struct option_spec options[] = {
    {"ranks", OPTION_READ, .read = read_ranks},
    {"per-host", OPTION_WHOLE, .offset = AT(per_host), .min = 1, .max = MOST_RANKS},
    {"link", OPTION_READ, .read = read_link},
    {"memory-bandwidth", OPTION_READ, .read = read_memory},
    {"host-memory", OPTION_READ, .read = read_room},
    {"storage", OPTION_READ, .read = read_storage},
    {"batch-per-rank", OPTION_WHOLE, .offset = AT(batch_per_rank), .min = 1, .max = 1 << 24},
    {"threads", OPTION_WHOLE, .offset = AT(threads), .min = 1, .max = MOST_THREADS},
    {"samples", OPTION_WHOLE, .offset = AT(samples), .min = 1, .max = INT64_C(1) << 48},
    {"measure", OPTION_READ, .read = read_seconds},
    {"target", OPTION_READ, .read = read_target},
    {"target-efficiency", OPTION_READ, .read = read_efficiency},
    {"host-price", OPTION_READ, .read = read_price},
    {"plot", OPTION_TEXT, .offset = AT(plot)},
    {"plot-width", OPTION_WHOLE, .offset = AT(plot_width), .min = 400, .max = 4000},
    {"profile", OPTION_TEXT, .offset = AT(profile)},
    {"save-profile", OPTION_TEXT, .offset = AT(save_profile)},
    {"replay", OPTION_FLAG, .offset = AT(replay)},
    {0},
};

const struct option_spec *scale_options(struct pool *pool, size_t at) {
    struct option_spec *out = pool_take(pool, sizeof options);

    memcpy(out, options, sizeof options);
    for (struct option_spec *o = out; o->name; o++)
        o->offset += at;
    return out;
}

/* An option that is given, and another one that leaves it nothing to say. */
static int check_needless(const struct scale_args *a, struct err *err) {
    const struct {
        bool found;
        const char *message;
    } cases[] = {
        {a->profile && a->seconds > 0,
         "--profile and --measure exclude each other: nothing is measured"},
        {a->plot_width && !a->plot, "--plot-width is for --plot FILE.png, which is missing"},
        {a->replay && a->plot, "--plot and --replay exclude each other: a replay has one row"},
        {a->replay && (a->target_s > 0 || a->target_efficiency > 0),
         "--target and --replay exclude each other: a replay has the ranks that run"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (cases[i].found)
            return err_set(err, ERR_USAGE, "%s", cases[i].message);
    return 0;
}

int scale_args_check(const struct scale_args *a, struct err *err) {
    if (!a->n_ranks && !a->replay)
        return err_set(err, ERR_USAGE, "--ranks is missing: for how many, as in --ranks 1..4096?");
    if (!a->per_host && !a->replay)
        return err_set(err, ERR_USAGE,
                       "--per-host is missing: how many ranks has a host, as in --per-host 64?");
    if (!a->measure_link && !(a->bytes_per_s > 0))
        return err_set(err, ERR_USAGE,
                       "--link is missing: what is between hosts, as in --link 10Gbit,5us, or "
                       "--link measure under mpirun on two hosts or more?");
    if (a->replay && a->n_ranks)
        return err_set(err, ERR_USAGE,
                       "--ranks and --replay exclude each other: a replay has the ranks that run");
    if (a->replay && !a->profile)
        return err_set(err, ERR_USAGE,
                       "--replay needs --profile FILE, what --save-profile FILE kept of operators");
    if (a->profile && a->save_profile)
        return err_set(err, ERR_USAGE,
                       "--profile and --save-profile exclude each other: nothing is measured");
    return check_needless(a, err);
}
