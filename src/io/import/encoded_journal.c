#include "io/import/encoded_journal.h"

#include "io/dataset/content_hash.h"
#include "io/file/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char signature[8] = "dltenc2";

/* Sizes are multiples of 8, so that numbers stay aligned; texts are filled up. */
static size_t filled(int64_t text_bytes) {
    return ((size_t)text_bytes + 7) / 8 * 8;
}

static size_t record_len(const struct encoded_record *r) {
    return sizeof *r + (size_t)r->n * sizeof(struct encoded_entry) + filled(r->text_bytes) +
           sizeof(uint64_t);
}

int encoded_journal_read(struct encoded_journal *journal, const char *path, uint64_t options,
                         bool *other, struct err *err) {
    const size_t head = sizeof signature + sizeof options;

    *journal = (struct encoded_journal){0};
    *other = false;
    if (access(path, F_OK) && errno == ENOENT)
        return 0;
    if (file_read(path, &journal->bytes, &journal->len, err))
        return -1;
    if (journal->len < head)
        return 0;
    if (memcmp(journal->bytes, signature, sizeof signature) ||
        memcmp(journal->bytes + sizeof signature, &options, sizeof options))
        *other = true;
    else
        journal->at = head;
    return 0;
}

void encoded_journal_release(struct encoded_journal *journal) {
    free(journal->bytes);
    *journal = (struct encoded_journal){0};
}

bool encoded_journal_next(struct encoded_journal *journal, struct encoded_record *record,
                          const struct encoded_entry **entries, const char **texts) {
    const size_t left = journal->len - journal->at;
    const char *from = journal->bytes + journal->at;
    uint64_t hash;

    if (!journal->at || left < sizeof *record)
        return false;
    memcpy(record, from, sizeof *record);
    if (record->n < 1 || record->text_bytes < 0 || (uint64_t)record->text_bytes > left ||
        (uint64_t)record->n > left / sizeof(struct encoded_entry) || record_len(record) > left)
        return false;
    const size_t len = record_len(record);
    memcpy(&hash, from + len - sizeof hash, sizeof hash);
    if (hash != content_hash_of(from, len - sizeof hash))
        return false;
    *entries = (const struct encoded_entry *)(const void *)(from + sizeof *record);
    *texts = from + sizeof *record + (size_t)record->n * sizeof **entries;
    journal->at += len;
    return true;
}

int encoded_journal_begin(int fd, uint64_t options) {
    if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) < 0 ||
        file_write(fd, signature, sizeof signature) || file_write(fd, &options, sizeof options))
        return -1;
    return fsync(fd);
}

int encoded_journal_add(int fd, const struct encoded_record *record,
                        const struct encoded_entry *entries, const char *texts) {
    const size_t len = record_len(record), rest = len - sizeof(uint64_t);
    const size_t entries_bytes = (size_t)record->n * sizeof *entries;
    char *bytes = calloc(1, len);

    if (!bytes) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(bytes, record, sizeof *record);
    memcpy(bytes + sizeof *record, entries, entries_bytes);
    memcpy(bytes + sizeof *record + entries_bytes, texts, (size_t)record->text_bytes);
    const uint64_t hash = content_hash_of(bytes, rest);
    memcpy(bytes + rest, &hash, sizeof hash);
    const int status = file_write(fd, bytes, len) || fdatasync(fd) ? -1 : 0;
    free(bytes);
    return status;
}
