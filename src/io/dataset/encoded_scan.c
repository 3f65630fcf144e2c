#include "io/dataset/encoded_scan.h"

#include "core/base/parallel.h"
#include "io/dataset/dataset_private.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    BATCH_ROWS = 4096,
    BATCH_BYTES = 64 << 20, /* or so many, whatever is less */
};

struct encoded_pass {
    struct dataset *ds;
    int field;
    const int64_t *rows; /* NULL: as they come */
    const struct encoded_listener *listener;
    struct team *team;
    struct dataset_buffer buffer;
    /* of the batch */
    int64_t row[BATCH_ROWS];
    struct dataset_blob blob[BATCH_ROWS];
    enum err_kind failed[BATCH_ROWS]; /* 0: it is decoded */
};

int64_t encoded_len(const struct dataset *ds, int i, int64_t row) {
    const struct dataset_part *p = ds->n_parts ? dataset_part_of(ds, i, row) : NULL;
    const struct column *c = p ? &p->ds->column[p->field[i]] : &ds->column[i];
    const int64_t there = row - (p ? p->begin[i] : 0);

    return c->offset[there + 1] - c->offset[there];
}

static int decode(const struct encoded_pass *s, int64_t k, const char *name, struct image *image,
                  struct err *err) {
    const bool grey = dataset_field(s->ds, s->field)->sample.dim[2] == 1;

    if (!s->blob[k].len)
        return err_set(err, ERR_DATA, "%s: is empty, expected an image", name);
    return image_decode(s->blob[k].bytes, s->blob[k].len, name, grey ? IMAGE_GREY : IMAGE_COLOUR,
                        image, err);
}

static void decode_some(void *context, int slot, int64_t begin, int64_t end) {
    struct encoded_pass *s = context;

    for (int64_t k = begin; k < end; k++) {
        struct err problem = {0};
        struct image image = {0};

        (void)decode(s, k, "", &image, &problem);
        s->failed[k] = problem.kind;
        if (!problem.kind && s->listener->picture)
            s->listener->picture(s->listener->context, slot,
                                 &(struct encoded_picture){s->row[k], s->blob[k], &image});
        image_release(&image);
    }
}

/* Once more, by name; a lack of memory may be over by then. */
static int tell_broken(struct encoded_pass *s, int64_t k, struct err *err) {
    char name[DATASET_ROW_TEXT];
    struct err problem = {0};
    struct image image = {0};

    (void)decode(s, k, dataset_row_text(s->ds, s->field, s->row[k], name), &image, &problem);
    image_release(&image);
    if (problem.kind != ERR_DATA) {
        *err = problem;
        return problem.kind ? -1 : err_set(err, ERR_IO, "%s: out of memory", name);
    }
    if (s->listener->broken)
        s->listener->broken(s->listener->context, s->row[k], &problem);
    return 0;
}

/* How many of those from `first` on are a batch. */
static int64_t plan_batch(struct encoded_pass *s, int64_t first, int64_t n) {
    int64_t bytes = 0, k = 0;

    for (; k < BATCH_ROWS && first + k < n && bytes < BATCH_BYTES; k++) {
        s->row[k] = s->rows ? s->rows[first + k] : first + k;
        bytes += encoded_len(s->ds, s->field, s->row[k]);
    }
    return k;
}

static int scan_batch(struct encoded_pass *s, int64_t n, struct err *err) {
    const struct encoded_listener *l = s->listener;
    int status = dataset_read_encoded(s->ds, s->field, s->row, n, s->blob, &s->buffer, err);

    for (int64_t k = 0; k < n && !status && l->stored; k++)
        l->stored(l->context, &s->blob[k]);
    if (!status)
        team_run_slots(s->team, n, SCAN_MOST_SLOTS, decode_some, s);
    for (int64_t k = 0; k < n && !status; k++)
        if (s->failed[k])
            status = tell_broken(s, k, err);
    if (!status && l->progress)
        l->progress(l->context, n);
    return status;
}

static int n_processors(void) {
    const long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > SCAN_MOST_SLOTS ? SCAN_MOST_SLOTS : (int)n;
}

int encoded_scan(struct dataset *ds, int i, const int64_t *rows, int64_t n,
                 const struct encoded_listener *listener, struct err *err) {
    struct encoded_pass *s = calloc(1, sizeof *s);
    int status;

    if (!s)
        return dataset_no_memory(ds, err);
    s->ds = ds;
    s->field = i;
    s->rows = rows;
    s->listener = listener;
    status = team_new(&s->team, n_processors(), err);
    for (int64_t first = 0, some; first < n && !status; first += some) {
        some = plan_batch(s, first, n);
        status = scan_batch(s, some, err);
    }
    team_free(s->team);
    dataset_buffer_release(&s->buffer);
    free(s);
    return status;
}
