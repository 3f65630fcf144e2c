#include "train/not_finite.h"
#include "train/evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { TEXT = 256 };

/* The first of v[n] that is not finite, or -1. */
static int64_t first_of(const float *v, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return i;
    return -1;
}

/* In one batch, whose samples of the dataset are given. */
static bool find_in(const struct feed *f, const struct loader_batch *batch, const int64_t *samples,
                    char text[TEXT]) {
    for (int k = 0; k < loader_n_fields(f->loader); k++) {
        const struct loader_field *field = loader_field(f->loader, k);
        const int64_t len = field->sample.rank ? shape_len(&field->sample) : 1;
        const int64_t at =
            field->kind == DATASET_CLASS ? -1 : first_of(batch->field[k], batch->n * len);
        if (at < 0)
            continue;
        snprintf(text, TEXT, "field %s of sample %" PRId64 " of %s holds %g", field->name,
                 samples[at / len], dataset_name(f->dataset), (double)batch->field[k][at]);
        return true;
    }
    return false;
}

static bool find(struct feed *f, char text[TEXT]) {
    const int64_t steps = shard_steps(&f->shard);
    const int64_t *samples;
    struct feed_batch batch;
    struct err ignored = {0};
    int64_t n, first;

    feed_seek(f, 0, steps);
    for (int64_t s = 0; s < steps; s++) {
        if (feed_next(f, &batch, &ignored))
            return false;
        shard_part(&f->shard, 0, s, f->rank, f->size, &samples, &n, &first);
        if (find_in(f, &batch.data, samples, text))
            return true;
    }
    return false;
}

/* Every rank gets what the lowest rank that has found something says; "" where none has. */
static void find_on_all(struct feed *feed, struct comm *comm, char text[TEXT]) {
    const int rank = comm_rank(comm), size = comm_size(comm);

    text[0] = 0;
    const bool found = feed && find(feed, text);
    const int lowest = size - (int)comm_max_double(comm, found ? size - rank : 0);
    if (lowest < size)
        comm_bcast(comm, text, TEXT, lowest);
}

void not_finite_warn(const struct replica *r, struct feed *feed, struct comm *comm,
                     const char *when, const struct sinks *sinks) {
    const char *names = "", *name;
    struct pool pool = {0};
    char cause[TEXT];
    double value;

    for (int i = 0; evaluate_measure(r, i, &name, &value); i++)
        if (isnan(value))
            names = pool_print(&pool, "%s%s%s", names, names[0] ? ", " : "", name);
    if (names[0]) {
        find_on_all(feed, comm, cause);
        sinks_warn(sinks, "%s[validate] %s is not a number%s%s", when, names, cause[0] ? ": " : "",
                   cause);
    }
    pool_release(&pool);
}
