#include "io/h5/h5_filter.h"

#include <stdlib.h>
#include <string.h>
#ifdef DLTRAIN_LIBDEFLATE
#include <libdeflate.h>
#else
#include <zlib.h>
#endif
#ifdef DLTRAIN_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
#endif

enum {
    LZF = 32000, /* as registered with the HDF Group */
    ZSTD = 32015,
    LEAST_ROOM = 1 << 16,
    GZIP_RATIO = 1100,    /* at most 1032 to 1 */
    LZF_RATIO = 128,      /* 264 bytes in 3 */
    ZSTD_RATIO = 1 << 16, /* a block of 128 KiB in 4 bytes */
};

#define MOST_ROOM ((size_t)UINT32_MAX) /* of a chunk */

enum unpacked { UNPACKED, TOO_LONG, DAMAGED };

/* in[n] to out[room], *len of it. */
typedef enum unpacked unpack_function(const unsigned char *in, size_t n, unsigned char *out,
                                      size_t room, size_t *len);

/* Source: Marc Lehmann's description of the format: a byte below 32 is followed by so many bytes
 * and one; others are a length in 3 bits, and in a byte more where all are set, and how far back
 * in 13. */
static enum unpacked unpack_lzf(const unsigned char *in, size_t n, unsigned char *out, size_t room,
                                size_t *len) {
    size_t at = 0, to = 0;

    while (at < n) {
        const size_t control = in[at++];

        if (control < 32) {
            if (control + 1 > n - at)
                return DAMAGED;
            if (control + 1 > room - to)
                return TOO_LONG;
            memcpy(out + to, in + at, control + 1);
            at += control + 1;
            to += control + 1;
            continue;
        }
        size_t run = control >> 5;
        if (run == 7 && at < n)
            run += in[at++];
        if (at >= n)
            return DAMAGED;
        const size_t back = ((control & 31) << 8 | in[at++]) + 1;
        if (back > to)
            return DAMAGED;
        if (run + 2 > room - to)
            return TOO_LONG;
        for (size_t end = to + run + 2; to < end; to++) /* may overlap */
            out[to] = out[to - back];
    }
    *len = to;
    return UNPACKED;
}

static enum unpacked unpack_gzip(const unsigned char *in, size_t n, unsigned char *out, size_t room,
                                 size_t *len) {
#ifdef DLTRAIN_LIBDEFLATE
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    const enum libdeflate_result result =
        d ? libdeflate_zlib_decompress(d, in, n, out, room, len) : LIBDEFLATE_BAD_DATA;

    libdeflate_free_decompressor(d);
    return result == LIBDEFLATE_SUCCESS              ? UNPACKED
           : result == LIBDEFLATE_INSUFFICIENT_SPACE ? TOO_LONG
                                                     : DAMAGED;
#else
    uLongf got = (uLongf)room;
    const int result = uncompress(out, &got, in, (uLong)n);

    *len = got;
    return result == Z_OK ? UNPACKED : result == Z_BUF_ERROR && got == room ? TOO_LONG : DAMAGED;
#endif
}

#ifdef DLTRAIN_ZSTD
static enum unpacked unpack_zstd(const unsigned char *in, size_t n, unsigned char *out, size_t room,
                                 size_t *len) {
    const unsigned long long told = ZSTD_getFrameContentSize(in, n);

    if (told == ZSTD_CONTENTSIZE_ERROR)
        return DAMAGED;
    if (told != ZSTD_CONTENTSIZE_UNKNOWN && told > room)
        return TOO_LONG;
    *len = ZSTD_decompress(out, room, in, n);
    if (!ZSTD_isError(*len))
        return UNPACKED;
    return told == ZSTD_CONTENTSIZE_UNKNOWN &&
                   ZSTD_getErrorCode(*len) == ZSTD_error_dstSize_tooSmall
               ? TOO_LONG
               : DAMAGED;
}
#endif

static unpack_function *find_unpack(H5Z_filter_t id) {
    switch (id) {
    case H5Z_FILTER_DEFLATE:
        return unpack_gzip;
    case LZF:
        return unpack_lzf;
#ifdef DLTRAIN_ZSTD
    case ZSTD:
        return unpack_zstd;
#endif
    default:
        return NULL;
    }
}

int64_t h5_filter_ratio(H5Z_filter_t id) {
    switch (id) {
    case H5Z_FILTER_SHUFFLE:
    case H5Z_FILTER_FLETCHER32:
        return 1;
    case LZF:
        return LZF_RATIO;
    case ZSTD:
        return ZSTD_RATIO;
    default:
        return GZIP_RATIO;
    }
}

/* For HDF5: *buf, of n bytes, becomes memory of what it unpacks to. Nobody tells how much that is;
 * chunks of one dataset are alike, so that what the last one took is tried first. Under the lock.
 * Returns the bytes, or 0. */
static size_t unpack_for_hdf5(H5Z_filter_t id, size_t n, size_t *buf_size, void **buf) {
    static size_t last = LEAST_ROOM;
    unpack_function *unpack = find_unpack(id);
    size_t room = last > n ? last : n, len = 0;

    for (;; room *= 2) {
        unsigned char *out = H5allocate_memory(room, 0);
        const enum unpacked result = out ? unpack(*buf, n, out, room, &len) : DAMAGED;

        if (result == UNPACKED) {
            H5free_memory(*buf);
            *buf = out;
            *buf_size = room;
            last = len > LEAST_ROOM ? len : LEAST_ROOM;
            return len;
        }
        H5free_memory(out);
        if (result == DAMAGED || room > MOST_ROOM / 2)
            return 0;
    }
}

static size_t filter_lzf(unsigned flags, size_t n_values, const unsigned *values, size_t n,
                         size_t *buf_size, void **buf) {
    (void)n_values, (void)values;
    return flags & H5Z_FLAG_REVERSE ? unpack_for_hdf5(LZF, n, buf_size, buf) : 0;
}

static const H5Z_class2_t lzf = {H5Z_CLASS_T_VERS, LZF, 0, 1, "lzf", NULL, NULL, filter_lzf};

#ifdef DLTRAIN_ZSTD
static size_t filter_zstd(unsigned flags, size_t n_values, const unsigned *values, size_t n,
                          size_t *buf_size, void **buf) {
    (void)n_values, (void)values;
    return flags & H5Z_FLAG_REVERSE ? unpack_for_hdf5(ZSTD, n, buf_size, buf) : 0;
}

static const H5Z_class2_t zstd = {H5Z_CLASS_T_VERS, ZSTD, 0, 1, "zstd", NULL, NULL, filter_zstd};
#endif

void h5_filters_register(void) {
    H5Zregister(&lzf);
#ifdef DLTRAIN_ZSTD
    H5Zregister(&zstd);
#endif
}

struct h5_filters h5_filters_of(hid_t data) {
    const hid_t list = H5Dget_create_plist(data);
    struct h5_filters out = {.n = list < 0 ? -1 : H5Pget_nfilters(list)};

    if (out.n > H5_MOST_FILTERS)
        out.n = -1;
    for (int k = 0; k < out.n; k++) {
        unsigned flags, config, value[8] = {0};
        size_t n = 8;
        const H5Z_filter_t id =
            H5Pget_filter2(list, (unsigned)k, &flags, &n, value, 0, NULL, &config);

        out.id[k] = id;
        out.bytes[k] = value[0];
        if (id != H5Z_FILTER_SHUFFLE && !find_unpack(id))
            out.n = -1;
    }
    if (list >= 0)
        H5Pclose(list);
    return out;
}

/* The first bytes of all numbers, then their second ones ...; what is left over stays. */
static void unshuffle(const unsigned char *in, size_t n, size_t bytes, unsigned char *out) {
    const size_t numbers = bytes ? n / bytes : 0;

    for (size_t b = 0; b < bytes; b++)
        for (size_t k = 0; k < numbers; k++)
            out[k * bytes + b] = in[b * numbers + k];
    memcpy(out + numbers * bytes, in + numbers * bytes, n - numbers * bytes);
}

int h5_unfilter(const struct h5_filters *filters, unsigned mask, const unsigned char *stored,
                size_t len, unsigned char *out, size_t n, unsigned char *spare) {
    const unsigned char *from = stored;

    for (int k = filters->n - 1; k >= 0; k--) {
        const H5Z_filter_t id = filters->id[k];
        unsigned char *to = from == out ? spare : out;
        size_t got = 0;

        if (mask >> k & 1)
            continue;
        if (id == H5Z_FILTER_SHUFFLE && len == n)
            unshuffle(from, n, filters->bytes[k], to);
        else if (id == H5Z_FILTER_SHUFFLE || find_unpack(id)(from, len, to, n, &got) != UNPACKED ||
                 got != n)
            return -1;
        from = to;
        len = n;
    }
    if (len != n)
        return -1;
    if (from != out)
        memcpy(out, from, n);
    return 0;
}
