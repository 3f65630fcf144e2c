/* little.h - little datasets: images of one pixel that tells where they stand, and labels. */
#pragma once
#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/h5/h5.h"

enum { LITTLE_MOST = 16 };

/* Write the group /train: image i is one pixel, `first` + i; labels[n], n <= LITTLE_MOST; the names
 * of classes, separated by blanks, or NULL. The file stays open. */
static inline struct h5 *little_begin(const char *name, int first, const int32_t *labels, int n,
                                      const char *classes) {
    const int64_t dim[] = {n, 1, 1, 1};
    unsigned char pixels[LITTLE_MOST];
    const char *names[LITTLE_MOST];
    struct err err = {0};
    struct h5 *file;
    char text[400];
    int n_names = 0;

    for (int i = 0; i < n; i++)
        pixels[i] = (unsigned char)(first + i);
    assert_int_equal(h5_create(&file, in_scratch(name), &err), 0);
    assert_int_equal(h5_group_create(file, "/train", &err), 0);
    assert_int_equal(h5_write(file, "/train/images", H5_TYPE_U8, 4, dim, pixels, &err), 0);
    assert_int_equal(h5_write(file, "/train/labels", H5_TYPE_I32, 1, dim, labels, &err), 0);
    snprintf(text, sizeof text, "%s", classes ? classes : "");
    for (char *at = strtok(text, " "); at; at = strtok(NULL, " "))
        names[n_names++] = at;
    if (n_names)
        assert_int_equal(h5_attr_write_texts(file, "/", "classes", names, n_names, &err), 0);
    return file;
}

static inline void little_end(struct h5 *file) {
    struct err err = {0};

    assert_int_equal(h5_sync(file, &err), 0);
    h5_close(file);
}

static inline void little(const char *name, int first, const int32_t *labels, int n,
                          const char *classes) {
    little_end(little_begin(name, first, labels, n, classes));
}

/* Open a set of scratch files: `spec` names them as a job does, each '@' is the folder and a slash.
 */
static inline int little_try(struct dataset **out, const char *spec, int64_t cache_bytes,
                             struct err *err) {
    char text[2000] = "";

    for (; *spec; spec++) {
        const size_t used = strlen(text);
        if (*spec == '@')
            snprintf(text + used, sizeof text - used, "%s/", scratch);
        else
            text[used] = *spec;
    }
    return dataset_open(out, text, cache_bytes, err);
}

static inline struct dataset *little_open(const char *spec, int64_t cache_bytes) {
    struct dataset *ds = NULL;
    struct err err = {0};

    if (little_try(&ds, spec, cache_bytes, &err))
        fail_msg("%s", err.msg);
    return ds;
}

static inline void little_refused(const char *spec, enum err_kind kind, const char *message) {
    struct dataset *ds = NULL;
    struct err err = {0};

    assert_int_equal(little_try(&ds, spec, DATASET_CACHE_BYTES, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_contains(err.msg, message);
    assert_null(strchr(err.msg, '\n'));
}
