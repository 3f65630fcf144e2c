/* layout.h - folders as people have them, from one line of text, and what an import makes of them.
 */
#pragma once
#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/h5/h5.h"
#include "io/image/image.h"
#include "io/import/import.h"

enum { LAYOUT_TEXT = 1024 };

/* The folders above that file. */
static inline void layout_folders(const char *path) {
    char part[LAYOUT_TEXT];

    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        mkdir(part, 0777);
    }
}

/* Make the folder `name` of scratch with what the words of `files` say: "a/b/" a folder, "a/1.png"
 * an image of 2x2 pixels, "a/n.txt" some bytes, "a/x.png@to" a link. */
static inline void layout_make(const char *name, const char *files) {
    const unsigned char pixels[12] = {0, 64, 128, 255};
    char text[LAYOUT_TEXT], path[LAYOUT_TEXT];
    struct err err = {0};

    snprintf(text, sizeof text, "%s", files);
    snprintf(path, sizeof path, "%s/", in_scratch(name));
    layout_folders(path);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        char *link = strchr(word, '@');

        if (link && link[1] == 'e') /* @eaDir */
            link = NULL;
        if (link)
            *link++ = 0;
        snprintf(path, sizeof path, "%s/%s", in_scratch(name), word);
        layout_folders(path);
        if (link)
            assert_int_equal(symlink(link, path), 0);
        else if (strstr(word, ".png") || strstr(word, ".PNG"))
            assert_int_equal(image_write_png(path, 2, 2, 1, pixels, &err), 0);
        else if (word[strlen(word) - 1] != '/')
            write_bytes(path, "text", 4);
    }
}

/* What out.h5 holds: "test: ape 1, bee 2; train: ape 3, bee 0", or without labels "train: 2". */
static inline const char *layout_found(void) {
    static char text[LAYOUT_TEXT];
    struct h5_list groups;
    struct err err = {0};
    struct h5 *file;

    *text = 0;
    if (h5_open(&file, in_scratch("out.h5"), &err) || h5_list(file, "/", &groups, &err))
        fail_msg("%s", err.msg);
    for (int g = 0; g < groups.n; g++) {
        struct dataset *ds;
        char spec[LAYOUT_TEXT];

        snprintf(spec, sizeof spec, "%s:%s", in_scratch("out.h5"), groups.entry[g].name);
        if (dataset_open(&ds, spec, DATASET_CACHE_BYTES, &err))
            fail_msg("%s", err.msg);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s:", g ? "; " : "",
                 groups.entry[g].name);
        if (!dataset_labels(ds, 1))
            snprintf(text + strlen(text), sizeof text - strlen(text), " %d", (int)dataset_len(ds));
        for (int k = 0; dataset_labels(ds, 1) && k < dataset_field_classes(ds, 1); k++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s %s %d", k ? "," : "",
                     dataset_class_name(ds, 1, k), (int)dataset_class_counts(ds, 1)[k]);
        dataset_close(ds);
    }
    h5_list_release(&groups);
    h5_close(file);
    return text;
}

static inline int layout_import(const char *importer, const char *source,
                                const struct import_options *options, struct import_result *result,
                                struct err *err) {
    *result = (struct import_result){0};
    return importer_find(importer)->run(in_scratch(source), in_scratch("out.h5"), options, result,
                                        err);
}
