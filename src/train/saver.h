/* saver.h - who writes a run's checkpoints: a thread, from a copy, while training goes on; or who
 * asks for it, where the copy has no room or nobody may go on before it is there. On rank 0. */
#pragma once
#include "core/base/pulse.h"
#include "train/save.h"

/* One to be written. */
struct saver_job {
    const char *file;        /* borrowed until its outcome is told */
    const struct lock *lock; /* of its folder, borrowed as long; NULL: none */
    int64_t step;            /* after which it was taken down */
    int keep;                /* of the ones before, kept_replace */
    bool insists;            /* what cannot be written is kept, and tried again with the next */
    bool waits;              /* until it is there */
};

/* What became of one. */
struct saver_outcome {
    const char *file;
    int64_t step;
    double seconds; /* that it took */
    int rc;         /* -1: err says why; the file is what it was */
    bool owed;      /* and it is tried again */
    struct err err;
};

struct saver;

/* To be freed by saver_free. Before threads are bound to cores: this one goes where there is room.
 *   len    numbers of a file, of which the thread has a copy; 0: there shall be no thread
 *   pulse  borrowed, or NULL
 * Errors: ERR_IO for lack of memory; but without a thread, or room for the copy, all is well. */
int saver_new(struct saver **out, int64_t len, struct pulse *pulse, struct err *err);
bool saver_is_threaded(const struct saver *s);

/* Room for what is taken down for a job, [len]; NULL: it is written from where it is, as long as
 * something is owed for which there was no memory. */
real *saver_room(struct saver *s, const struct saver_job *job);

/* Write what was taken down, or have it written. What was tried in vain before, and insists, comes
 * first. The one before must have been told.
 *   save  taken over; of saver_room */
void saver_write(struct saver *s, const struct saver_job *job, const struct save *save);

/* The next outcome, of files in the order that they were written. False: there is none, or, unless
 * `waits`, it is still being written. */
bool saver_told(struct saver *s, bool waits, struct saver_outcome *out);

/* Waits for what is being written. NULL is fine. */
void saver_free(struct saver *s);
