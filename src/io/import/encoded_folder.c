/* Every file is decoded once, whether it is stored as it is or smaller: a broken one is found now
 * and not in the third epoch, and the statistics are those of all pixels. Decoding takes as long as
 * reading from a fast disk, on one processor. */
#include "io/import/encoded_folder.h"

#include "core/base/parallel.h"
#include "io/dataset/content_hash.h"
#include "io/file/file.h"
#include "io/import/encoded_source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    VERSION = 1,
    MOST_FILE_BYTES = 1 << 30,
    MOST_JPEG_SIDE = 65500, /* of libjpeg: JPEG_MAX_DIMENSION */
};

/* Bytes of a JPEG for each pixel, at quality 90 or so: what is seen of photographs at most. */
#define BYTES_A_PIXEL 0.4

/* What a file was when it was looked at. */
struct folder_file {
    int64_t size, changed_ns; /* size -1: it cannot be looked at */
};

struct encoded_files {
    const struct scan *scan;
    const struct import_options *options;
    struct folder_file *file; /* [n_images] */
    int64_t *begin;           /* [n_splits] of each split in it */
};

static void look(void *context, int64_t begin, int64_t end) {
    const struct encoded_files *f = context;
    int split = 0;

    for (int64_t i = begin; i < end; i++) {
        struct stat st;

        while (split + 1 < f->scan->n_splits && i >= f->begin[split + 1])
            split++;
        if (stat(f->scan->split[split].image[i - f->begin[split]].path, &st))
            f->file[i] = (struct folder_file){.size = -1};
        else
            f->file[i] = (struct folder_file){st.st_size, (int64_t)st.st_mtim.tv_sec * 1000000000 +
                                                              st.st_mtim.tv_nsec};
    }
}

static const struct scan_image *image_at(const struct encoded_files *f, int split, int64_t i) {
    return &f->scan->split[split].image[i];
}

/* CLASS/FILE */
static const char *name(const void *context, int split, int64_t i) {
    const struct encoded_files *f = context;
    const char *path = image_at(f, split, i)->path;

    path += strlen(f->scan->split[split].path);
    return path + strspn(path, "/");
}

static int32_t class(const void *context, int split, int64_t i) {
    return image_at(context, split, i)->class;
}

static const struct folder_file *file_at(const struct encoded_files *f, int split, int64_t i) {
    return &f->file[f->begin[split] + i];
}

static uint64_t identity(const void *context, int split, int64_t i) {
    return content_hash_of(file_at(context, split, i), sizeof(struct folder_file));
}

static int64_t about(const void *context, int split, int64_t i) {
    const struct encoded_files *f = context;
    const double side = f->options->resize_short, size = (double)file_at(f, split, i)->size;
    const double smaller = side * side * 1.5 * BYTES_A_PIXEL;

    if (side > 0 && smaller < size)
        return (int64_t)smaller;
    return size > 0 ? (int64_t)size : 0;
}

/* To a JPEG whose shorter side is as the options say; the longer one is rounded down, as
 * torchvision does. */
static int make_smaller(const struct encoded_files *f, const char *path, struct image *image,
                        struct encoded_sample *out, struct err *err) {
    const int64_t side = f->options->resize_short, w = image->width, h = image->height;
    struct image small = {.channels = image->channels};
    unsigned char *bytes = NULL;
    size_t len = 0;

    small.width = (int)(w < h ? side : side * w / h);
    small.height = (int)(w < h ? side * h / w : side);
    if (small.width > MOST_JPEG_SIDE || small.height > MOST_JPEG_SIDE)
        return err_set(err, ERR_DATA,
                       "%s: would become a JPEG of %dx%d pixels, whose sides are at most %d", path,
                       small.width, small.height, MOST_JPEG_SIDE);
    small.pixels = malloc((size_t)small.width * (size_t)small.height * (size_t)small.channels);
    if (!small.pixels)
        return err_set(err, ERR_IO, "%s: out of memory", path);
    if (image_resize(image, small.width, small.height, IMAGE_STRETCH, small.pixels, err) ||
        image_encode_jpeg(&small, f->options->quality, path, &bytes, &len, err)) {
        image_release(&small);
        return -1;
    }
    image_release(image);
    *image = small;
    out->converted = out->len < 2 || memcmp(out->bytes, "\xff\xd8", 2) != 0;
    out->recoded = true;
    free(out->bytes);
    out->bytes = bytes;
    out->len = (int64_t)len;
    return 0;
}

static int read_file(const struct encoded_files *f, int split, int64_t i,
                     struct encoded_sample *out, struct err *err) {
    const struct scan_image *from = image_at(f, split, i);
    char *bytes;
    size_t len;

    if (from->dangling)
        return err_set(err, ERR_DATA, "%s: is a link to what is not there", from->path);
    if (file_at(f, split, i)->size > MOST_FILE_BYTES)
        return err_set(err, ERR_DATA, "%s: is larger than 1 GiB, expected an image", from->path);
    if (file_read(from->path, &bytes, &len, err))
        return -1;
    out->bytes = (unsigned char *)bytes;
    out->len = (int64_t)len;
    return len ? 0 : err_set(err, ERR_DATA, "%s: is empty, expected an image", from->path);
}

static int make(const void *context, int split, int64_t i, struct encoded_sample *out,
                struct err *err) {
    const struct encoded_files *f = context;
    const char *path = image_at(f, split, i)->path;
    const int side = f->options->resize_short;
    struct image image = {0};
    int status = 0;

    if (read_file(f, split, i, out, err) ||
        image_decode(out->bytes, (size_t)out->len, path, IMAGE_AS_STORED, &image, err))
        return -1;
    out->channels = image.channels;
    out->seen.facts = image.facts;
    if (image.facts & IMAGE_FLAWED)
        memcpy(out->seen.flaw, image.flaw, sizeof out->seen.flaw);
    if (side && image.width > side && image.height > side)
        status = make_smaller(f, path, &image, out, err);
    if (!status && split == 0)
        encoded_tally_pixels(&out->tally, image.pixels, (int64_t)image.width * image.height,
                             image.channels);
    image_release(&image);
    return status;
}

static int look_at_files(struct encoded_files *f, struct err *err) {
    struct team *team = NULL;
    int64_t n = 0;

    f->file = calloc((size_t)f->scan->n_images + 1, sizeof *f->file);
    f->begin = calloc((size_t)f->scan->n_splits, sizeof *f->begin);
    if (!f->file || !f->begin)
        return err_set(err, ERR_IO, "out of memory for %lld images", (long long)f->scan->n_images);
    for (int k = 0; k < f->scan->n_splits; k++) {
        f->begin[k] = n;
        n += f->scan->split[k].n;
    }
    if (team_new(&team, f->options->threads, err))
        return -1;
    team_run(team, n, look, f);
    team_free(team);
    return 0;
}

int encoded_folder(const struct scan *scan, const char *target,
                   const struct import_options *options, struct import_result *result,
                   struct err *err) {
    struct encoded_files files = {.scan = scan, .options = options};
    const int facts[] = {VERSION, options->resize_short,
                         options->resize_short ? options->quality : 0};
    struct encoded_source_split *split = calloc((size_t)scan->n_splits, sizeof *split);
    int status = split ? look_at_files(&files, err) : err_set(err, ERR_IO, "out of memory");

    if (!status) {
        for (int k = 0; k < scan->n_splits; k++)
            split[k] = (struct encoded_source_split){scan->split[k].name, scan->split[k].n};
        const struct encoded_source source = {
            .context = &files,
            .n_splits = scan->n_splits,
            .split = split,
            .class_name = scan->class_name,
            .n_classes = scan->n_classes,
            .options = content_hash_of(facts, sizeof facts),
            .name = name,
            .class = class,
            .identity = identity,
            .about = about,
            .make = make,
        };
        status = import_encoded(&source, target, options, result, err);
    }
    free(split);
    free(files.file);
    free(files.begin);
    return status;
}
