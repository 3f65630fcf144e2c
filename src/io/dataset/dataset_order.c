/* The order of an image's dimensions: channels last or first. */
#include "io/dataset/dataset_kind.h"

#include <stdlib.h>
#include <string.h>

static bool channel_count(int64_t n) {
    return n == 1 || n == 3 || n == 4;
}

static int read_order(struct dataset *ds, int i, const char *home, struct err *err) {
    struct column *c = &ds->column[i];
    char *order;
    int status = 0;

    if (h5_attr_text(ds->file, home, "layout", &order, err))
        return -1;
    c->channels_first = strcmp(order, "NCHW") == 0 || strcmp(order, "NCDHW") == 0;
    if (!c->channels_first && strcmp(order, "NHWC") != 0 && strcmp(order, "NDHWC") != 0)
        status = err_set(err, ERR_DATA,
                         "%s: attribute layout is '%.40s', expected NHWC or NCHW, of volumes NDHWC "
                         "or NCDHW",
                         ds->name, order);
    free(order);
    return status;
}

/* Which reading of [n, ...] is likelier: channels last (1), first (-1), or neither (0)? Those of an
 * image are 1, 3 or 4; where both ends are, height and width tend to agree. Where neither is,
 * channels are last as documented if they are fewest or height and width agree without them; [n,
 * 13, 64, 64] is left to its owner. */
static int likelier(const int64_t *dim, int rank) {
    const bool first = channel_count(dim[1]), last = channel_count(dim[rank - 1]);
    const bool square_last = rank == 4 && dim[1] == dim[2] && dim[2] != dim[3];
    const bool square_first = rank == 4 && dim[2] == dim[3] && dim[1] != dim[2];
    bool fewest = true;

    if (first != last)
        return last ? 1 : -1;
    if (first)
        return square_last - square_first;
    for (int k = 1; k < rank - 1; k++)
        fewest = fewest && dim[rank - 1] < dim[k];
    return fewest || square_last;
}

static int guess_order(struct dataset *ds, int i, const struct found *f, struct err *err) {
    const int rank = f->info->rank, side = likelier(f->info->dim, rank);
    const int64_t first = f->info->dim[1], last = f->info->dim[rank - 1];
    const char *const orders[] = {rank == 5 ? "NDHWC" : "NHWC", rank == 5 ? "NCDHW" : "NCHW"};
    char text[FOUND_TEXT];

    ds->column[i].channels_first = side < 0;
    /* As documented, and without another reading; or in a file that says so of itself. */
    if ((side > 0 && channel_count(last) && !channel_count(first)) || (side >= 0 && ds->declared))
        return 0;
    if (!side)
        return dataset_refuse(ds, f, err,
                              ": channels may be the first of these, %lld, or the last, %lld; say "
                              "which: f['%s'].attrs['layout'] = '%s' or '%s' (or kind = real of "
                              "what is no image)",
                              (long long)first, (long long)last, f->at->path, orders[1], orders[0]);
    return dataset_guess(ds, err,
                         "%s: %s is taken for %lld channels, the %s of its numbers (%s); if not, "
                         "f['%s'].attrs['layout'] = '%s'",
                         f->at->path, dataset_found_text(f, text),
                         (long long)(side < 0 ? first : last), side < 0 ? "first" : "last",
                         orders[side < 0], f->at->path, orders[side > 0]);
}

int dataset_order(struct dataset *ds, int i, const struct dataset_layout *at, const struct found *f,
                  bool guess, struct err *err) {
    const struct attr_homes homes = dataset_attr_homes(at, i, true);
    const char *home;

    if (dataset_attr(ds, &homes, "layout", &home, err))
        return -1;
    if (home)
        return read_order(ds, i, home, err);
    return guess && h5_row_len(f->info) > 1 ? guess_order(ds, i, f, err) : 0;
}
