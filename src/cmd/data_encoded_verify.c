/* All encoded pictures of a field, decoded once before a run does. */
#include "cmd/data_encoded.h"
#include "cmd/data_pace.h"
#include "core/base/clock.h"
#include "io/dataset/content_hash.h"
#include "io/dataset/dataset_verify.h"
#include "io/dataset/encoded_scan.h"
#include "io/dataset/verify_rows.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { PATH_TEXT = 512 };

struct verifying {
    struct content_hash *hash;
    struct verify_rows rows;
    int64_t n_stored;
    int (*find)(void *context, const struct err *problem, struct err *err);
    void *context;
    struct import_pace pace;
    double begun;
    atomic_llong n_flawed; /* with all pixels, but against a rule of their format */
    int64_t n_broken;
    struct err ended; /* by find */
};

static void take_picture(void *context, int slot, const struct encoded_picture *p) {
    struct verifying *v = context;

    (void)slot;
    if (p->image->facts & IMAGE_FLAWED)
        atomic_fetch_add(&v->n_flawed, 1);
}

static void take_stored(void *context, const struct dataset_blob *blob) {
    struct verifying *v = context;

    content_hash_add(v->hash, blob->bytes, blob->len);
    verify_rows_add_one(&v->rows, v->n_stored++, blob->bytes, blob->len);
    v->pace.bytes += (int64_t)blob->len;
}

static void take_broken(void *context, int64_t row, const struct err *problem) {
    struct verifying *v = context;

    (void)row;
    v->n_broken++;
    if (!v->ended.kind)
        (void)v->find(v->context, problem, &v->ended);
}

static void show(void *context, int64_t rows) {
    struct verifying *v = context;

    v->pace.done += rows;
    v->pace.seconds = clock_now() - v->begun;
    data_show_pace(NULL, &v->pace);
}

/* A field's own content_hash, and that of its offsets. 1, 0: there is none; -1 with err. */
static int compare_hashes(struct h5 *file, const char *path, struct verifying *v, struct err *err) {
    char offsets[PATH_TEXT];

    if (verify_rows_end(&v->rows, file, path, err) < 0)
        return -1;
    const int same = verify_hash_found(file, path, content_hash_value(v->hash), err);

    snprintf(offsets, sizeof offsets, "%.480s_offsets", path);
    if (same < 0)
        return -1;
    const int there = h5_is_data(file, offsets, err);
    return there < 0 || (there && verify_hash(file, offsets, NULL, err) < 0) ? -1 : same;
}

static void print_result(const struct dataset_field *f, const struct verifying *v, int same) {
    const long long n_flawed = atomic_load(&v->n_flawed);

    printf("  %s: %" PRId64 " pictures decoded", f->name, f->rows - v->n_broken);
    if (v->n_broken)
        printf(", %" PRId64 " broken", v->n_broken);
    if (n_flawed)
        printf(", %lld against a rule of their format but whole", n_flawed);
    printf("%s\n", same > 0   ? ", as they were written"
                   : same < 0 ? ""
                              : "; there are no hashes to compare them with");
}

int data_encoded_verify(struct h5 *file, struct dataset *ds, int i,
                        int (*find)(void *context, const struct err *problem, struct err *err),
                        void *context, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, i);
    struct verifying v = {.hash = content_hash_new(),
                          .find = find,
                          .context = context,
                          .pace.total = f->rows,
                          .begun = clock_now()};
    const struct encoded_listener listener = {.picture = take_picture,
                                              .stored = take_stored,
                                              .broken = take_broken,
                                              .progress = show,
                                              .context = &v};
    struct err problem = {0};

    if (!v.hash)
        return err_set(err, ERR_IO, "%s: out of memory", dataset_name(ds));
    int status = verify_rows_init(&v.rows, file, dataset_field_path(ds, i), f->rows, 0, &problem) ||
                 encoded_scan(ds, i, NULL, f->rows, &listener, &problem);
    if (status)
        status = find(context, &problem, err);
    else if (v.ended.kind) {
        *err = v.ended;
        status = -1;
    } else {
        const int same = compare_hashes(file, dataset_field_path(ds, i), &v, &problem);
        status = same < 0 ? find(context, &problem, err) : 0;
        if (!status)
            print_result(f, &v, same);
    }
    verify_rows_release(&v.rows);
    content_hash_free(v.hash);
    return status;
}
