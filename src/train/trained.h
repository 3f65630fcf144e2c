/* trained.h - what weights were trained on, as their checkpoint says, beside what they are measured
 * on. */
#pragma once
#include "train/event.h"
#include "train/feed.h"
#include "train/meta.h"

struct trained {
    struct meta meta;             /* json NULL: the file does not say */
    struct feed_classes *classes; /* [n_classes] in pool */
    int n_classes;
    struct pool pool;
};

/* What a file says of itself; weights alone say nothing, which is no error. Local.
 * Errors: ERR_IO, ERR_DATA where it cannot be read. */
int trained_read(struct trained *t, const char *file, struct err *err);

/* Where the job normalises by what the file at hand says, and that is not what it was trained with,
 * a warning. Local. */
void trained_warn_of_normalisation(const struct trained *t, const struct job *job,
                                   const struct feed *feed, const struct sinks *sinks);

/* Weights to begin with: where the data has the classes of the checkpoint in another order, a
 * warning; other classes are another task. Local. */
void trained_warn_of_order(const char *file, const struct feed *feed, const struct sinks *sinks);

/* {0} is fine. */
void trained_release(struct trained *t);
