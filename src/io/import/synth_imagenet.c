#include "io/import/synth_imagenet.h"

#include "io/dataset/content_hash.h"
#include "io/import/encoded_source.h"
#include "io/import/synth_photo.h"

#include <stdio.h>
#include <stdlib.h>

/* BYTES: of a JPEG, about. NAME_ROOM: "validate/9223372036854775807.JPEG". */
enum { VERSION = 1, VALIDATE_PART = 20, BYTES = 120 << 10, NAME_ROOM = 32 };

struct synth_names {
    const struct synth_imagenet *what;
    char (*class_text)[PHOTO_NAME];
    const char **class_name;                          /* [classes] */
    char (*sample[SYNTH_IMAGENET_SPLITS])[NAME_ROOM]; /* [samples of the group] */
};

static const char *const groups[SYNTH_IMAGENET_SPLITS] = {"train", "validate"};

int64_t synth_imagenet_len(const struct synth_imagenet *what, int split) {
    const int64_t held = what->samples / VALIDATE_PART, validate = held ? held : 1;

    return split == SYNTH_IMAGENET_VALIDATE ? validate : what->samples - validate;
}

static const char *name(const void *context, int split, int64_t i) {
    return ((const struct synth_names *)context)->sample[split][i];
}

static int32_t class(const void *context, int split, int64_t i) {
    (void)split;
    return (int32_t)(i % ((const struct synth_names *)context)->what->classes);
}

/* The options say all of it. */
static uint64_t identity(const void *context, int split, int64_t i) {
    (void)context, (void)split, (void)i;
    return 0;
}

static int64_t about(const void *context, int split, int64_t i) {
    (void)context, (void)split, (void)i;
    return BYTES;
}

static int make(const void *context, int split, int64_t i, struct encoded_sample *out,
                struct err *err) {
    const struct synth_imagenet *what = ((const struct synth_names *)context)->what;
    struct image image = {0};
    size_t len = 0;

    if (photo_draw(what->seed, split, i, class(context, split, i), &image, err))
        return -1;
    const int status =
        image_encode_jpeg(&image, PHOTO_QUALITY, name(context, split, i), &out->bytes, &len, err);
    out->len = (int64_t)len;
    out->channels = image.channels;
    if (!status && split == 0)
        encoded_tally_pixels(&out->tally, image.pixels, (int64_t)image.width * image.height,
                             image.channels);
    image_release(&image);
    return status;
}

static int make_names(struct synth_names *names, struct err *err) {
    const struct synth_imagenet *what = names->what;

    names->class_text = calloc((size_t)what->classes, sizeof *names->class_text);
    names->class_name = calloc((size_t)what->classes, sizeof *names->class_name);
    for (int k = 0; k < what->classes && names->class_text && names->class_name; k++)
        names->class_name[k] = photo_class_name(k, names->class_text[k]);
    for (int split = 0; split < SYNTH_IMAGENET_SPLITS; split++) {
        const int64_t n = synth_imagenet_len(what, split);

        names->sample[split] = calloc((size_t)n, sizeof *names->sample[split]);
        if (!names->sample[split] || !names->class_text || !names->class_name)
            return err_set(err, ERR_IO, "out of memory for %lld images", (long long)what->samples);
        for (int64_t i = 0; i < n; i++)
            snprintf(names->sample[split][i], NAME_ROOM, "%s/%lld.JPEG", groups[split],
                     (long long)i);
    }
    return 0;
}

static void free_names(struct synth_names *names) {
    for (int split = 0; split < SYNTH_IMAGENET_SPLITS; split++)
        free(names->sample[split]);
    free(names->class_text);
    free(names->class_name);
}

int synth_imagenet_write(const char *path, const struct synth_imagenet *what,
                         const struct import_options *how, struct import_result *result,
                         struct err *err) {
    const struct encoded_source_split split[SYNTH_IMAGENET_SPLITS] = {
        {groups[0], synth_imagenet_len(what, 0)}, {groups[1], synth_imagenet_len(what, 1)}};
    const int64_t facts[] = {VERSION, what->samples, what->classes, (int64_t)what->seed};
    struct synth_names names = {.what = what};
    int status = make_names(&names, err);

    if (!status) {
        const struct encoded_source source = {
            .context = &names,
            .n_splits = SYNTH_IMAGENET_SPLITS,
            .split = split,
            .class_name = names.class_name,
            .n_classes = what->classes,
            .options = content_hash_of(facts, sizeof facts),
            .name = name,
            .class = class,
            .identity = identity,
            .about = about,
            .make = make,
        };
        status = import_encoded(&source, path, how, result, err);
    }
    free_names(&names);
    return status;
}
