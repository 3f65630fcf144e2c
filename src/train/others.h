/* others.h - the other checkpoints of a run, for when the last one is damaged or gone. */
#pragma once
#include "core/base/err.h"
#include "core/base/pool.h"

#include <stdint.h>

/* A whole checkpoint of a run; texts are the list's. */
struct other {
    const char *path, *name; /* of the run that it says it is of */
    int64_t step;
    double epoch;
};

/* {0}: none. */
struct others {
    struct other *other; /* [n] latest first */
    int n;
    const char *wrong; /* "; damaged, too: a, b; cannot be read: c", or "" where all are whole */
    struct pool pool;
};

/* All of a folder but `file`, which may not be there. Each is read completely, one after another.
 */
void others_find(struct others *o, const char *folder, const char *file);
void others_release(struct others *o);

/* The latest of the run of that name; NULL: none is whole. */
const struct other *others_latest(const struct others *o, const char *name);

/* Say in err, the error of a checkpoint that is damaged (ERR_DATA; others are left as they are),
 * which of the files beside it are whole, with their epochs.
 *   how  what is said of going on from the latest, behind "cp LATEST"; NULL: nothing is, and
 *        nothing at all where the file itself is whole */
void others_name(const char *file, const char *how, struct err *err);

/* Could a run without a last checkpoint go on from something in its folder? Errors: ERR_IO; then
 * -1. */
int others_exist(const char *folder, struct err *err);
