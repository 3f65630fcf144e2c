/* Of P ranks, rank r owns piece r. Pieces are cut into chunks; message m of each kind is of chunk
 * m / (P-1), the row, and goes to the rank m % (P-1) + 1 places to the right, or comes from so many
 * to the left: ranks begin with different ones. Two rows of each kind are under way at a time. A
 * row of pieces that is complete is summed in order of rank, and its slots are free again. */
#include "dist/allreduce/wire_sum.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 2, GIVE_TAG = 0, TELL_TAG = 1, N_TAGS = 2 };

static int64_t n_others(const struct wire_sum *s) {
    return comm_size(s->comm) - 1;
}

static int64_t window_of(const struct wire_sum *s) {
    return ROWS * n_others(s);
}

/* The rank that message m goes to, and the one that it comes from. */
static int to_of(const struct wire_sum *s, int64_t m) {
    return (int)((comm_rank(s->comm) + 1 + m % n_others(s)) % comm_size(s->comm));
}

static int from_of(const struct wire_sum *s, int64_t m) {
    return (int)((comm_rank(s->comm) + n_others(s) - m % n_others(s)) % comm_size(s->comm));
}

/* Where a chunk of a rank's piece begins and how long it is. */
struct wire_range {
    int64_t begin, len;
};

static struct wire_range range_of(const struct wire_sum *s, int owner, int64_t row) {
    const int64_t first = s->len * owner / comm_size(s->comm);
    const int64_t end = s->len * (owner + 1) / comm_size(s->comm);
    const int64_t begin = first + row * s->chunk < end ? first + row * s->chunk : end;

    return (struct wire_range){begin, end - begin < s->chunk ? end - begin : s->chunk};
}

static void *slot_of(const struct wire_sum *s, const struct wire_stream *stream, int64_t m) {
    return stream->slot + (size_t)(m % window_of(s)) * s->slot_bytes;
}

static struct comm_request *request_of(const struct wire_sum *s, const struct wire_stream *stream,
                                       int64_t m) {
    return &stream->request[m % window_of(s)];
}

static bool may_post(const struct wire_sum *s, const struct wire_stream *stream, int64_t freed) {
    return stream->posted < s->n_messages && stream->posted - freed < window_of(s);
}

/* Post what there is room for; the packed numbers of `give` are made here. */
static void post_receives(struct wire_sum *s, struct wire_stream *stream, int64_t freed, int tag) {
    while (may_post(s, stream, freed)) {
        const int64_t m = stream->posted++;
        const int from = from_of(s, m), owner = tag == GIVE_TAG ? comm_rank(s->comm) : from;
        const struct wire_range range = range_of(s, owner, m / n_others(s));
        comm_irecv(s->comm, slot_of(s, stream, m), s->format->bytes(s->args, range.len), from,
                   s->tag + tag, request_of(s, stream, m));
    }
}

static void post_pieces(struct wire_sum *s) {
    while (may_post(s, &s->give, s->give.done)) {
        const int64_t m = s->give.posted++;
        const int to = to_of(s, m);
        const struct wire_range range = range_of(s, to, m / n_others(s));
        void *packed = slot_of(s, &s->give, m);
        s->format->pack(s->args, s->v + range.begin, s->sent_lost + range.begin, range.len, packed);
        comm_isend(s->comm, packed, s->format->bytes(s->args, range.len), to, s->tag + GIVE_TAG,
                   request_of(s, &s->give, m));
    }
}

/* The packed sum of a row of this rank's piece. */
static char *row_of(const struct wire_sum *s, int64_t row) {
    return s->tell.slot + (size_t)(row % ROWS) * s->slot_bytes;
}

static void post_sums(struct wire_sum *s) {
    while (s->tell.posted < s->n_summed * n_others(s) && may_post(s, &s->tell, s->tell.done)) {
        const int64_t m = s->tell.posted++, row = m / n_others(s);
        const struct wire_range range = range_of(s, comm_rank(s->comm), row);
        comm_isend(s->comm, row_of(s, row), s->format->bytes(s->args, range.len), to_of(s, m),
                   s->tag + TELL_TAG, request_of(s, &s->tell, m));
    }
}

/* Add up a row of this rank's piece, which all others have sent, and pack the sum. */
static void sum_row(struct wire_sum *s, int64_t row) {
    const int size = comm_size(s->comm), rank = comm_rank(s->comm);
    const struct wire_range range = range_of(s, rank, row);
    real *own = s->v + range.begin, *sum = s->unpacked + s->chunk;

    for (int r = 0; r < size; r++) {
        const int64_t m = row * n_others(s) + (rank - r + size) % size - 1;
        real *more = own;
        if (r != rank) {
            more = r ? s->unpacked : sum;
            s->format->unpack(s->args, slot_of(s, &s->take, m), range.len, more);
        }
        if (r == 0 && more != sum)
            memcpy(sum, more, (size_t)range.len * sizeof(real));
        for (int64_t i = 0; r > 0 && i < range.len; i++)
            sum[i] += more[i];
    }
    s->format->pack(s->args, sum, s->sum_lost + row * s->chunk, range.len, row_of(s, row));
    s->format->unpack(s->args, row_of(s, row), range.len, own);
}

/* Sum the next row if it is there, and the packed one that stands in its place has left. */
static bool sum_next(struct wire_sum *s) {
    const int64_t row = s->n_summed, n = n_others(s);

    if (row == s->n_chunks || s->take.done < (row + 1) * n || s->tell.done < (row + 1 - ROWS) * n)
        return false;
    sum_row(s, row);
    s->n_summed++;
    return true;
}

/* Has the oldest message of its kind left, or arrived? */
static bool settle(const struct wire_sum *s, struct wire_stream *stream) {
    if (stream->done == stream->posted || !comm_test(s->comm, request_of(s, stream, stream->done)))
        return false;
    stream->done++;
    return true;
}

static bool hear(struct wire_sum *s) {
    const int64_t m = s->hear.done;

    if (!settle(s, &s->hear))
        return false;
    const struct wire_range range = range_of(s, from_of(s, m), m / n_others(s));
    s->format->unpack(s->args, slot_of(s, &s->hear, m), range.len, s->v + range.begin);
    return true;
}

bool wire_sum_progress(struct wire_sum *s) {
    bool moved = true;

    while (moved) {
        post_receives(s, &s->take, s->n_summed * n_others(s), GIVE_TAG);
        post_receives(s, &s->hear, s->hear.done, TELL_TAG);
        post_pieces(s);
        post_sums(s);
        moved = settle(s, &s->give);
        moved = settle(s, &s->take) || moved;
        moved = settle(s, &s->tell) || moved;
        moved = hear(s) || moved;
        moved = sum_next(s) || moved;
    }
    return s->give.done == s->n_messages && s->tell.done == s->n_messages &&
           s->hear.done == s->n_messages && s->n_summed == s->n_chunks;
}

void wire_sum_start(struct wire_sum *s) {
    struct wire_stream *streams[] = {&s->give, &s->take, &s->tell, &s->hear};

    for (int i = 0; i < 4; i++)
        streams[i]->posted = streams[i]->done = 0;
    s->n_summed = 0;
    wire_sum_progress(s);
}

static int64_t longest_piece(const struct comm *comm, int64_t len) {
    return (len + comm_size(comm) - 1) / comm_size(comm);
}

void wire_sum_forget(struct wire_sum *s) {
    if (!s->sent_lost)
        return;
    memset(s->sent_lost, 0, (size_t)s->len * sizeof(real));
    memset(s->sum_lost, 0, (size_t)longest_piece(s->comm, s->len) * sizeof(real));
}

static int allocate_stream(const struct wire_sum *s, struct wire_stream *stream, int64_t slots) {
    stream->request = calloc((size_t)window_of(s) + 1, sizeof *stream->request);
    stream->slot = malloc((size_t)slots * s->slot_bytes + 1);
    return stream->request && stream->slot ? 0 : -1;
}

int wire_sum_init(struct wire_sum *s, const struct applied *wire, int64_t chunk_bytes,
                  struct comm *comm, real *v, int64_t len, struct err *err) {
    const int64_t size = comm_size(comm), chunk = chunk_bytes / (int64_t)sizeof(real);
    const int64_t longest = longest_piece(comm, len);

    *s = (struct wire_sum){.comm = comm,
                           .format = wire_format(wire),
                           .args = wire->args,
                           .v = v,
                           .len = len,
                           .chunk = longest < chunk ? longest : chunk};
    if (comm_take_tags(comm, N_TAGS, &s->tag, err))
        return -1;
    if (size == 1 || len == 0)
        return 0;
    s->n_chunks = (longest + s->chunk - 1) / s->chunk;
    s->n_messages = s->n_chunks * n_others(s);
    s->slot_bytes = (s->format->bytes(s->args, s->chunk) + 63) / 64 * 64;
    s->sent_lost = calloc((size_t)len, sizeof(real));
    s->sum_lost = calloc((size_t)longest, sizeof(real));
    s->unpacked = calloc(2 * (size_t)s->chunk, sizeof(real));
    const int rc = allocate_stream(s, &s->give, window_of(s)) |
                   allocate_stream(s, &s->take, window_of(s)) |
                   allocate_stream(s, &s->hear, window_of(s)) | allocate_stream(s, &s->tell, ROWS);
    if (rc || !s->sent_lost || !s->sum_lost || !s->unpacked)
        return err_set(err, ERR_IO, "out of memory: a packed sum of %lld numbers over ranks",
                       (long long)len);
    return 0;
}

void wire_sum_release(struct wire_sum *s) {
    struct wire_stream *streams[] = {&s->give, &s->take, &s->tell, &s->hear};

    for (int i = 0; i < 4; i++) {
        free(streams[i]->request);
        free(streams[i]->slot);
    }
    free(s->sent_lost);
    free(s->sum_lost);
    free(s->unpacked);
    *s = (struct wire_sum){0};
}
