#include "io/file/file.h"
#include "io/file/folder.h"
#include "io/image/image.h"
#include "report/page_base64.h"
#include "report/page_lines.h"
#include "report/page_parts.h"
#include "report/page_thin.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SIDE = 512, LEAST_SIDE = 48, MOST_FRAMES = 64 };

/* How long a side of `side` pixels becomes where a file of `len` bytes may take `most`. */
static int reduced(int side, int longest, size_t len, size_t most) {
    const double fit = sqrt((double)most / (double)len), cap = (double)MOST_SIDE / longest;
    const double least = (double)LEAST_SIDE / longest;
    const double scale = fmin(fmax(fmin(fit, cap), least), 1);

    return side * scale < 1 ? 1 : (int)(side * scale);
}

/* The same picture, small enough for a page, as PNG. */
static int reduce(const char *path, size_t most, unsigned char **bytes, size_t *len,
                  struct err *err) {
    struct image image = {0}, small = {0};
    int rc = image_decode(*bytes, *len, path, IMAGE_AS_STORED, &image, err);

    if (!rc) {
        const int longest = image.width > image.height ? image.width : image.height;
        small = image;
        small.width = reduced(image.width, longest, *len, most);
        small.height = reduced(image.height, longest, *len, most);
        small.pixels = malloc((size_t)small.width * (size_t)small.height * (size_t)image.channels);
        rc = small.pixels
                 ? image_resize(&image, small.width, small.height, IMAGE_STRETCH, small.pixels, err)
                 : err_set(err, ERR_IO, "%s: no memory for it", path);
    }
    if (!rc) {
        free(*bytes);
        *bytes = NULL;
        rc = image_encode_png(&small, path, bytes, len, err);
    }
    free(small.pixels);
    image_release(&image);
    return rc;
}

/* A PNG file as a data URI; one of more bytes than `most` is reduced. One that is broken may be
 * being written just now: *out stays NULL, and a note says so. */
static int picture_uri(json_t *run, const char *path, size_t most, json_t **out, size_t *len,
                       struct err *err) {
    struct err inner = {0};
    unsigned char *bytes = NULL;
    char *file;
    int rc = file_read(path, &file, len, err);

    if (rc)
        return -1;
    bytes = (unsigned char *)file;
    if (*len > most && reduce(path, most, &bytes, len, &inner)) {
        free(bytes);
        if (inner.kind == ERR_DATA)
            json_array_append_new(json_object_get(run, "notes"), page_text(inner.msg));
        else
            *err = inner;
        return inner.kind == ERR_DATA ? 0 : -1;
    }
    char *uri = rc ? NULL : page_base64("data:image/png;base64,", bytes, *len);
    if (!rc && !uri)
        rc = err_set(err, ERR_IO, "%s: no memory for it", path);
    if (!rc)
        *out = json_string(uri);
    free(uri);
    free(bytes);
    return rc;
}

/* Is it a file of that name in the folder itself? What worst.json says may have come from anywhere.
 */
static bool is_below(const char *name) {
    return name && *name != '/' && !strstr(name, "..");
}

int page_worst_add(json_t *run, const char *folder, size_t bytes, struct err *err) {
    char *path = folder_join(folder, "worst.json");
    json_t *worst = NULL;
    int rc = path ? page_object_read(path, &worst, err)
                  : err_set(err, ERR_IO, "%s: no memory for a path", folder);

    const json_t *samples = json_object_get(worst, "samples");
    const size_t n = json_array_size(samples);
    for (size_t i = 0; !rc && i < n; i++) {
        json_t *sample = json_array_get(samples, i), *uri = NULL;
        const char *name = json_string_value(json_object_get(sample, "picture"));
        char *picture = is_below(name) ? folder_join(folder, name) : NULL;
        size_t len;
        json_object_del(sample, "uri"); /* a page shows what is in it, and fetches nothing */
        if (picture && !access(picture, R_OK))
            rc = picture_uri(run, picture, bytes / n, &uri, &len, err);
        if (uri)
            json_object_set_new(sample, "uri", uri);
        free(picture);
    }
    if (!rc && worst)
        json_object_set(run, "worst", worst);
    json_decref(worst);
    free(path);
    return rc;
}

/* NAME and STEP of "NAME_STEP.png"; returns -1 where it is no such name. */
static int parse(const char *file, char name[256], json_int_t *step) {
    const char *line = strrchr(file, '_'), *dot = strrchr(file, '.');
    char *end;

    if (!line || !dot || strcmp(dot, ".png") != 0 || line == file || line - file > 255)
        return -1;
    errno = 0;
    *step = strtoll(line + 1, &end, 10);
    if (end != dot || end == line + 1 || errno)
        return -1;
    memcpy(name, file, (size_t)(line - file));
    name[line - file] = 0;
    return 0;
}

/* Put it in its place by step. */
static void insert(json_t *list, json_t *item, json_int_t step) {
    size_t i = json_array_size(list);

    while (i && json_integer_value(json_object_get(json_array_get(list, i - 1), "step")) > step)
        i--;
    json_array_insert_new(list, i, item);
}

static void list_pictures(const struct folder *folder, json_t *names) {
    for (int i = 0; i < folder->n; i++) {
        char name[256];
        json_int_t step;
        const char *file = folder->entry[i].name;
        if (folder->entry[i].folder || folder->entry[i].dangling || parse(file, name, &step))
            continue;
        json_t *item = json_pack("{s:I, s:s}", "step", step, "file", file);
        if (!item) /* a name that is not UTF-8: no run has written it */
            continue;
        if (!json_object_get(names, name))
            json_object_set_new(names, name, json_array());
        insert(json_object_get(names, name), item, step);
    }
}

/* Of all pictures of a name, the newest and as many as fit in so many bytes. */
static int read_frames(json_t *run, const json_t *all, const char *path, size_t bytes,
                       json_t *frames, struct err *err) {
    const size_t n = json_array_size(all);
    size_t k = 1, len = 0;

    for (size_t i = 0; i < k; i++) {
        /* The newest first: it says how many there can be. */
        const size_t at = page_thin_even(k - 1 - i, k, n);
        const json_t *picture = json_array_get(all, at);
        const json_int_t step = json_integer_value(json_object_get(picture, "step"));
        char *file = folder_join(path, json_string_value(json_object_get(picture, "file")));
        json_t *uri = NULL;
        const int rc = file ? picture_uri(run, file, bytes / 3, &uri, &len, err)
                            : err_set(err, ERR_IO, "%s: no memory for a path", path);
        free(file);
        if (rc)
            return -1;
        if (uri)
            insert(frames, json_pack("{s:I, s:o}", "step", step, "uri", uri), step);
        if (i)
            continue;
        k = bytes / (len + 1);
        k = k > MOST_FRAMES ? MOST_FRAMES : k;
        k = k > n ? n : k < 1 ? 1 : k;
    }
    return 0;
}

int page_pictures_add(json_t *run, const char *folder, size_t bytes, struct err *err) {
    json_t *names = json_object(), *out = json_object(), *all;
    char *path = folder_join(folder, "pictures");
    struct folder entries = {0};
    const char *name;
    int rc = path ? 0 : err_set(err, ERR_IO, "%s: no memory for a path", folder);

    if (!rc && !access(path, F_OK)) {
        rc = folder_init(&entries, path, err);
        if (!rc)
            list_pictures(&entries, names);
        json_object_foreach(names, name, all) {
            json_t *frames = json_array();
            rc =
                rc ? rc : read_frames(run, all, path, bytes / json_object_size(names), frames, err);
            if (json_array_size(frames))
                json_object_set(out, name, frames);
            json_decref(frames);
        }
    }
    if (!rc && json_object_size(out))
        json_object_set(run, "pictures", out);
    folder_release(&entries);
    json_decref(names);
    json_decref(out);
    free(path);
    return rc;
}
