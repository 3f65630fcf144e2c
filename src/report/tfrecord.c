#include "report/tfrecord.h"
#include "io/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 12, TAIL = 4 }; /* bytes before and after the data */

struct tfrecord {
    int fd;
    char *path;
    unsigned char *room; /* [n_room] a whole record, which goes out in one write */
    size_t n_room;
};

uint32_t tfrecord_crc(const void *data, size_t len) {
    const unsigned char *byte = data;
    const uint32_t polynomial = 0x82f63b78; /* bits reversed */
    uint32_t table[256], crc = 0xffffffff;

    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int k = 0; k < 8; k++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? polynomial : 0);
    }
    for (size_t i = 0; i < len; i++)
        crc = table[(crc ^ byte[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

/* A CRC of data that holds CRCs is no good one: it is stored turned round and moved. */
static uint32_t masked(const void *data, size_t len) {
    const uint32_t crc = tfrecord_crc(data, len);

    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

static void put(unsigned char *out, uint64_t v, int n) {
    for (int i = 0; i < n; i++)
        out[i] = (unsigned char)(v >> 8 * i);
}

static int fail(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
}

int tfrecord_create(struct tfrecord **out, const char *path, struct err *err) {
    struct tfrecord *f = calloc(1, sizeof *f);
    char *copy = file_text("%s", path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);

    if (f && copy && fd >= 0) {
        *f = (struct tfrecord){.fd = fd, .path = copy};
        *out = f;
        return 0;
    }
    if (fd < 0)
        fail(path, err);
    else
        err_set(err, ERR_IO, "%s: not enough memory", path);
    if (fd >= 0)
        close(fd);
    free(copy);
    free(f);
    return -1;
}

int tfrecord_append(struct tfrecord *f, const void *data, size_t len, struct err *err) {
    const size_t whole = HEAD + len + TAIL;
    struct stat st;
    int rc = 0;

    if (whole > f->n_room) {
        unsigned char *grown = realloc(f->room, whole);
        if (!grown)
            return err_set(err, ERR_IO, "%s: not enough memory for a record", f->path);
        f->room = grown;
        f->n_room = whole;
    }
    put(f->room, len, 8);
    put(f->room + 8, masked(f->room, 8), 4);
    memcpy(f->room + HEAD, data, len);
    put(f->room + HEAD + len, masked(data, len), TAIL);
    if (fstat(f->fd, &st))
        return fail(f->path, err);
    if (file_write(f->fd, f->room, whole)) {
        rc = fail(f->path, err);
        if (ftruncate(f->fd, st.st_size)) /* readers stop at half a record */
            err_wrap(err, "a record was cut off");
    }
    return rc;
}

void tfrecord_close(struct tfrecord *f) {
    if (!f)
        return;
    close(f->fd);
    free(f->path);
    free(f->room);
    free(f);
}
