#include "io/image/image.h"

#include "io/image/image_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Headers are looked for in the first HEADER_BYTES; a photo's are behind its small preview. */
enum { MOST_PIXELS = 1 << 28, MOST_FILE_BYTES = 1 << 30, HEADER_BYTES = 1 << 16 };

static const struct image_format *const formats[] = {&image_jpeg, &image_png, &image_webp,
                                                     &image_bmp,  &image_gif, &image_tiff};

int image_no_memory(const char *name, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", name);
}

int image_broken(const struct image_file *file, const struct image_format *format, const char *what,
                 struct err *err) {
    return err_set(err, ERR_DATA, "%s: broken %s: %s", file->name, format->name, what);
}

int image_deep_classes(const struct image_file *file, struct err *err) {
    return err_set(err, ERR_DATA, "%s: is a mask of 16 bits, expected numbers of classes in 8 bits",
                   file->name);
}

bool image_begins(const struct image_file *file, size_t at, const char *text, size_t len) {
    return file->len >= at && file->len - at >= len && memcmp(file->bytes + at, text, len) == 0;
}

int image_check_size(const char *name, int64_t width, int64_t height, struct err *err) {
    if (width < 1 || height < 1 || width > MOST_PIXELS / height)
        return err_set(err, ERR_DATA, "%s: is %lldx%lld pixels, expected 1 to %d in all", name,
                       (long long)width, (long long)height, MOST_PIXELS);
    return 0;
}

int image_init(struct image *out, const char *name, int64_t width, int64_t height, int channels,
               struct err *err) {
    if (image_check_size(name, width, height, err))
        return -1;
    out->width = (int)width;
    out->height = (int)height;
    out->channels = channels;
    out->pixels = calloc((size_t)(width * height), (size_t)channels);
    return out->pixels ? 0 : image_no_memory(name, err);
}

void image_release(struct image *image) {
    free(image->pixels);
    *image = (struct image){0};
}

static const struct image_format *find_format(const struct image_file *file) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->is(file))
            return formats[i];
    return NULL;
}

const struct image_format *image_format(const struct image_file *file, struct err *err) {
    const struct image_format *format = find_format(file);
    char text[IMAGE_WHAT];

    if (!format)
        err_set(err, ERR_DATA, "%s: is %s", file->name, image_kind(file, text, sizeof text));
    return format;
}

const char *image_format_of(const unsigned char *bytes, size_t len, char what[IMAGE_WHAT]) {
    const struct image_file file = {bytes, len, ""};
    const struct image_format *format = find_format(&file);

    if (!format)
        snprintf(what, IMAGE_WHAT, "%s", image_kind(&file, (char[IMAGE_WHAT]){0}, IMAGE_WHAT));
    return format ? format->name : NULL;
}

static int decode(const struct image_file *file, enum image_mode mode, bool turn, struct image *out,
                  struct err *err) {
    const struct image_format *format = image_format(file, err);
    struct image image = {.orientation = 1};

    if (!format)
        return -1;
    if (format->decode(file, mode, &image, err) || image_settle(&image, mode, file->name, err) ||
        (turn && image_turn(&image, file->name, err))) {
        image_release(&image);
        return -1;
    }
    if (image.orientation != 1)
        image.facts |= IMAGE_ORIENTED;
    *out = image;
    return 0;
}

int image_decode(const unsigned char *bytes, size_t len, const char *name, enum image_mode mode,
                 struct image *out, struct err *err) {
    return decode(&(struct image_file){bytes, len, name}, mode, true, out, err);
}

/* Up to `most` bytes of an open file, malloc'd. */
static int read_bytes(int fd, const char *path, size_t most, unsigned char **bytes, size_t *len,
                      struct err *err) {
    struct stat st;
    size_t got = 0;

    if (fstat(fd, &st))
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > MOST_FILE_BYTES)
        return err_set(err, ERR_DATA, "%s: is %s, expected an image", path,
                       !S_ISREG(st.st_mode) ? "not a file"
                       : st.st_size         ? "larger than 1 GiB"
                                            : "empty");
    if (most > (size_t)st.st_size)
        most = (size_t)st.st_size;
    *bytes = malloc(most);
    if (!*bytes)
        return image_no_memory(path, err);
    while (got < most) {
        const ssize_t n = read(fd, *bytes + got, most - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        if (n == 0)
            break;
        got += (size_t)n;
    }
    *len = got;
    return 0;
}

static int read_file(const char *path, size_t most, unsigned char **bytes, size_t *len,
                     struct err *err) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is refused, not read */
    int status;

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    status = read_bytes(fd, path, most, bytes, len, err);
    close(fd);
    return status;
}

static int read_image(const char *path, enum image_mode mode, bool turn, struct image *out,
                      struct err *err) {
    struct image_file file = {.name = path};
    unsigned char *bytes = NULL;
    int status = read_file(path, MOST_FILE_BYTES, &bytes, &file.len, err);

    file.bytes = bytes;
    if (!status)
        status = decode(&file, mode, turn, out, err);
    free(bytes);
    return status;
}

int image_read(const char *path, enum image_mode mode, struct image *out, struct err *err) {
    return read_image(path, mode, true, out, err);
}

int image_read_unturned(const char *path, enum image_mode mode, struct image *out,
                        struct err *err) {
    return read_image(path, mode, false, out, err);
}

int image_size(const unsigned char *bytes, size_t len, const char *name, int *width, int *height,
               int *channels, struct err *err) {
    const struct image_file file = {bytes, len, name};
    const struct image_format *format = image_format(&file, err);
    struct image_header h = {.orientation = 1};

    if (!format || format->header(&file, &h, err) || image_check_size(name, h.width, h.height, err))
        return -1;
    *width = (int)(image_swaps(h.orientation) ? h.height : h.width);
    *height = (int)(image_swaps(h.orientation) ? h.width : h.height);
    *channels = h.channels;
    return 0;
}

int image_channels(const char *path) {
    const size_t most[] = {HEADER_BYTES, MOST_FILE_BYTES};
    int channels = 0;

    for (int i = 0; i < 2 && !channels; i++) {
        struct image_file file = {.name = path};
        struct err ignored = {0};
        unsigned char *bytes = NULL;

        if (!read_file(path, most[i], &bytes, &file.len, &ignored)) {
            file.bytes = bytes;
            const struct image_format *format = image_format(&file, &ignored);
            struct image_header header = {0};
            if (format && !format->header(&file, &header, &ignored))
                channels = header.channels;
            i += !format;
        }
        free(bytes);
    }
    return channels;
}
