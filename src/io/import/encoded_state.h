/* encoded_state.h - how far an import of encoded pictures has come: the folder OUT.h5.import with
 * `data`, which holds the pictures where they will be in OUT.h5 and becomes that file, and
 * `journal`, which says what of it is there. A record of the journal follows the bytes it speaks of
 * to the disk, and carries their hash: whatever happens in between, a prefix of them holds. */
#pragma once
#include "io/dataset/content_hash.h"
#include "io/dataset/encoded_frame.h"
#include "io/file/lock.h"
#include "io/import/encoded_journal.h"

struct encoded_part {
    int64_t begin, n;     /* the split's samples, counted through all splits */
    int64_t kept;         /* of those that are done */
    int64_t place, bytes; /* of those in the file */
    struct content_hash *hash;
};

/* {0} is releasable. */
struct encoded_state {
    const struct encoded_source *source;
    const struct import_options *options;
    char *folder, *journal_path, *data_path, *frame_path;
    struct lock lock;
    int journal, data;           /* 1 + descriptor; 0: none */
    bool empty;                  /* nothing in the folder is worth keeping */
    int64_t n, n_done;           /* samples of all splits */
    struct encoded_entry *entry; /* [n] the first n_done are known */
    char **text;                 /* [n] why it was skipped, which rule it breaks, or NULL; owned */
    int n_begun;                 /* splits whose place is known */
    struct encoded_part *part;   /* [n_splits] */
    struct encoded_tally tally;  /* of the first split */
};

/* Samples first .. first + n - 1 of a split, of which errs[i].kind is ERR_DATA where they are to be
 * skipped and 0 otherwise. */
struct encoded_batch {
    int split;
    int64_t first, n;
    const struct encoded_sample *sample;
    const struct err *errs;
};

/* Take the folder, made where there is none, and find out what is done in it, which is said by
 * options->progress.say: from where it goes on, or why not. What was skipped counts as done where
 * options skip, too.
 * Errors: ERR_IO, also where another process is at it; ERR_STOPPED as progress.stopped says.
 * Cost: reads what is done. */
int encoded_state_init(struct encoded_state *state, const struct encoded_source *source,
                       const char *target, const struct import_options *options, struct err *err);

/* Bring the next samples to the disk. For one thread at a time. Errors: ERR_IO. */
int encoded_state_add(struct encoded_state *state, const struct encoded_batch *batch,
                      struct err *err);

/* The split that sample n_done belongs to. */
int encoded_state_split(const struct encoded_state *state);

/* Give the folder back; without any samples in it, it goes. */
void encoded_state_release(struct encoded_state *state);

/* Once data has become the file: remove the rest. */
void encoded_state_remove(struct encoded_state *state);
