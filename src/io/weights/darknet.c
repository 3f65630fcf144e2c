#include "io/weights/darknet.h"
#include "io/file/file.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION_BYTES = 12, VERSION_MINOR = 2, VERSION_REVISION = 5 };

static int64_t little(const unsigned char *bytes, int n) {
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v |= (uint64_t)bytes[i] << 8 * i;
    return n == 4 ? (int64_t)(int32_t)(uint32_t)v : (int64_t)v;
}

static void put_little(unsigned char *bytes, uint64_t v, int n) {
    for (int i = 0; i < n; i++)
        bytes[i] = (unsigned char)(v >> 8 * i);
}

static int read_version(struct darknet *d, const char *path, const unsigned char *bytes,
                        size_t *header, size_t len, struct err *err) {
    if (len < VERSION_BYTES)
        return err_set(err, ERR_DATA, "%s: is %zu bytes, too few for weights of Darknet", path,
                       len);
    d->major = (int32_t)little(bytes, 4);
    d->minor = (int32_t)little(bytes + 4, 4);
    d->revision = (int32_t)little(bytes + 8, 4);
    if (d->major < 0 || d->minor < 0 || d->major > 1000 || d->minor > 1000)
        return err_set(err, ERR_DATA,
                       "%s: is of version %d.%d, expected weights of Darknet of versions 0.0 to "
                       "1000.1000",
                       path, d->major, d->minor);
    const int wide = d->major * 10 + d->minor >= 2 ? 8 : 4;
    *header = VERSION_BYTES + (size_t)wide;
    if (len < *header || (len - *header) % 4)
        return err_set(err, ERR_DATA,
                       "%s: is %zu bytes, expected %zu and 4 for each number: it is cut off, or no "
                       "weights of Darknet",
                       path, len, *header);
    d->seen = little(bytes + VERSION_BYTES, wide);
    return 0;
}

int darknet_read(struct darknet *d, const char *path, struct err *err) {
    char *bytes = NULL;
    size_t len = 0, header = 0;

    if (file_read(path, &bytes, &len, err))
        return -1;
    int rc = read_version(d, path, (const unsigned char *)bytes, &header, len, err);
    if (!rc) {
        d->n = (int64_t)((len - header) / 4);
        d->numbers = malloc(len - header + 1);
        if (!d->numbers)
            rc = err_set(err, ERR_IO, "%s: not enough memory to read it", path);
    }
    for (int64_t i = 0; !rc && i < d->n; i++) {
        const uint32_t v =
            (uint32_t)little((const unsigned char *)bytes + header + 4 * (size_t)i, 4);
        memcpy(&d->numbers[i], &v, sizeof v);
    }
    free(bytes);
    return rc;
}

int darknet_write(const struct darknet *d, const char *path, struct err *err) {
    const size_t header = VERSION_BYTES + 8, len = header + 4 * (size_t)d->n;
    unsigned char *bytes = malloc(len);

    if (!bytes)
        return err_set(err, ERR_IO, "%s: not enough memory to write it", path);
    put_little(bytes, 0, 4);
    put_little(bytes + 4, VERSION_MINOR, 4);
    put_little(bytes + 8, VERSION_REVISION, 4);
    put_little(bytes + VERSION_BYTES, (uint64_t)d->seen, 8);
    for (int64_t i = 0; i < d->n; i++) {
        uint32_t v;
        memcpy(&v, &d->numbers[i], sizeof v);
        put_little(bytes + header + 4 * (size_t)i, v, 4);
    }
    const int rc = file_replace(path, bytes, len, err);
    free(bytes);
    return rc;
}

void darknet_release(struct darknet *d) {
    free(d->numbers);
    *d = (struct darknet){0};
}
