/* identity.h - what a run is of: its job, its data and the measure that decides `best`. Every
 * checkpoint says it, so that numbers are only compared with numbers of the same thing. */
#pragma once
#include "core/base/pool.h"
#include "train/feed.h"
#include "train/replica.h"

/* Everything is borrowed; texts are in the pool that identity_init was given. */
struct identity {
    const struct job *job;
    const char *text;                    /* the job as resolved */
    const struct feed *train, *validate; /* validate: NULL where this rank does not validate */
    const char *measure;                 /* the name that [validate] best gives; NULL: none */
    const char *measured;                /* its statement, and those that it is made of */
    bool maximise;                       /* the larger measure is the better one */
};

/* Say what a run is of.
 *   validate  NULL: nothing is validated here
 * Errors: ERR_IO for lack of memory. */
int identity_init(struct identity *id, const struct job *job, const struct feed *train,
                  const struct feed *validate, const struct replica *r, struct pool *pool,
                  struct err *err);
