/* h5_filter.h - packed chunks: gzip (by libdeflate where the program was built with it), lzf and,
 * where built with its library, zstd, each behind shuffle or alone. */
#pragma once
#include "io/h5/h5_private.h"

/* Have HDF5 unpack lzf and zstd, too. With the lock held, once. */
void h5_filters_register(void);

enum { H5_MOST_FILTERS = 4 };

/* How the chunks of a dataset are packed. */
struct h5_filters {
    H5Z_filter_t id[H5_MOST_FILTERS]; /* in the order of packing */
    unsigned bytes[H5_MOST_FILTERS];  /* shuffle: of a number */
    int n;                            /* -1: by others than these */
};

/* Those of a dataset. With the lock held. */
struct h5_filters h5_filters_of(hid_t data);

/* stored[len], a chunk as it is in the file, to out[n].
 *   mask   bits of filters that were left out for this chunk
 *   spare  [n] is overwritten
 * May be called by any thread without the lock. Returns -1 where it is damaged. */
int h5_unfilter(const struct h5_filters *filters, unsigned mask, const unsigned char *stored,
                size_t len, unsigned char *out, size_t n, unsigned char *spare);

/* How many times fewer bytes than it unpacks to the filter may store; 1: it does not pack. */
int64_t h5_filter_ratio(H5Z_filter_t id);
