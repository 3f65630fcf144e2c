#include "io/import/encoded_state.h"

#include "io/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPLAY_BYTES = 1 << 20 };

static int no_memory(const struct encoded_state *s, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory for %lld images", s->folder, (long long)s->n);
}

static int unwritable(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
}

static int allocate(struct encoded_state *s, const char *target, struct err *err) {
    const struct encoded_source *source = s->source;

    s->part = calloc((size_t)source->n_splits, sizeof *s->part);
    for (int k = 0; k < source->n_splits && s->part; k++) {
        s->part[k].begin = s->n;
        s->part[k].n = source->split[k].n;
        s->n += source->split[k].n;
    }
    s->entry = calloc((size_t)s->n + 1, sizeof *s->entry);
    s->text = calloc((size_t)s->n + 1, sizeof *s->text);
    s->folder = file_text("%s.import", target);
    s->journal_path = file_text("%s.import/journal", target);
    s->data_path = file_text("%s.import/data", target);
    s->frame_path = file_text("%s.import/frame", target);
    if (!s->part || !s->entry || !s->text || !s->folder || !s->journal_path || !s->data_path ||
        !s->frame_path)
        return err_set(err, ERR_IO, "%s: out of memory", target);
    return 0;
}

/* 1 + descriptor, or 0 with err. */
static int open_file(const char *path, struct err *err) {
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

    if (fd < 0)
        unwritable(path, err);
    return fd + 1;
}

int encoded_state_split(const struct encoded_state *s) {
    int k = 0;

    while (k < s->source->n_splits - 1 && s->n_done >= s->part[k].begin + s->part[k].n)
        k++;
    return k;
}

/* Where the pictures of split k lie: those of the splits before are all done. */
static int begin_split(struct encoded_state *s, int k, struct err *err) {
    struct encoded_group *group;
    int status = -1;

    if (k < s->n_begun)
        return 0;
    s->part[k].hash = content_hash_new();
    group = calloc((size_t)s->source->n_splits, sizeof *group);
    if (!s->part[k].hash || !group)
        no_memory(s, err);
    else {
        for (int i = 0; i < s->source->n_splits; i++)
            group[i] = (struct encoded_group){.name = s->source->split[i].name,
                                              .place = s->part[i].place,
                                              .bytes = s->part[i].bytes};
        status = encoded_frame_place(s->frame_path, group, s->source->n_splits, k,
                                     &s->part[k].place, err);
    }
    free(group);
    s->n_begun += !status;
    return status;
}

/* Note the record's samples as done. */
static int take(struct encoded_state *s, int k, const struct encoded_record *r,
                const struct encoded_entry *entries, const char *texts, struct err *err) {
    for (int64_t i = 0; i < r->n; i++) {
        const size_t len = entries[i].text_len;

        if (len && !(s->text[s->n_done + i] = strndup(texts, len)))
            return no_memory(s, err);
        texts += len;
        s->entry[s->n_done + i] = entries[i];
        s->part[k].kept += entries[i].len >= 0;
    }
    s->part[k].bytes += r->bytes;
    if (k == 0) {
        s->tally.n_pixels += r->tally.n_pixels;
        for (int c = 0; c < 4; c++) {
            s->tally.sum[c] += r->tally.sum[c];
            s->tally.squares[c] += r->tally.squares[c];
        }
    }
    s->n_done += r->n;
    s->empty = false;
    return 0;
}

/* What the next n samples of split k are. Returns false where the source has fewer. */
static bool hash_source(const struct encoded_state *s, int k, int64_t n, uint64_t *out,
                        struct content_hash *room) {
    const struct encoded_source *source = s->source;
    const int64_t first = s->n_done - s->part[k].begin;

    if (n > s->part[k].n - first)
        return false;
    for (int64_t i = first; i < first + n; i++) {
        const char *name = source->name(source->context, k, i);
        const struct {
            uint64_t identity;
            int64_t class;
        } facts = {source->identity(source->context, k, i), source->class(source->context, k, i)};

        content_hash_add(room, name, strlen(name) + 1);
        content_hash_add(room, &facts, sizeof facts);
    }
    *out = content_hash_value(room);
    return true;
}

/* Is the record one of these samples as the options want them, and do its entries and texts agree?
 */
static int is_of_source(const struct encoded_state *s, int k, const struct encoded_record *r,
                        const struct encoded_entry *entries, struct err *err) {
    struct content_hash *room = content_hash_new();
    int64_t bytes = 0, text_bytes = 0;
    uint64_t hash = 0;

    if (!room)
        return no_memory(s, err);
    bool same = hash_source(s, k, r->n, &hash, room) && hash == r->source;
    content_hash_free(room);
    for (int64_t i = 0; i < r->n && same; i++) {
        same = entries[i].len >= 0 || s->options->skip_broken;
        bytes += entries[i].len > 0 ? entries[i].len : 0;
        text_bytes += entries[i].text_len;
    }
    return same && bytes == r->bytes && text_bytes == r->text_bytes;
}

/* Are the bytes that the record speaks of on the disk? The hash of the split takes them in; where
 * they are not, the split begins anew. 1, 0, or -1 with err. */
static int is_on_disk(struct encoded_state *s, int k, const struct encoded_record *r,
                      struct err *err) {
    const struct encoded_part *part = &s->part[k];
    struct content_hash *hash = content_hash_new(), *whole = content_hash_copy(part->hash);
    unsigned char *room = malloc(REPLAY_BYTES);
    int64_t at = 0;
    ssize_t n = 1;

    while (hash && whole && room && at < r->bytes && n > 0) {
        const int64_t left = r->bytes - at, most = left < REPLAY_BYTES ? left : REPLAY_BYTES;

        n = pread(s->data - 1, room, (size_t)most, part->place + part->bytes + at);
        content_hash_add(hash, room, n > 0 ? (size_t)n : 0);
        content_hash_add(whole, room, n > 0 ? (size_t)n : 0);
        at += n;
    }
    int found = !hash || !whole || !room ? no_memory(s, err)
                : n < 0
                    ? err_set(err, ERR_IO, "%s: cannot be read: %s", s->data_path, strerror(errno))
                    : n > 0 && content_hash_value(hash) == r->data;
    if (found == 1) {
        content_hash_free(s->part[k].hash);
        s->part[k].hash = whole;
        whole = NULL;
    }
    content_hash_free(hash);
    content_hash_free(whole);
    free(room);
    return found;
}

/* Take in what the journal says for as long as it is true. Returns how many bytes of it are, or -1.
 */
static int64_t replay(struct encoded_state *s, struct encoded_journal *journal, struct err *err) {
    const struct encoded_entry *entries;
    struct encoded_record record;
    const char *texts;
    size_t whole = journal->at;

    while (s->n_done < s->n && encoded_journal_next(journal, &record, &entries, &texts)) {
        const int k = encoded_state_split(s);

        if (s->options->progress.stopped && s->options->progress.stopped())
            return err_set(err, ERR_STOPPED,
                           "stopped on request: %s: keeps what is in it; the same command goes on",
                           s->folder);
        if (begin_split(s, k, err))
            return -1;
        int fine = is_of_source(s, k, &record, entries, err);
        if (fine == 1)
            fine = is_on_disk(s, k, &record, err);
        if (fine < 0 || (fine && take(s, k, &record, entries, texts, err)))
            return -1;
        if (!fine)
            break;
        whole = journal->at;
    }
    return (int64_t)whole;
}

static void say(const struct encoded_state *s, const char *fmt, long long a, long long b) {
    const struct import_progress *progress = &s->options->progress;
    char *text = progress->say ? file_text(fmt, s->folder, a, b) : NULL;

    if (text)
        progress->say(progress->context, text);
    free(text);
}

static int resume(struct encoded_state *s, struct err *err) {
    const uint64_t options = s->source->options;
    struct encoded_journal journal = {0};
    struct stat st = {0};
    bool other;

    if (fstat(s->data - 1, &st))
        return unwritable(s->data_path, err);
    if (encoded_journal_read(&journal, s->journal_path, options, &other, err))
        return -1;
    const bool records = other || (journal.at && journal.len > journal.at);
    if (records && !other)
        say(s, "%s: looks at the %lld MiB that are there", (long long)st.st_size >> 20, 0);
    const int64_t whole = replay(s, &journal, err);
    encoded_journal_release(&journal);
    if (whole < 0)
        return -1;
    if (s->n_done)
        say(s, "%s: goes on after %lld of %lld images", s->n_done, s->n);
    else if (records)
        say(s,
            other ? "%s: begins anew: what is there is of other options"
                  : "%s: begins anew: what is there is of other images",
            0, 0);
    s->empty = !s->n_done;
    if (s->n_done ? ftruncate(s->journal - 1, whole) || lseek(s->journal - 1, 0, SEEK_END) < 0
                  : encoded_journal_begin(s->journal - 1, options) || ftruncate(s->data - 1, 0))
        return unwritable(s->journal_path, err);
    return 0;
}

/* Where it led to another file system, what is done could not be renamed in the end. */
static int refuse_link(const struct encoded_state *s, struct err *err) {
    struct stat st;

    if (lstat(s->folder, &st) || !S_ISLNK(st.st_mode))
        return 0;
    return err_set(err, ERR_USAGE,
                   "%s: is a link, expected a folder beside the file that it becomes; remove it",
                   s->folder);
}

/* Without a record, whatever else is in the folder is nothing. */
static int find_empty(struct encoded_state *s) {
    struct stat st;

    s->empty = !fstat(s->journal - 1, &st) && !st.st_size;
    return 0;
}

int encoded_state_init(struct encoded_state *s, const struct encoded_source *source,
                       const char *target, const struct import_options *options, struct err *err) {
    char left[LOCK_TEXT];

    *s = (struct encoded_state){.source = source, .options = options};
    if (!allocate(s, target, err) && !refuse_link(s, err) && !file_make_folders(s->folder, err) &&
        !lock_take(&s->lock, s->folder, "wait for it, or give another name to write to", left,
                   err) &&
        (s->journal = open_file(s->journal_path, err)) && !find_empty(s) &&
        (s->data = open_file(s->data_path, err)) && !resume(s, err))
        return 0;
    encoded_state_release(s);
    return -1;
}

/* The batch as a record, without the hashes of all of it. */
static int describe(const struct encoded_state *s, const struct encoded_batch *b,
                    struct encoded_record *r, struct encoded_entry *entries, char **texts,
                    struct err *err) {
    *texts = malloc((size_t)b->n * sizeof b->errs->msg + 1);
    if (!*texts)
        return no_memory(s, err);
    for (int64_t i = 0; i < b->n; i++) {
        const struct encoded_sample *sample = &b->sample[i];
        const bool skipped = b->errs[i].kind != 0;
        const char *text = skipped                             ? b->errs[i].msg
                           : sample->seen.facts & IMAGE_FLAWED ? sample->seen.flaw
                                                               : "";

        entries[i] = (struct encoded_entry){.len = skipped ? -1 : sample->len,
                                            .facts = sample->seen.facts,
                                            .text_len = (uint16_t)strlen(text),
                                            .channels = (uint8_t)sample->channels,
                                            .made = (uint8_t)(sample->recoded + sample->converted)};
        memcpy(*texts + r->text_bytes, text, strlen(text));
        r->text_bytes += (int64_t)strlen(text);
        if (skipped)
            continue;
        entries[i].hash = content_hash_of(sample->bytes, (size_t)sample->len);
        r->bytes += sample->len;
        r->tally.n_pixels += sample->tally.n_pixels;
        for (int c = 0; c < 4; c++) {
            r->tally.sum[c] += sample->tally.sum[c];
            r->tally.squares[c] += sample->tally.squares[c];
        }
    }
    r->n = b->n;
    return 0;
}

/* The pictures' bytes, and their hash. */
static int write_bytes(struct encoded_state *s, const struct encoded_batch *b,
                       struct content_hash *hash, struct err *err) {
    struct encoded_part *part = &s->part[b->split];

    if (lseek(s->data - 1, part->place + part->bytes, SEEK_SET) < 0)
        return unwritable(s->data_path, err);
    for (int64_t i = 0; i < b->n; i++) {
        const struct encoded_sample *sample = &b->sample[i];

        if (b->errs[i].kind)
            continue;
        if (file_write(s->data - 1, sample->bytes, (size_t)sample->len))
            return unwritable(s->data_path, err);
        content_hash_add(hash, sample->bytes, (size_t)sample->len);
        content_hash_add(part->hash, sample->bytes, (size_t)sample->len);
    }
    return fdatasync(s->data - 1) ? unwritable(s->data_path, err) : 0;
}

int encoded_state_add(struct encoded_state *s, const struct encoded_batch *b, struct err *err) {
    struct encoded_entry *entries = calloc((size_t)b->n, sizeof *entries);
    struct content_hash *data = content_hash_new(), *source = content_hash_new();
    struct encoded_record record = {0};
    char *texts = NULL;
    int status = -1;

    if (!entries || !data || !source)
        no_memory(s, err);
    else if (!begin_split(s, b->split, err) && !describe(s, b, &record, entries, &texts, err) &&
             !write_bytes(s, b, data, err)) {
        record.data = content_hash_value(data);
        hash_source(s, b->split, b->n, &record.source, source);
        status = encoded_journal_add(s->journal - 1, &record, entries, texts)
                     ? unwritable(s->journal_path, err)
                     : take(s, b->split, &record, entries, texts, err);
    }
    content_hash_free(data);
    content_hash_free(source);
    free(entries);
    free(texts);
    return status;
}

void encoded_state_remove(struct encoded_state *s) {
    file_remove(s->journal_path);
    file_remove(s->data_path);
    file_remove(s->frame_path);
    s->empty = true;
}

void encoded_state_release(struct encoded_state *s) {
    if (s->empty)
        encoded_state_remove(s);
    if (s->journal)
        close(s->journal - 1);
    if (s->data)
        close(s->data - 1);
    lock_release(&s->lock);
    if (s->folder)
        rmdir(s->folder); /* where nothing is in it */
    for (int k = 0; s->part && k < s->source->n_splits; k++)
        content_hash_free(s->part[k].hash);
    for (int64_t i = 0; s->text && i < s->n; i++)
        free(s->text[i]);
    free(s->part);
    free(s->entry);
    free(s->text);
    free(s->folder);
    free(s->journal_path);
    free(s->data_path);
    free(s->frame_path);
    *s = (struct encoded_state){0};
}
