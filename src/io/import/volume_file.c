#include "io/import/volume_file.h"

#include "io/file/file.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>

/* Sizes of the headers of version 1 and 2, and of the four bytes of extension behind each. */
enum { HEADER_1 = 348, HEADER_2 = 540, EXTENSION = 4, AT_A_TIME = 1 << 24 };

/* A header as it lies in the file. */
struct raw {
    unsigned char bytes[HEADER_2];
    bool swapped, second;
};

static gzFile open_packed(const char *path, struct err *err) {
    const int fd = file_open(path, err);
    gzFile file = fd < 0 ? NULL : gzdopen(fd, "rb");

    if (fd >= 0 && !file) {
        close(fd);
        err_set(err, ERR_IO, "%s: out of memory", path);
    }
    return file;
}

/* A whole number of 2, 4 or 8 bytes. */
static int64_t whole_at(const struct raw *h, int at, int bytes) {
    const uint16_t one = 1;
    const bool big = (*(const unsigned char *)&one == 0) != h->swapped;
    const uint64_t sign = (uint64_t)1 << (8 * bytes - 1);
    uint64_t v = 0;

    for (int k = 0; k < bytes; k++)
        v |= (uint64_t)h->bytes[at + (big ? bytes - 1 - k : k)] << 8 * k;
    return bytes == 8 ? (int64_t)v : (int64_t)(v ^ sign) - (int64_t)sign;
}

static double float_at(const struct raw *h, int at) {
    const uint32_t bits = (uint32_t)whole_at(h, at, 4);
    float v;

    memcpy(&v, &bits, sizeof v);
    return (double)v;
}

/* Which version, in which order of bytes? */
static bool find_kind(struct raw *h, int n) {
    for (int k = 0; k < 4; k++) {
        h->swapped = k % 2;
        h->second = k / 2;
        if (n >= (h->second ? HEADER_2 : HEADER_1) &&
            whole_at(h, 0, 4) == (h->second ? HEADER_2 : HEADER_1))
            return !memcmp(h->bytes + (h->second ? 4 : 344), h->second ? "n+2" : "n+1", 4);
    }
    return false;
}

/* Types of numbers that the standard has, but for single bits. */
static bool is_type(int64_t type) {
    static const int types[] = {2,   4,   8,    16,   32,   64,   128,  256,
                                512, 768, 1024, 1280, 1536, 1792, 2048, 2304};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (type == types[i])
            return true;
    return false;
}

static int check_header(const struct raw *h, const char *path, struct err *err) {
    const int at = h->second ? 16 : 40, bytes = h->second ? 8 : 2;
    const int64_t rank = whole_at(h, at, bytes);
    const int least = (h->second ? HEADER_2 : HEADER_1) + EXTENSION;
    const double offset = h->second ? (double)whole_at(h, 168, 8) : float_at(h, 108);

    if (rank < 1 || rank > 7)
        return err_set(err, ERR_DATA, "%s: has %" PRId64 " dimensions, expected 1 to 7", path,
                       rank);
    for (int k = 1; k <= rank; k++)
        if (whole_at(h, at + k * bytes, bytes) < (k <= 3))
            return err_set(err, ERR_DATA,
                           "%s: its dimension %d is %" PRId64 ", expected at least 1", path, k,
                           whole_at(h, at + k * bytes, bytes));
    const int64_t type = whole_at(h, h->second ? 12 : 70, 2);
    if (!is_type(type))
        return err_set(err, ERR_DATA,
                       "%s: holds the data type %" PRId64
                       ", expected integers of 8, 16 or 32 bits, or floats of 32 or 64",
                       path, type);
    if (!(offset >= least && offset < 0x1p31))
        return err_set(err, ERR_DATA,
                       "%s: its voxels begin at byte %g, as its header says, expected %d or more",
                       path, offset, least);
    return 0;
}

int volume_file_check(const char *path, struct err *err) {
    gzFile file = open_packed(path, err);
    struct raw h = {0};

    if (!file)
        return -1;
    const int n = gzread(file, h.bytes, sizeof h.bytes);
    const bool packed = !gzdirect(file);
    const size_t len = strlen(path);
    gzclose(file);
    if (n < 0)
        return err_set(err, ERR_DATA, "%s: is damaged: its gzip data cannot be unpacked", path);
    if (packed && (len < 3 || strcasecmp(path + len - 3, ".gz")))
        return err_set(err, ERR_DATA, "%s: is packed by gzip, expected a name that ends with .gz",
                       path);
    if (!find_kind(&h, n))
        return err_set(err, ERR_DATA,
                       "%s: is no NIfTI file that can be read (.nii, .nii.gz): it has no header of "
                       "one file, n+1 or n+2",
                       path);
    return check_header(&h, path, err);
}

int volume_file_read(const char *path, int64_t offset, void *out, size_t len, struct err *err) {
    gzFile file = open_packed(path, err);
    char *to = out;
    int n = 1, status = 0;

    if (!file)
        return -1;
    if (gzseek(file, (z_off_t)offset, SEEK_SET) < 0)
        n = 0;
    while (len && n > 0) {
        n = gzread(file, to, (unsigned)(len < AT_A_TIME ? len : AT_A_TIME));
        to += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    if (len)
        status =
            err_set(err, ERR_DATA,
                    "%s: is damaged or cut off: %zu bytes of its voxels are not there", path, len);
    /* what follows the last voxel holds the checksum */
    char rest[4096];
    while (!status && (n = gzread(file, rest, sizeof rest)) > 0) {
    }
    if (!status && n < 0)
        status = err_set(err, ERR_DATA, "%s: is damaged: its checksum is another", path);
    if (gzclose(file) == Z_BUF_ERROR && !status)
        status = err_set(err, ERR_DATA, "%s: is damaged: it is cut off", path);
    return status;
}
