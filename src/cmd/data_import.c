/* dltrain data import: other people's layouts to a dataset. */
#include "cmd/data.h"
#include "cmd/data_pace.h"
#include "cmd/options.h"
#include "io/dataset/dataset_file.h"
#include "io/dataset/dataset_split.h"
#include "io/import/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SIDE = 1 << 14, NO_SEED = -1, USUAL_QUALITY = 90, MOST_LISTED = 20 };

/* What `data import` is told. */
struct import_args {
    struct import_options options;
    int64_t jobs, seed;            /* seed -1: not given */
    int64_t resize_short, quality; /* 0: not given */
    bool fit, grey, colour;        /* given */
    bool classes, regression;
    int64_t folds, slices;
};

/* "64x128x128": depth, height and width. */
static bool read_volume(const char *text, struct import_options *options) {
    int depth, height, width, used = 0;

    if (sscanf(text, "%5dx%5dx%5d%n", &depth, &height, &width, &used) != 3 || text[used] ||
        depth < 1 || height < 1 || width < 1 || depth > MOST_SIDE || height > MOST_SIDE ||
        width > MOST_SIDE)
        return false;
    options->depth = depth;
    options->height = height;
    options->width = width;
    return true;
}

/* "256" or "320x240"; of volumes three numbers. */
static int read_size(void *to, const char *text, struct err *err) {
    struct import_options *options = &((struct import_args *)to)->options;
    int width, height, used = 0;

    if (read_volume(text, options))
        return 0;
    if (sscanf(text, "%5dx%5d%n", &width, &height, &used) != 2 || text[used]) {
        if (sscanf(text, "%5d%n", &width, &used) != 1 || text[used])
            width = 0;
        height = width;
    }
    if (width < 1 || height < 1 || width > MOST_SIDE || height > MOST_SIDE)
        return err_set(err, ERR_USAGE,
                       "data: --size is '%s', expected WIDTHxHEIGHT or one number (of volumes "
                       "DEPTHxHEIGHTxWIDTH), each 1 to %d",
                       text, MOST_SIDE);
    options->width = width;
    options->height = height;
    return 0;
}

static int read_split(void *to, const char *text, struct err *err) {
    struct import_split *split = &((struct import_args *)to)->options.split;
    struct data_share held = {0};

    if (data_read_share(text, "images", &held, err))
        return -1;
    split->n = held.n;
    split->share = held.share;
    return 0;
}

/* "1,1,2.5" or "1", in mm. */
static int read_spacing(void *to, const char *text, struct err *err) {
    double *s = ((struct import_args *)to)->options.spacing;
    int used = 0;

    if (sscanf(text, "%lf,%lf,%lf%n", &s[0], &s[1], &s[2], &used) != 3 || text[used]) {
        if (sscanf(text, "%lf%n", &s[0], &used) != 1 || text[used])
            s[0] = 0;
        s[1] = s[2] = s[0];
    }
    if (s[0] > 0.001 && s[1] > 0.001 && s[2] > 0.001 && s[0] < 1e3 && s[1] < 1e3 && s[2] < 1e3)
        return 0;
    return err_set(err, ERR_USAGE, "data: --spacing is '%s', expected mm along x, y, z: 1,1,2.5",
                   text);
}

static int read_missing(void *to, const char *text, struct err *err) {
    static const char *const words[] = {"refuse", "drop", "mean"};

    for (int k = 0; k < 3; k++)
        if (strcmp(text, words[k]) == 0) {
            ((struct import_args *)to)->options.table.missing = (enum import_missing)k;
            return 0;
        }
    return err_set(err, ERR_USAGE, "data: --missing is '%s', expected refuse, drop or mean", text);
}

/* What --split was called when it took the last images. */
static int refuse_validate(void *to, const char *text, struct err *err) {
    (void)to;
    return err_set(err, ERR_USAGE,
                   "data: --validate is now --split %s, which draws the images by --seed in place "
                   "of taking the last",
                   text);
}

static int read_fit(void *to, const char *text, struct err *err) {
    const bool stretch = strcmp(text, "stretch") == 0;

    if (!stretch && strcmp(text, "crop") != 0)
        return err_set(err, ERR_USAGE, "data: --fit is '%s', expected crop or stretch", text);
    ((struct import_args *)to)->options.fit = stretch ? IMAGE_STRETCH : IMAGE_CROP;
    ((struct import_args *)to)->fit = true;
    return 0;
}

static int read_orientation(void *to, const char *text, struct err *err) {
    const bool ignore = strcmp(text, "ignore") == 0;

    if (!ignore && strcmp(text, "apply") != 0)
        return err_set(err, ERR_USAGE, "data: --orientation is '%s', expected apply or ignore",
                       text);
    ((struct import_args *)to)->options.unturned = ignore;
    return 0;
}

static const struct option_spec import_specs[] = {
    {"size", OPTION_READ, .read = read_size},
    {"fit", OPTION_READ, .read = read_fit},
    {"grey", OPTION_FLAG, .offset = offsetof(struct import_args, grey)},
    {"colour", OPTION_FLAG, .offset = offsetof(struct import_args, colour)},
    {"orientation", OPTION_READ, .read = read_orientation},
    {"skip-broken", OPTION_FLAG, .offset = offsetof(struct import_args, options.skip_broken)},
    {"jobs", OPTION_WHOLE, .offset = offsetof(struct import_args, jobs), .min = 1,
     .max = DATA_MOST_JOBS},
    {"threads", OPTION_WHOLE, .offset = offsetof(struct import_args, jobs), .min = 1,
     .max = DATA_MOST_JOBS}, /* as it was called first */
    {"encoded", OPTION_FLAG, .offset = offsetof(struct import_args, options.encoded)},
    {"resize-short", OPTION_WHOLE, .offset = offsetof(struct import_args, resize_short), .min = 1,
     .max = MOST_SIDE},
    {"quality", OPTION_WHOLE, .offset = offsetof(struct import_args, quality), .min = 1,
     .max = 100},
    {"binary", OPTION_FLAG, .offset = offsetof(struct import_args, options.binary)},
    {"halves", OPTION_FLAG, .offset = offsetof(struct import_args, options.halves)},
    {"mask-suffix", OPTION_TEXT, .offset = offsetof(struct import_args, options.mask_suffix)},
    {"split", OPTION_READ, .read = read_split},
    {"folds", OPTION_WHOLE, .offset = offsetof(struct import_args, folds), .min = 2,
     .max = SPLIT_MOST_FOLDS},
    {"features", OPTION_TEXT, .offset = offsetof(struct import_args, options.table.features)},
    {"target", OPTION_TEXT, .offset = offsetof(struct import_args, options.table.target)},
    {"group", OPTION_TEXT, .offset = offsetof(struct import_args, options.table.group)},
    {"missing", OPTION_READ, .read = read_missing},
    {"classes", OPTION_FLAG, .offset = offsetof(struct import_args, classes)},
    {"regression", OPTION_FLAG, .offset = offsetof(struct import_args, regression)},
    {"no-header", OPTION_FLAG, .offset = offsetof(struct import_args, options.table.no_header)},
    {"window", OPTION_WHOLE, .offset = offsetof(struct import_args, options.table.window), .min = 1,
     .max = 1 << 20},
    {"horizon", OPTION_WHOLE, .offset = offsetof(struct import_args, options.table.horizon),
     .min = 1, .max = 1 << 20},
    {"length", OPTION_WHOLE, .offset = offsetof(struct import_args, options.length), .min = 1,
     .max = 1 << 24},
    {"spacing", OPTION_READ, .read = read_spacing},
    {"slices", OPTION_WHOLE, .offset = offsetof(struct import_args, slices), .min = 1, .max = 63},
    {"words", OPTION_FLAG, .offset = offsetof(struct import_args, options.words)},
    {"rate", OPTION_WHOLE, .offset = offsetof(struct import_args, options.rate), .min = 1,
     .max = 1 << 20},
    {"seed", OPTION_WHOLE, .offset = offsetof(struct import_args, seed), .min = 0,
     .max = INT64_MAX},
    {"validate", OPTION_READ, .read = refuse_validate},
    {0},
};

static int unknown_importer(const char *name, struct err *err) {
    const struct importer *const *table;
    char names[128] = "";
    int n;

    table = importer_table(&n);
    for (int i = 0; i < n; i++) {
        if (i)
            strncat(names, ", ", sizeof names - strlen(names) - 1);
        strncat(names, table[i]->name, sizeof names - strlen(names) - 1);
    }
    return err_set(err, ERR_USAGE, "data: there is no importer '%s', expected one of %s", name,
                   names);
}

static bool table_given(const struct import_table *t) {
    return t->features || t->target || t->group || t->missing || t->no_header || t->window ||
           t->horizon;
}

/* Options that the importer does not know. */
static int check_takes(const struct importer *importer, const struct import_args *args,
                       struct err *err) {
    const struct import_options *o = &args->options;
    const struct {
        unsigned takes;
        bool given;
        const char *text;
    } rules[] = {{IMPORT_SIZE | IMPORT_VOLUME, o->width > 0, "--size"},
                 {IMPORT_SIZE, args->fit, "--fit"},
                 {IMPORT_MODE, args->grey || args->colour, "--grey or --colour"},
                 {IMPORT_MODE, o->unturned, "--orientation"},
                 {IMPORT_SKIP, o->skip_broken, "--skip-broken"},
                 {IMPORT_BINARY, o->binary, "--binary"},
                 {IMPORT_HALVES, o->halves, "--halves"},
                 {IMPORT_SUFFIX, o->mask_suffix != NULL, "--mask-suffix"},
                 {IMPORT_ENCODED, o->encoded, "--encoded"},
                 {IMPORT_SPLIT, o->split.n || o->split.share > 0, "--split"},
                 {IMPORT_FOLDS, args->folds > 0, "--folds; dltrain data split makes them"},
                 {IMPORT_TABLE, table_given(&o->table),
                  "--features, --target, --group, --missing, --no-header, --window or --horizon"},
                 {IMPORT_TABLE, args->classes || args->regression, "--classes or --regression"},
                 {IMPORT_LENGTH, o->length > 0, "--length"},
                 {IMPORT_WORDS, o->words, "--words"},
                 {IMPORT_RATE, o->rate > 0, "--rate"},
                 {IMPORT_VOLUME, o->depth || o->spacing[0] > 0 || args->slices,
                  "--size of depth, --spacing or --slices"}};

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].given && !(importer->takes & rules[i].takes))
            return err_set(err, ERR_USAGE, "data: the importer %s has no %s", importer->name,
                           rules[i].text);
    if (o->mask_suffix && !*o->mask_suffix)
        return err_set(err, ERR_USAGE, "data: --mask-suffix is empty, expected one such as _mask");
    return 0;
}

static int settle_table(struct import_args *args, bool held, struct err *err) {
    struct import_table *t = &args->options.table;

    if (args->classes && args->regression)
        return data_usage_error("--classes and --regression exclude each other", err);
    if ((args->classes || args->regression || t->window) && !t->target)
        return data_usage_error("--classes, --regression and --window are about --target, which is "
                                "not given",
                                err);
    if (t->group && !held && !args->folds)
        return data_usage_error("--group is for --split and --folds, which are not given", err);
    if (!t->window != !t->horizon)
        return data_usage_error("--window 32 and --horizon 1 go together", err);
    if (t->window && (t->group || args->classes))
        return data_usage_error("--window makes series of numbers, without --group and --classes",
                                err);
    t->as = args->classes ? TARGET_CLASSES : args->regression ? TARGET_NUMBERS : TARGET_BY_TYPE;
    args->options.split.folds = (int)args->folds;
    return 0;
}

/* What goes together, and what is left to be said where it was not given. */
static int settle(struct import_args *args, struct err *err) {
    struct import_options *o = &args->options;

    const bool held = o->split.n || o->split.share > 0;

    if (args->seed != NO_SEED && !held && !args->folds)
        return data_usage_error("--seed is for --split and --folds, which are not given", err);
    if (held && args->folds)
        return data_usage_error("--split and --folds exclude each other", err);
    if (args->slices && args->slices % 2 == 0)
        return data_usage_error("--slices is odd: a slice and as many on either side", err);
    o->slices = (int)args->slices;
    if (settle_table(args, held, err))
        return -1;
    if (args->resize_short && !o->encoded)
        return data_usage_error("--resize-short is for --encoded; --size brings images to one size",
                                err);
    if (args->quality && !args->resize_short)
        return data_usage_error("--quality is for --resize-short: without it files stay as they "
                                "are",
                                err);
    if (o->encoded && o->width)
        return data_usage_error("--size brings images to one size, --encoded keeps them as they "
                                "are; --resize-short makes large ones smaller",
                                err);
    if (o->encoded && o->unturned)
        return data_usage_error("--orientation is decided where images are decoded, which "
                                "--encoded leaves to training",
                                err);
    if (args->fit && !o->width)
        return data_usage_error("--fit is how images come to the size of --size, which is not "
                                "given",
                                err);
    if (args->grey && args->colour)
        return data_usage_error("--grey and --colour exclude each other", err);
    o->resize_short = (int)args->resize_short;
    o->mode = args->grey ? IMAGE_GREY : args->colour ? IMAGE_COLOUR : IMAGE_AS_STORED;
    o->quality = args->quality ? (int)args->quality : USUAL_QUALITY;
    o->threads = (int)args->jobs;
    o->split.seed = args->seed == NO_SEED ? 1 : (uint64_t)args->seed;
    return 0;
}

/* Few are listed, many are a file beside the target. */
static int print_skipped(const char *target, const struct import_result *result, struct err *err) {
    const int64_t n = result->n_skipped;
    char path[DATASET_FILE_PATH + 16];

    if (!n)
        return 0;
    printf("skipped %lld broken %s", (long long)n, n == 1 ? "image" : "images");
    if (!result->skipped || n > MOST_LISTED)
        printf(", the first: %s", result->skipped ? result->skipped[0] : result->first_skipped);
    printf("\n");
    for (int64_t i = 0; result->skipped && n <= MOST_LISTED && i < n; i++)
        printf("  %s\n", result->skipped[i]);
    if (!result->skipped || n <= MOST_LISTED)
        return 0;
    snprintf(path, sizeof path, "%s.skipped.txt", target);
    if (data_write_lines(path, result->skipped, n, err))
        return -1;
    printf("all of them are listed in %s\n", path);
    return 0;
}

static void print_result(const char *target, const struct import_result *result) {
    const struct import_pace *pace = &result->pace;

    printf("%s: %lld %s in %d %s", target, (long long)result->n_images,
           result->what ? result->what : "images", result->n_splits,
           result->n_splits == 1 ? "group" : "groups");
    if (result->n_classes)
        printf(", %d %s", result->n_classes, result->n_classes == 1 ? "class" : "classes");
    if (result->n_bytes)
        printf(", %.1f MiB; %.1f s, %.0f images/s", (double)result->n_bytes / (1 << 20),
               pace->seconds, (double)(pace->done - pace->begun) / (pace->seconds + 1e-9));
    printf("\n");
    if (*result->note)
        printf("%s\n", result->note);
}

int data_import(int argc, char **argv, struct err *err) {
    struct import_args args = {.options.progress = {.report = data_show_progress},
                               .jobs = data_default_jobs(),
                               .seed = NO_SEED};
    struct import_result result = {0};
    const int first = options_read(&args, import_specs, "data", argc, argv, err);

    if (first < 0)
        return -1;
    if (argc - first != 3)
        return data_usage_error("import takes an importer, a source and a target", err);
    const struct importer *importer = importer_find(argv[first]);
    const char *target = argv[first + 2];
    if (!importer)
        return unknown_importer(argv[first], err);
    const char *source = argv[first + 1];
    if (check_takes(importer, &args, err) || settle(&args, err) ||
        dataset_file_check(target, &source, 1, err))
        return -1;
    if (args.options.encoded)
        data_pace_begin(&args.options.progress);
    int status = importer->run(source, target, &args.options, &result, err);
    if (!status) {
        print_result(target, &result);
        status = print_skipped(target, &result, err);
    }
    if (!status && result.n_ignored)
        printf("ignored %lld %s that %s no %s\n", (long long)result.n_ignored,
               result.n_ignored == 1 ? "file" : "files", result.n_ignored == 1 ? "is" : "are",
               result.what ? result.what : IMPORT_ENDINGS);
    import_result_release(&result);
    return status;
}
