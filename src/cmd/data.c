/* dltrain data: make datasets and look into them. */
#include "cmd/command.h"
#include "cmd/data.h"
#include "cmd/options.h"
#include "dist/launch.h"
#include "io/dataset/dataset_file.h"
#include "io/import/import.h"
#include "io/import/synth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_THREADS = 1024, MOST_SIDE = 1 << 14, NO_SEED = -1 };

static int usage_error(const char *what, struct err *err) {
    return err_set(err, ERR_USAGE, "data: %s; see dltrain help data", what);
}

void data_show_progress(void *context, int64_t done, int64_t total) {
    (void)context;
    if (!isatty(STDERR_FILENO))
        return;
    if (total > 0)
        fprintf(stderr, "\r%3d %%", (int)(100 * done / total));
    else
        fprintf(stderr, "\r%lld images", (long long)done);
    if (done == total)
        fputs("\r      \r", stderr);
}

/* What `data import` is told. */
struct import_args {
    struct import_options options;
    int64_t threads, seed; /* seed -1: not given */
};

/* "256" or "320x240". */
static int read_size(void *to, const char *text, struct err *err) {
    struct import_options *options = &((struct import_args *)to)->options;
    int width, height, used = 0;

    if (sscanf(text, "%5dx%5d%n", &width, &height, &used) != 2 || text[used]) {
        if (sscanf(text, "%5d%n", &width, &used) != 1 || text[used])
            width = 0;
        height = width;
    }
    if (width < 1 || height < 1 || width > MOST_SIDE || height > MOST_SIDE)
        return err_set(err, ERR_USAGE,
                       "data: --size is '%s', expected WIDTHxHEIGHT or one number, each 1 to %d",
                       text, MOST_SIDE);
    options->width = width;
    options->height = height;
    return 0;
}

int data_read_share(const char *text, const char *what, struct data_share *out, struct err *err) {
    char *end;
    const double value = strtod(text, &end);

    if (end == text || *end || !(value > 0) || (value >= 1 && value != floor(value)) ||
        value > INT32_MAX)
        return err_set(err, ERR_USAGE,
                       "data: --split is '%s', expected a number of %s or a share such as 0.1",
                       text, what);
    out->n = value >= 1 ? (int64_t)value : 0;
    out->share = value < 1 ? value : 0;
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

static int take_grey(void *to, const char *text, struct err *err) {
    (void)text, (void)err;
    ((struct import_args *)to)->options.mode = IMAGE_GREY;
    return 0;
}

static int take_colour(void *to, const char *text, struct err *err) {
    (void)text, (void)err;
    ((struct import_args *)to)->options.mode = IMAGE_COLOUR;
    return 0;
}

static const struct option_spec import_specs[] = {
    {"size", OPTION_READ, .read = read_size},
    {"fit", OPTION_READ, .read = read_fit},
    {"grey", OPTION_CALL, .read = take_grey},
    {"colour", OPTION_CALL, .read = take_colour},
    {"orientation", OPTION_READ, .read = read_orientation},
    {"skip-broken", OPTION_FLAG, .offset = offsetof(struct import_args, options.skip_broken)},
    {"threads", OPTION_WHOLE, .offset = offsetof(struct import_args, threads), .min = 1,
     .max = MOST_THREADS},
    {"binary", OPTION_FLAG, .offset = offsetof(struct import_args, options.binary)},
    {"halves", OPTION_FLAG, .offset = offsetof(struct import_args, options.halves)},
    {"mask-suffix", OPTION_TEXT, .offset = offsetof(struct import_args, options.mask_suffix)},
    {"split", OPTION_READ, .read = read_split},
    {"seed", OPTION_WHOLE, .offset = offsetof(struct import_args, seed), .min = 0,
     .max = INT64_MAX},
    {"validate", OPTION_READ, .read = refuse_validate},
    {0},
};

static int64_t default_threads(void) {
    const long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : n;
}

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

/* Options that the importer does not know. */
static int check_takes(const struct importer *importer, const struct import_options *o,
                       struct err *err) {
    const struct {
        unsigned takes;
        bool given;
        const char *text;
    } rules[] = {{IMPORT_SIZE, o->width > 0, "--size"},
                 {IMPORT_MODE, o->mode != IMAGE_AS_STORED, "--grey or --colour"},
                 {IMPORT_MODE, o->unturned, "--orientation"},
                 {IMPORT_SKIP, o->skip_broken, "--skip-broken"},
                 {IMPORT_BINARY, o->binary, "--binary"},
                 {IMPORT_HALVES, o->halves, "--halves"},
                 {IMPORT_SUFFIX, o->mask_suffix != NULL, "--mask-suffix"},
                 {IMPORT_SPLIT, o->split.n || o->split.share > 0, "--split"}};

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].given && !(importer->takes & rules[i].takes))
            return err_set(err, ERR_USAGE, "data: the importer %s has no %s", importer->name,
                           rules[i].text);
    if (o->mask_suffix && !*o->mask_suffix)
        return err_set(err, ERR_USAGE, "data: --mask-suffix is empty, expected one such as _mask");
    return 0;
}

static int run_import(int argc, char **argv, struct err *err) {
    struct import_args args = {.options.progress = {data_show_progress, NULL},
                               .threads = default_threads(),
                               .seed = NO_SEED};
    struct import_result result = {0};
    const int first = options_read(&args, import_specs, "data", argc, argv, err);

    if (first < 0)
        return -1;
    if (argc - first != 3)
        return usage_error("import takes an importer, a source and a target", err);
    const struct importer *importer = importer_find(argv[first]);
    const char *target = argv[first + 2];
    if (!importer)
        return unknown_importer(argv[first], err);
    const char *source = argv[first + 1];
    if (check_takes(importer, &args.options, err) || dataset_file_check(target, &source, 1, err))
        return -1;
    if (args.seed != NO_SEED && !args.options.split.n && !(args.options.split.share > 0))
        return usage_error("--seed is for --split, which is not given", err);
    args.options.threads = (int)args.threads;
    args.options.split.seed = args.seed == NO_SEED ? 1 : (uint64_t)args.seed;
    if (importer->run(source, target, &args.options, &result, err))
        return -1;
    printf("%s: %lld images in %d %s", target, (long long)result.n_images, result.n_splits,
           result.n_splits == 1 ? "group" : "groups");
    if (result.n_classes)
        printf(", %d %s", result.n_classes, result.n_classes == 1 ? "class" : "classes");
    printf("\n");
    if (*result.note)
        printf("%s\n", result.note);
    if (result.n_skipped)
        printf("skipped %lld broken images, the first: %s\n", (long long)result.n_skipped,
               result.first_skipped);
    if (result.n_ignored)
        printf("ignored %lld files that are not " IMPORT_ENDINGS "\n", (long long)result.n_ignored);
    return 0;
}

/* What `data synth` is told. */
struct synth_args {
    struct synth_options options;
    int64_t seed;
};

static const struct option_spec synth_specs[] = {
    {"train", OPTION_WHOLE, .offset = offsetof(struct synth_args, options.n_train), .min = 1,
     .max = INT32_MAX},
    {"test", OPTION_WHOLE, .offset = offsetof(struct synth_args, options.n_test), .min = 1,
     .max = INT32_MAX},
    {"seed", OPTION_WHOLE, .offset = offsetof(struct synth_args, seed), .min = 0, .max = INT64_MAX},
    {0},
};

static int run_synth(int argc, char **argv, struct err *err) {
    struct synth_args args = {.options = SYNTH_DEFAULTS};
    struct synth_options *options = &args.options;

    args.seed = (int64_t)options->seed;
    const int first = options_read(&args, synth_specs, "data", argc, argv, err);
    if (first < 0)
        return -1;
    if (argc - first != 1)
        return usage_error("synth takes one target", err);
    options->seed = (uint64_t)args.seed;
    options->progress.report = data_show_progress;
    if (dataset_file_check(argv[first], NULL, 0, err) || synth_write(argv[first], options, err))
        return -1;
    printf("%s: %lld images in train, %lld in test, %d classes\n", argv[first],
           (long long)options->n_train, (long long)options->n_test, SYNTH_CLASSES);
    return 0;
}

static int run(int argc, char **argv, struct err *err) {
    if (launch_rank(getenv) > 0) /* one of them does it */
        return 0;
    if (argc < 2)
        return usage_error("expected import, synth, split, info, stats or verify", err);
    if (strcmp(argv[1], "import") == 0)
        return run_import(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "synth") == 0)
        return run_synth(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "split") == 0)
        return data_split(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "info") == 0 && argc == 3)
        return data_info(argv[2], err);
    if (strcmp(argv[1], "info") == 0)
        return usage_error("info takes one file", err);
    if (strcmp(argv[1], "stats") == 0)
        return data_stats(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "verify") == 0 && argc > 2)
        return data_verify(argv + 2, argc - 2, err);
    if (strcmp(argv[1], "verify") == 0)
        return usage_error("verify takes files", err);
    return err_set(err, ERR_USAGE,
                   "data: there is no '%s', expected import, synth, split, info, stats or verify",
                   argv[1]);
}

const struct command command_data = {
    .name = "data",
    .summary = "import a dataset, make one up, show or check what is in one",
    .usage =
        "dltrain data import IMPORTER SOURCE OUT.h5 [options]\n"
        "  imagefolder   SOURCE/CLASS/IMAGE or SOURCE/SPLIT/CLASS/IMAGE: JPEG, PNG, WebP,\n"
        "                BMP, GIF (first frame) and TIFF files\n"
        "  segmentation  images and masks: SOURCE/image/X.png and SOURCE/mask/X.png, or these\n"
        "                in SOURCE/SPLIT\n"
        "  pairs         SOURCE/A/X.png and SOURCE/B/X.png, or these in SOURCE/SPLIT\n"
        "  unpaired      SOURCE/trainA, SOURCE/trainB, SOURCE/testA, SOURCE/testB\n"
        "  idx           MNIST's files train-images-idx3-ubyte ... (unpacked)\n"
        "  cifar         CIFAR-10 or CIFAR-100, binary version\n"
        "  options of all but idx and cifar:\n"
        "  --size WxH    bring images to this size (default: they must all agree)\n"
        "  --fit HOW     crop (keep proportions, cut the edges; default) or stretch\n"
        "  --grey, --colour   channels (default: as most of the images)\n"
        "  --orientation HOW  apply (turn images and masks upright as their EXIF says; default)\n"
        "                or ignore\n"
        "  --threads N   for decoding (default: all processors)\n"
        "  --split S     hold a share S of train (0.2), or S of its images (500), out as the\n"
        "                group validate: drawn, of each class in proportion\n"
        "  --seed N      of the draw (default: 1)\n"
        "  of imagefolder:\n"
        "  --skip-broken      leave out images that cannot be decoded, and count them\n"
        "  of segmentation:\n"
        "  --binary      two classes: dark and bright (default: where masks hold 0 and 255)\n"
        "  --mask-suffix _mask  masks are called X_mask.png, beside the images or not\n"
        "  of pairs:\n"
        "  --halves      both images of a pair side by side in one: SOURCE/SPLIT/X.jpg\n"
        "dltrain data synth OUT.h5 [--train 10000] [--test 2000] [--seed 1]\n"
        "  a dataset of textured shapes, 10 classes, 32x32, in colour\n"
        "dltrain data split FILE.h5[:GROUP] OUT.h5 --folds 5 | --split 0.2 [--seed 1]\n"
        "  the rows of a group as the groups fold1 ... fold5, or train and validate, of each\n"
        "  class in proportion\n"
        "dltrain data info FILE.h5[:GROUP]\n"
        "  groups, fields, shapes, classes, mean and standard deviation, chunks, what was guessed\n"
        "dltrain data stats FILE.h5[:GROUP] [--sheet OUT.png [--each 10]]\n"
        "  means, deviations, classes as bars; a picture of the first samples of each class,\n"
        "  masks beside their images\n"
        "dltrain data verify FILE.h5[:GROUP] ...\n"
        "  read everything: is it undamaged, finite, within its classes, as it was written?\n",
    .run = run,
};
