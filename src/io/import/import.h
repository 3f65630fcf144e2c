/* import.h - importers: other people's layouts to our dataset file. */
#pragma once
#include "core/base/err.h"
#include "io/image/image.h"

#include <stdbool.h>
#include <stdint.h>

/* How an import that takes long gets on. */
struct import_pace {
    int64_t done, total, begun; /* images; begun: done before by another process */
    int64_t bytes;              /* written by this one, in so many */
    double seconds;
};

/* Called from the importing thread now and then; all but report may be NULL. */
struct import_progress {
    void (*report)(void *context, int64_t done, int64_t total);  /* total 0: not known */
    void (*pace)(void *context, const struct import_pace *pace); /* in place of report */
    void (*say)(void *context, const char *text);                /* a sentence for now */
    bool (*stopped)(void); /* is it to end, resumable? Asked by several threads */
    void *context;
};

/* What is held out of training for validation; n and share 0: nothing. */
struct import_split {
    int64_t n;    /* so many, or */
    double share; /* that share of them */
    int folds;    /* or all of them as so many groups fold1 .. of one size */
    uint64_t seed;
};

enum import_missing { MISSING_REFUSE, MISSING_DROP, MISSING_MEAN };
enum import_target { TARGET_BY_TYPE, TARGET_CLASSES, TARGET_NUMBERS };

/* How tables become samples. Texts are borrowed. */
struct import_table {
    const char *features; /* names with commas between them; NULL or "all": all others */
    const char *target;   /* likewise; NULL: none */
    const char *group;    /* whose rows stay together in splits; NULL: none */
    enum import_missing missing;
    enum import_target as;
    bool no_header;
    int64_t window, horizon; /* rows that make a sample, and that follow it; 0: a row is one */
};

struct import_options {
    int width, height;       /* 0: the images' own, which must all agree */
    enum image_fit fit;      /* how images of another size are brought to it */
    enum image_mode mode;    /* IMAGE_AS_STORED: grey or colour, as the most are */
    bool unturned;           /* leave orientation tags alone */
    bool skip_broken;        /* count broken images in place of stopping at the first */
    bool binary;             /* masks are of two classes: dark and bright */
    bool halves;             /* a pair is one image: its left half and its right half */
    const char *mask_suffix; /* of the mask X_mask.png of X.jpg: "_mask"; NULL: none */
    struct import_split split;
    bool encoded;     /* keep the files as they are, of many sizes */
    int resize_short; /* of those whose shorter side is longer: make it so long; 0: leave them */
    int quality;      /* of the JPEGs that they become, 1 to 100 */
    int threads;      /* for decoding; at least 1 */
    struct import_table table;
    int64_t length;    /* of series: samples, characters or words; 0: not given */
    bool words;        /* of text, in place of characters */
    int64_t rate;      /* of sounds, in Hz; 0: their own, which must all agree */
    int depth;         /* of volumes, beside width and height */
    double spacing[3]; /* of volumes, in mm: x, y, z; 0: their own */
    int slices; /* of volumes: so many neighbours are an image of as many channels; 0: none */
    struct import_progress progress;
};

struct import_result {
    int64_t n_images, n_skipped, n_ignored; /* written; broken; of other kinds of file */
    const char *what;                       /* they are; static; NULL: "images" */
    int n_splits, n_classes;                /* 0: it has no classes */
    char note[4096];                        /* what was guessed, a line each; "": nothing */
    char first_skipped[512];                /* why the first was skipped */
    int64_t n_bytes;                        /* of encoded images; 0: they are not */
    struct import_pace pace;                /* of these, at the end */
    char **skipped; /* [n_skipped] why each was skipped, or NULL: the first alone is known; owned */
};

/* Free what is in it. */
void import_result_release(struct import_result *result);

/* Options that an importer takes. */
enum import_takes {
    IMPORT_SIZE = 1, /* width, height, fit */
    IMPORT_MODE = 2, /* mode, unturned */
    IMPORT_SKIP = 4,
    IMPORT_BINARY = 8,
    IMPORT_HALVES = 16,
    IMPORT_SPLIT = 32,
    IMPORT_SUFFIX = 64,
    IMPORT_ENCODED = 128, /* encoded, resize_short, quality */
    IMPORT_FOLDS = 256,   /* split.folds */
    IMPORT_TABLE = 512,
    IMPORT_LENGTH = 1024,
    IMPORT_WORDS = 2048,
    IMPORT_RATE = 4096,
    IMPORT_VOLUME = 8192, /* depth, width, height, spacing */
};

struct importer {
    const char *name, *help; /* help: the layout it reads, in one line */
    unsigned takes;          /* of enum import_takes */
    /* Read `source`, write the dataset file `target`, which appears only when it is complete.
     * Errors: ERR_DATA or ERR_IO, beginning with the file that is wrong. */
    int (*run)(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err);
};

/* How files of images end, for messages. */
#define IMPORT_ENDINGS ".jpg, .png, .webp, .bmp, .gif or .tif"

/* The importer of that name, or NULL. */
const struct importer *importer_find(const char *name);

/* All importers; *n is their number. */
const struct importer *const *importer_table(int *n);

extern const struct importer import_imagefolder, import_segmentation, import_pairs, import_unpaired,
    import_idx, import_cifar, import_csv, import_npy, import_wav, import_text, import_volumes,
    import_voc;

/* Add a line to result->note. */
void import_note(struct import_result *result, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A list of names for a message: {0} is empty. */
struct import_names {
    char text[400]; /* "ape, bee and 7 more" */
    size_t len;     /* of those that are shown */
    int n, n_shown;
};

/* Add a name; of many the first are shown, and how many more there are. */
void import_names_add(struct import_names *names, const char *name);

static inline void import_report(const struct import_options *options, int64_t done,
                                 int64_t total) {
    if (options->progress.report)
        options->progress.report(options->progress.context, done, total);
}
