#include "train/host_data.h"
#include "dist/agree.h"
#include "io/dataset/dataset_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What rank 0 has the others do. */
struct order {
    enum { TAKE, READY } what;
    bool failed;    /* READY: without a dataset */
    uint64_t bytes; /* to take; of the index */
};

/* What travels from rank 0 to all. */
struct index {
    void *bytes; /* on rank 0 */
    size_t len;
};

void host_data_init(struct host_data *h, struct comm *comm, int64_t cache_bytes,
                    const struct sinks *sinks) {
    *h = (struct host_data){.comm = comm,
                            .cache_bytes = cache_bytes,
                            .sinks = sinks,
                            .memory = {.comm = comm, .sinks = sinks}};
}

/* --- rank 0 --- */

static void *lead_take(void *context, size_t bytes, bool *filled, struct err *err) {
    struct host_data *h = context;
    struct order order = {TAKE, false, bytes};

    comm_bcast(h->comm, &order, sizeof order, 0);
    h->agreed = true;
    if (host_memory_take(&h->memory, bytes, err))
        return NULL;
    h->agreed = false;
    return host_memory_next(&h->memory, bytes, filled, err);
}

static int lead(struct host_data *h, const char *spec, struct dataset **out, struct index *index,
                struct err *err) {
    const bool alone = comm_size(h->comm) == 1;
    const struct dataset_memory memory = {.bytes = h->cache_bytes,
                                          .take = lead_take,
                                          .context = h,
                                          .indexed = !alone,
                                          .files = &h->files};
    int rc = dataset_open_in(out, spec, &memory, err);

    if (!rc && !alone)
        rc = dataset_index_save(*out, &index->bytes, &index->len, err);
    struct order order = {READY, rc != 0, index->len};
    comm_bcast(h->comm, &order, sizeof order, 0);
    return rc;
}

/* --- the others --- */

static int follow(struct host_data *h, struct index *index, struct err *err) {
    struct order order;

    for (comm_bcast(h->comm, &order, sizeof order, 0); order.what == TAKE;
         comm_bcast(h->comm, &order, sizeof order, 0))
        h->agreed = host_memory_take(&h->memory, order.bytes, err) != 0;
    if (order.failed)
        return -1;
    index->len = order.bytes;
    return 0;
}

static void *next_taken(void *context, size_t bytes, bool *filled, struct err *err) {
    struct host_data *h = context;

    return host_memory_next(&h->memory, bytes, filled, err);
}

/* Of a file that is another, whoever compares the ranks' data will say how. Where a host's memory
 * was to be read from such a one, none of its ranks may use that. */
static int open_other(struct host_data *h, const char *spec, enum dataset_alike alike,
                      struct dataset **out, struct err *err) {
    bool unlike = alike == DATASET_UNLIKE;
    const int64_t most =
        h->cache_bytes < DATASET_CACHE_BYTES ? h->cache_bytes : DATASET_CACHE_BYTES;
    const struct dataset_memory memory = {.bytes = most, .files = &h->files};

    if (h->memory.host)
        comm_bcast(h->memory.host, &unlike, sizeof unlike, 0);
    if (!unlike && alike == DATASET_ALIKE)
        return 0;
    dataset_close(*out);
    *out = NULL;
    return dataset_open_in(out, spec, &memory, err);
}

/* Give every host the index of rank 0, and open it there. Collective. */
static int share(struct host_data *h, const char *spec, const struct index *index,
                 struct dataset **out, struct err *err) {
    const struct dataset_memory memory = {.take = next_taken, .context = h, .files = &h->files};
    enum dataset_alike alike = DATASET_ALIKE;
    int rc = 0;

    if (host_memory_take(&h->memory, index->len, err))
        return -1;
    void *bytes = host_memory_last(&h->memory);
    if (index->bytes)
        memcpy(bytes, index->bytes, index->len);
    host_memory_bcast(&h->memory, index->len);
    if (comm_rank(h->comm))
        rc = dataset_index_open(out, bytes, index->len, &memory, &alike, err);
    host_memory_skip(&h->memory);
    if (agree(h->comm, rc, err))
        return -1;
    return agree(h->comm, open_other(h, spec, alike, out, err), err);
}

/* --- all --- */

void host_data_tell(const struct host_data *h, const struct dataset *ds) {
    const double kept = (double)dataset_kept_bytes(ds), unkept = (double)dataset_unkept_bytes(ds);
    const double mib = 1 << 20;
    const int ranks = comm_local_size(h->comm);
    char whose[64] = "";

    if (ranks > 1)
        snprintf(whose, sizeof whose,
                 h->shared ? ", once for the %d ranks of a host"
                           : ", by each of the %d ranks of a host",
                 ranks);
    if (kept > 0)
        sinks_note(h->sinks, "%s: %.3g MiB are kept in memory%s", dataset_name(ds), kept / mib,
                   whose);
    if (unkept > 0)
        sinks_note(h->sinks, "%s: %.3g MiB are read from the file batch by batch", dataset_name(ds),
                   unkept / mib);
}

int host_data_open(struct host_data *h, const char *spec, struct dataset **out, struct err *err) {
    const struct host_piece *before = h->memory.last;
    const int rank = comm_rank(h->comm);
    struct index index = {0};

    *out = NULL;
    h->agreed = false;
    int rc = rank ? follow(h, &index, err) : lead(h, spec, out, &index, err);
    h->shared = host_memory_shared(&h->memory, before);
    if (h->agreed) /* rank 0 has added whose memory it was */
        comm_bcast(h->comm, err, sizeof *err, 0);
    else
        rc = agree(h->comm, rank ? 0 : rc, err);
    if (!rc && comm_size(h->comm) > 1)
        rc = share(h, spec, &index, out, err);
    free(index.bytes);
    if (rc) {
        dataset_close(*out);
        *out = NULL;
        return -1;
    }
    return 0;
}

static void *take_alone(void *context, size_t bytes, bool *filled, struct err *err) {
    struct host_data *h = context;

    if (host_memory_take_alone(&h->memory, bytes, err))
        return NULL;
    return host_memory_next(&h->memory, bytes, filled, err);
}

int host_data_open_alone(struct host_data *h, const char *spec, struct dataset **out,
                         struct err *err) {
    const struct dataset_memory memory = {
        .bytes = h->cache_bytes, .take = take_alone, .context = h, .files = &h->files};

    return dataset_open_in(out, spec, &memory, err);
}

void host_data_opened(struct host_data *h) {
    h5_files_release(&h->files);
}

void host_data_release(struct host_data *h) {
    h5_files_release(&h->files);
    host_memory_release(&h->memory);
    *h = (struct host_data){0};
}
