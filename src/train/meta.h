/* meta.h - the text of a checkpoint, JSON, that says what it is of and how far it is:
 * docs/checkpoints.md lists it. */
#pragma once
#include "train/control.h"
#include "train/identity.h"

#include <jansson.h>

/* A text that was read. */
struct meta {
    const char *file; /* whose it is, for messages; borrowed */
    json_t *json;
};

/* The text of a checkpoint: heap, for the caller to free; NULL for lack of memory. */
char *meta_text(const struct identity *id, const struct replica *r, const struct progress *p);

/* Take a text apart; to be released on errors, too. Errors: ERR_DATA when it is not JSON, or of a
 * file that no run has saved, or one of an earlier version of the program. */
int meta_read(struct meta *m, const char *file, const char *text, struct err *err);

/* That of a checkpoint. Errors: those of checkpoint_open and meta_read. */
int meta_open(struct meta *m, const char *file, struct err *err);

/* {0} is fine. */
void meta_release(struct meta *m);

/* The job as resolved; its name. */
const char *meta_job(const struct meta *m);
const char *meta_name(const struct meta *m);

/* How far it is: steps done, in epochs. */
int64_t meta_step(const struct meta *m);
double meta_epoch(const struct meta *m);

/* The value at a path of keys as "data.train.samples", or NULL. */
const json_t *meta_at(const struct meta *m, const char *path);
int64_t meta_whole(const struct meta *m, const char *path);
const char *meta_string(const struct meta *m, const char *path); /* "" where there is none */

/* How far the run is, and the counters of the replica. The history of the measure is taken only if
 * `history` says that it is still of the same thing. Errors: ERR_IO for lack of memory. */
int meta_progress(const struct meta *m, bool history, struct replica *r, struct progress *p,
                  struct err *err);

/* The classes of every field that has some, as the networks know them: *out [returned] and its
 * texts belong to pool. */
int meta_classes(const struct meta *m, struct pool *pool, struct feed_classes **out);

/* A field of the data that a run was trained on. */
struct meta_field {
    const char *name;
    struct shape sample; /* as networks see it */
    struct shape stored; /* as the data has it; 0 in place of heights and widths that differ */
    bool classes, image;
    bool reals; /* stored as floats, whose scale is the data's own */
    int n_classes;
    const float *mean, *std; /* [channels] of `normalize` without numbers; NULL: not known */
};

/* All fields, in the order of the data: *out [returned] and what it points to belong to pool. */
int meta_fields(const struct meta *m, struct pool *pool, struct meta_field **out);

/* The fingerprint of a dataset as it is written. */
enum { META_FINGERPRINT = 17 };
const char *meta_fingerprint(const struct feed *feed, char text[META_FINGERPRINT]);
