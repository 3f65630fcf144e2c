#include "train/not_finite.h"
#include "train/evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { TEXT = 512 };

static bool find(struct feed *f, char text[TEXT]) {
    const int64_t steps = shard_steps(&f->shard);
    struct feed_batch batch;
    struct err ignored = {0};

    feed_seek(f, 0, steps);
    for (int64_t s = 0; s < steps; s++) {
        if (feed_next(f, &batch, &ignored))
            return false;
        if (loader_batch_not_finite(&batch.data, text, TEXT))
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
