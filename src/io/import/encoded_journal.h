/* encoded_journal.h - the records of an import, each whole or not there: what is cut off in the
 * middle of one, by whatever, is found by its hash. Read by the machine that wrote it, or one like
 * it. */
#pragma once
#include "io/import/encoded_source.h"

#include <stddef.h>
#include <stdint.h>

/* What is known of a sample once it has been dealt with; as it stands in the journal. */
struct encoded_entry {
    int64_t len;   /* -1: broken, and skipped */
    uint64_t hash; /* of its bytes, as of row_hash.h */
    uint32_t facts;
    uint16_t text_len;
    uint8_t channels;
    uint8_t made; /* 0: the file as it was, 1: a smaller JPEG of one, 2: of what was no JPEG */
};

struct encoded_record {
    int64_t n, bytes;      /* samples; bytes of those that are kept */
    int64_t text_bytes;    /* of all texts, end to end */
    uint64_t source, data; /* hashes: of what the samples were; of the bytes */
    struct encoded_tally tally;
};

/* A whole journal in memory. {0} is releasable. */
struct encoded_journal {
    char *bytes;
    size_t len, at; /* at: where the next record begins */
};

/* Errors: ERR_IO. What is no journal of these options has no records: *other says so. */
int encoded_journal_read(struct encoded_journal *journal, const char *path, uint64_t options,
                         bool *other, struct err *err);
void encoded_journal_release(struct encoded_journal *journal);

/* The next record: entries[n] and texts are the journal's. Returns false where there is none that
 * is whole; nothing moves then. */
bool encoded_journal_next(struct encoded_journal *journal, struct encoded_record *record,
                          const struct encoded_entry **entries, const char **texts);

/* Write the beginning of an empty journal; add a record to it and bring it to the disk. Return -1
 * with errno set. */
int encoded_journal_begin(int fd, uint64_t options);
int encoded_journal_add(int fd, const struct encoded_record *record,
                        const struct encoded_entry *entries, const char *texts);
