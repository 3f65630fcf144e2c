/* What a loader holds in memory. */
#include "io/loader/loader_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of n items each of len numbers; 0 when that is more than memory can be. */
static size_t bytes_of(int64_t n, int64_t len, size_t item) {
    const int64_t most = INT64_MAX / 256 / (int64_t)item; /* a handful of these are added */

    if (len > 0 && n > most / len)
        return 0;
    return arena_round((size_t)(n * len) * item);
}

static int64_t sample_len(const struct loader_field *f) {
    return f->sample.rank ? shape_len(&f->sample) : 1;
}

static bool encoded(const struct loader *l, int field) {
    return field < l->prepare.n_fields && dataset_field(l->dataset, field)->kind == DATASET_ENCODED;
}

/* How the block is cut. */
struct loader_sizes {
    size_t rows, visits;
    size_t raw[LOADER_MAX_FIELDS], blob[LOADER_MAX_FIELDS], out[LOADER_MAX_FIELDS];
    size_t floats, opened; /* of one worker */
    size_t all;
    bool fit;
};

/* Memories that several threads write to lie apart. */
static struct loader_sizes sizes_of(const struct loader *l) {
    const int64_t n = l->max_batch;
    struct loader_sizes s = {.rows = bytes_of(n, 1, sizeof *l->rows),
                             .visits = bytes_of(n, 1, sizeof(int32_t)),
                             .floats = bytes_of(1, l->prepare.scratch_len, sizeof(float)),
                             .opened = bytes_of(1, l->prepare.opened_bytes, 1)};
    size_t slot = s.rows + s.visits;

    s.fit = s.rows && s.visits && (s.floats || !l->prepare.scratch_len) &&
            (s.opened || !l->prepare.opened_bytes);
    for (int i = 0; i < l->n_fields; i++) {
        const int64_t raw = i < l->prepare.n_fields ? l->prepare.field[i].raw_bytes : 0;

        s.raw[i] = bytes_of(n, raw, 1);
        s.blob[i] = encoded(l, i) ? bytes_of(n, 1, sizeof(struct dataset_blob)) : 0;
        s.out[i] = bytes_of(n, sample_len(&l->field[i]), sizeof(float));
        s.fit = s.fit && (s.raw[i] || !raw) && s.out[i];
        slot += s.raw[i] + s.blob[i] + s.out[i];
    }
    s.floats = arena_apart(s.floats);
    s.opened = arena_apart(s.opened);
    s.all = s.rows + LOADER_BATCHES * slot + (size_t)l->n_workers * (s.floats + s.opened);
    return s;
}

static void take_slot(struct loader *l, const struct loader_sizes *s, struct loader_slot *slot) {
    slot->samples = arena_take(&l->arena, s->rows);
    slot->visits = arena_take(&l->arena, s->visits);
    for (int i = 0; i < l->n_fields; i++) {
        slot->raw[i] = arena_take(&l->arena, s->raw[i]);
        slot->blob[i] = arena_take(&l->arena, s->blob[i]);
        slot->out[i] = arena_take(&l->arena, s->out[i]);
    }
}

int loader_allocate(struct loader *l, struct err *err) {
    const struct loader_sizes s = sizes_of(l);

    if (l->max_batch && !s.fit)
        return err_set(err, ERR_IO, "not enough memory for batches of %" PRId64, l->max_batch);
    l->worker = calloc((size_t)l->n_workers, sizeof *l->worker);
    if (!l->worker)
        return err_set(err, ERR_IO, "not enough memory for %d workers", l->n_workers);
    if (arena_init(&l->arena, s.all, err))
        return -1;
    l->rows = arena_take(&l->arena, s.rows);
    for (int i = 0; i < LOADER_BATCHES; i++)
        take_slot(l, &s, &l->slot[i]);
    for (int i = 0; i < l->n_workers; i++) {
        l->worker[i].loader = l;
        l->worker[i].scratch.floats = arena_take(&l->arena, s.floats);
        l->worker[i].scratch.opened = arena_take(&l->arena, s.opened);
    }
    return 0;
}

void loader_release(struct loader *l) {
    for (int i = 0; i < LOADER_BATCHES; i++)
        for (int k = 0; k < LOADER_MAX_FIELDS; k++)
            dataset_buffer_release(&l->slot[i].buffer[k]);
    for (int i = 0; l->worker && i < l->n_workers; i++)
        image_room_release(&l->worker[i].scratch.room);
    free(l->worker);
    arena_release(&l->arena);
    free(l);
}

int64_t loader_bytes(struct loader *loader) {
    size_t bytes = loader->arena.size;

    pthread_mutex_lock(&loader->lock);
    for (int i = 0; i < LOADER_BATCHES; i++)
        bytes += loader->slot[i].encoded_bytes;
    for (int i = 0; i < loader->n_workers; i++)
        bytes += loader->worker[i].room_bytes;
    pthread_mutex_unlock(&loader->lock);
    return (int64_t)bytes;
}

struct prepare_batch loader_batch_of(const struct loader *l, struct loader_slot *s) {
    struct prepare_batch b = {
        .samples = s->samples, .visits = s->visits, .n = s->n, .epoch = s->epoch, .rows = l->rows};

    memcpy(b.raw, s->raw, sizeof b.raw);
    memcpy(b.blob, s->blob, sizeof b.blob);
    memcpy(b.out, s->out, sizeof b.out);
    for (int i = 0; i < l->prepare.n_fields; i++)
        b.buffer[i] = &s->buffer[i];
    return b;
}
