/* Packed chunks without HDF5, which unpacks under its lock, and gzip in twice the time or more. */
#include "io/h5/h5_filter.h"
#include "io/h5/h5_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    CACHE_BYTES = 16 << 20,
    MOST_SLOTS = 16,
    LEAST_SLOTS = 2,
    OVERHEAD = 1 << 16, /* of a chunk that does not get smaller */
};

/* An unpacked chunk. */
struct packed_slot {
    int64_t number; /* among the chunks; -1: none */
    uint64_t used;  /* when */
    unsigned char *bytes;
};

struct h5_packed {
    struct h5_filters filters;
    int64_t chunk_bytes;
    pthread_mutex_t lock; /* of what follows */
    struct packed_slot slot[MOST_SLOTS];
    int n_slots;
    uint64_t clock;
};

bool h5_whole_rows(const struct h5_info *info) {
    for (int k = 1; k < info->rank; k++)
        if (info->chunk[k] != info->dim[k])
            return false;
    return info->chunked && info->rank >= 1;
}

int h5_packed_new(struct h5_packed **out, const struct h5_data *data, struct err *err) {
    const struct h5_info *info = &data->info;
    const int64_t bytes = h5_raw_row(data) * info->chunk[0];
    struct h5_packed *p;

    *out = NULL;
    if (data->file->fd < 0 || data->file->base || !info->n_filters || !h5_whole_rows(info))
        return 0;
    const struct h5_filters filters = h5_filters_of(data->id);
    if (filters.n < 0 || bytes < 1 || (!data->same && !info->variable))
        return 0;
    p = calloc(1, sizeof *p);
    if (!p)
        return err_set(err, ERR_IO, "%s:%s: out of memory", data->file->name, data->path);
    p->filters = filters;
    p->chunk_bytes = bytes;
    p->n_slots = bytes < CACHE_BYTES / MOST_SLOTS ? MOST_SLOTS : (int)(CACHE_BYTES / bytes);
    p->n_slots = p->n_slots < LEAST_SLOTS ? LEAST_SLOTS : p->n_slots;
    pthread_mutex_init(&p->lock, NULL);
    for (int k = 0; k < MOST_SLOTS; k++)
        p->slot[k].number = -1;
    *out = p;
    return 0;
}

void h5_packed_free(struct h5_packed *p) {
    if (!p)
        return;
    for (int k = 0; k < MOST_SLOTS; k++)
        free(p->slot[k].bytes);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* Copy bytes of a chunk that was unpacked before. Is it there still? */
static bool take(struct h5_packed *p, int64_t number, int64_t begin, int64_t n, void *out) {
    bool found = false;

    pthread_mutex_lock(&p->lock);
    for (int k = 0; k < p->n_slots && !found; k++)
        if (p->slot[k].number == number) {
            memcpy(out, p->slot[k].bytes + begin, (size_t)n);
            p->slot[k].used = ++p->clock;
            found = true;
        }
    pthread_mutex_unlock(&p->lock);
    return found;
}

/* Keep an unpacked chunk in the place of the one that was used longest ago. */
static void keep(struct h5_packed *p, int64_t number, unsigned char *bytes) {
    struct packed_slot *oldest = &p->slot[0];

    pthread_mutex_lock(&p->lock);
    for (int k = 1; k < p->n_slots; k++)
        if (p->slot[k].used < oldest->used)
            oldest = &p->slot[k];
    free(oldest->bytes);
    *oldest = (struct packed_slot){number, ++p->clock, bytes};
    pthread_mutex_unlock(&p->lock);
}

/* Where a chunk is in the file. */
struct packed_place {
    int64_t address, len;
    unsigned mask; /* filters that were left out */
};

/* 1: it was never written. */
static int find_chunk(const struct h5_data *data, int64_t number, struct packed_place *out,
                      struct err *err) {
    hsize_t begin[H5_MAX_RANK] = {(hsize_t)(number * data->info.chunk[0])}, len = 0;
    haddr_t address = HADDR_UNDEF;
    int status = 0;

    h5_lock();
    if (H5Dget_chunk_info_by_coord(data->id, begin, &out->mask, &address, &len) < 0)
        status = h5_fail(data->file, data->path, ERR_DATA, "its chunks cannot be found", err);
    h5_unlock();
    out->address = (int64_t)address;
    out->len = (int64_t)len;
    return status ? -1 : address == HADDR_UNDEF;
}

static int refuse(const struct h5_data *data, int64_t number, struct err *err) {
    return err_set(err, ERR_DATA, "%s:%s: the chunk of row %lld cannot be unpacked; it is damaged",
                   data->file->name, data->path, (long long)(number * data->info.chunk[0]));
}

/* Unpack a chunk to out[chunk_bytes]. 1: it was never written. */
static int unpack(const struct h5_data *data, int64_t number, unsigned char *out, struct err *err) {
    const struct h5_packed *p = data->packed;
    struct packed_place place;
    const int found = find_chunk(data, number, &place, err);

    if (found)
        return found;
    if (place.len < 1 || place.len > p->chunk_bytes + p->chunk_bytes / 8 + OVERHEAD)
        return refuse(data, number, err);
    unsigned char *room = malloc((size_t)(place.len + p->chunk_bytes));
    if (!room)
        return err_set(err, ERR_IO, "%s:%s: no memory to unpack it", data->file->name, data->path);
    int status = h5_pread(data, place.address, place.len, room, err);
    if (!status && h5_unfilter(&p->filters, place.mask, room, (size_t)place.len, out,
                               (size_t)p->chunk_bytes, room + place.len))
        status = refuse(data, number, err);
    free(room);
    return status;
}

/* Bytes begin .. begin + n - 1 of a chunk. */
static int read_chunk(const struct h5_data *data, int64_t number, int64_t begin, int64_t n,
                      void *out, struct err *err) {
    struct h5_packed *p = data->packed;

    if (take(p, number, begin, n, out))
        return 0;
    unsigned char *bytes = malloc((size_t)p->chunk_bytes);
    if (!bytes)
        return err_set(err, ERR_IO, "%s:%s: no memory to unpack it", data->file->name, data->path);
    const int status = unpack(data, number, bytes, err);
    if (status) {
        free(bytes);
        return status;
    }
    memcpy(out, bytes + begin, (size_t)n);
    keep(p, number, bytes);
    return 0;
}

int h5_packed_read(const struct h5_data *data, int64_t first, int64_t n, void *out,
                   struct err *err) {
    const int64_t chunk = data->packed->chunk_bytes;
    unsigned char *to = out;

    while (n) {
        const int64_t into = first % chunk, left = chunk - into, some = n < left ? n : left;
        const int status = read_chunk(data, first / chunk, into, some, to, err);

        if (status)
            return status;
        first += some;
        to += some;
        n -= some;
    }
    return 0;
}
