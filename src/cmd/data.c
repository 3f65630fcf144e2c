/* dltrain data: make datasets and look into them. */
#include "cmd/command.h"
#include "cmd/data.h"
#include "io/import/import.h"
#include "io/import/synth.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_THREADS = 1024, MOST_SIDE = 1 << 14 };

static int usage_error(const char *what, struct err *err) {
    return err_set(err, ERR_USAGE, "data: %s; see dltrain help data", what);
}

/* On a terminal only: a percentage that overwrites itself. */
static void show_progress(void *context, int64_t done, int64_t total) {
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

/* A whole number from low to high. */
static int parse_number(const char *option, const char *text, int64_t low, int64_t high,
                        int64_t *out, struct err *err) {
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < low || value > high)
        return err_set(err, ERR_USAGE,
                       "data: --%s is '%s', expected a whole number from %lld to %lld", option,
                       text, (long long)low, (long long)high);
    *out = value;
    return 0;
}

/* "256" or "320x240". */
static int parse_size(const char *text, struct import_options *options, struct err *err) {
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

/* A number of images, or a share of them below 1. */
static int parse_held_out(const char *text, struct import_options *options, struct err *err) {
    char *end;
    const double value = strtod(text, &end);

    if (end == text || *end || !(value > 0) || (value >= 1 && value != floor(value)) ||
        value > INT32_MAX)
        return err_set(err, ERR_USAGE,
                       "data: --validate is '%s', expected a number of images or a share such as "
                       "0.1",
                       text);
    options->validate = value >= 1 ? (int64_t)value : 0;
    options->validate_share = value < 1 ? value : 0;
    return 0;
}

static int default_threads(void) {
    const long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (int)n;
}

static int import_options(int argc, char **argv, struct import_options *options, struct err *err) {
    static const struct option longs[] = {
        {"size", required_argument, NULL, 's'},     {"fit", required_argument, NULL, 'f'},
        {"grey", no_argument, NULL, 'g'},           {"colour", no_argument, NULL, 'c'},
        {"skip-broken", no_argument, NULL, 'b'},    {"threads", required_argument, NULL, 't'},
        {"binary", no_argument, NULL, 'm'},         {"halves", no_argument, NULL, 'h'},
        {"validate", required_argument, NULL, 'v'}, {0}};
    int64_t threads = 0;
    int option;

    *options =
        (struct import_options){.threads = default_threads(), .progress = {show_progress, NULL}};
    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (option) {
        case 's':
            if (parse_size(optarg, options, err))
                return -1;
            break;
        case 'f':
            options->fit = strcmp(optarg, "stretch") == 0 ? IMAGE_STRETCH : IMAGE_CROP;
            if (options->fit == IMAGE_CROP && strcmp(optarg, "crop") != 0)
                return err_set(err, ERR_USAGE, "data: --fit is '%s', expected crop or stretch",
                               optarg);
            break;
        case 'g':
            options->mode = IMAGE_GREY;
            break;
        case 'c':
            options->mode = IMAGE_COLOUR;
            break;
        case 'b':
            options->skip_broken = true;
            break;
        case 'm':
            options->binary = true;
            break;
        case 'h':
            options->halves = true;
            break;
        case 'v':
            if (parse_held_out(optarg, options, err))
                return -1;
            break;
        case 't':
            if (parse_number("threads", optarg, 1, MOST_THREADS, &threads, err))
                return -1;
            options->threads = (int)threads;
            break;
        default:
            return err_set(err, ERR_USAGE,
                           "data: %s is no option of import, or lacks its value; see dltrain help "
                           "data",
                           argv[optind - 1]);
        }
    return 0;
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
                 {IMPORT_SKIP, o->skip_broken, "--skip-broken"},
                 {IMPORT_BINARY, o->binary, "--binary"},
                 {IMPORT_HALVES, o->halves, "--halves"},
                 {IMPORT_VALIDATE, o->validate || o->validate_share > 0, "--validate"}};

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].given && !(importer->takes & rules[i].takes))
            return err_set(err, ERR_USAGE, "data: the importer %s has no %s", importer->name,
                           rules[i].text);
    return 0;
}

static int run_import(int argc, char **argv, struct err *err) {
    struct import_options options;
    struct import_result result = {0};
    const struct importer *importer;
    const char *target;

    if (import_options(argc, argv, &options, err))
        return -1;
    if (argc - optind != 3)
        return usage_error("import takes an importer, a source and a target", err);
    importer = importer_find(argv[optind]);
    target = argv[optind + 2];
    if (!importer)
        return unknown_importer(argv[optind], err);
    if (check_takes(importer, &options, err))
        return -1;
    if (importer->run(argv[optind + 1], target, &options, &result, err))
        return -1;
    printf("%s: %lld images in %d %s", target, (long long)result.n_images, result.n_splits,
           result.n_splits == 1 ? "group" : "groups");
    if (result.n_classes)
        printf(", %d classes", result.n_classes);
    printf("\n");
    if (*result.note)
        printf("%s\n", result.note);
    if (result.n_skipped)
        printf("skipped %lld broken images, the first: %s\n", (long long)result.n_skipped,
               result.first_skipped);
    if (result.n_ignored)
        printf("ignored %lld files that are not .jpg, .jpeg or .png\n",
               (long long)result.n_ignored);
    return 0;
}

static int run_synth(int argc, char **argv, struct err *err) {
    static const struct option longs[] = {{"train", required_argument, NULL, 'r'},
                                          {"test", required_argument, NULL, 'e'},
                                          {"seed", required_argument, NULL, 's'},
                                          {0}};
    struct synth_options options = SYNTH_DEFAULTS;
    int64_t seed = 0;
    int option;

    options.progress.report = show_progress;
    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (option) {
        case 'r':
            if (parse_number("train", optarg, 1, INT32_MAX, &options.n_train, err))
                return -1;
            break;
        case 'e':
            if (parse_number("test", optarg, 1, INT32_MAX, &options.n_test, err))
                return -1;
            break;
        case 's':
            if (parse_number("seed", optarg, 0, INT64_MAX, &seed, err))
                return -1;
            options.seed = (uint64_t)seed;
            break;
        default:
            return err_set(err, ERR_USAGE,
                           "data: %s is no option of synth, or lacks its value; see dltrain help "
                           "data",
                           argv[optind - 1]);
        }
    if (argc - optind != 1)
        return usage_error("synth takes one target", err);
    if (synth_write(argv[optind], &options, err))
        return -1;
    printf("%s: %lld images in train, %lld in test, %d classes\n", argv[optind],
           (long long)options.n_train, (long long)options.n_test, SYNTH_CLASSES);
    return 0;
}

static int run(int argc, char **argv, struct err *err) {
    if (argc < 2)
        return usage_error("expected import, synth or info", err);
    if (strcmp(argv[1], "import") == 0)
        return run_import(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "synth") == 0)
        return run_synth(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "info") == 0 && argc == 3)
        return data_info(argv[2], err);
    if (strcmp(argv[1], "info") == 0)
        return usage_error("info takes one file", err);
    return err_set(err, ERR_USAGE, "data: there is no '%s', expected import, synth or info",
                   argv[1]);
}

const struct command command_data = {
    .name = "data",
    .summary = "import a dataset, make one up, or show what is in one",
    .usage =
        "dltrain data import IMPORTER SOURCE OUT.h5 [options]\n"
        "  imagefolder   SOURCE/CLASS/IMAGE or SOURCE/SPLIT/CLASS/IMAGE, JPEG and PNG\n"
        "  segmentation  images and masks: SOURCE/image/X.png and SOURCE/mask/X.png, or these\n"
        "                in SOURCE/SPLIT\n"
        "  pairs         SOURCE/A/X.png and SOURCE/B/X.png, or these in SOURCE/SPLIT\n"
        "  unpaired      SOURCE/trainA, SOURCE/trainB, SOURCE/testA, SOURCE/testB\n"
        "  idx           MNIST's files train-images-idx3-ubyte ... (unpacked)\n"
        "  cifar         CIFAR-10 or CIFAR-100, binary version\n"
        "  options of all but idx and cifar:\n"
        "  --size WxH    bring images to this size (default: they must all agree)\n"
        "  --fit HOW     crop (keep proportions, cut the edges; default) or stretch\n"
        "  --grey, --colour   channels (default: as the first image)\n"
        "  --threads N   for decoding (default: all processors)\n"
        "  of imagefolder:\n"
        "  --skip-broken      leave out images that cannot be decoded, and count them\n"
        "  of segmentation:\n"
        "  --binary      two classes: dark and bright (default: where masks hold 0 and 255)\n"
        "  of pairs:\n"
        "  --halves      both images of a pair side by side in one: SOURCE/SPLIT/X.jpg\n"
        "  of segmentation, pairs and unpaired:\n"
        "  --validate N  hold the last N images of train, or that share of them, out as the\n"
        "                group validate\n"
        "dltrain data synth OUT.h5 [--train 10000] [--test 2000] [--seed 1]\n"
        "  a dataset of textured shapes, 10 classes, 32x32, in colour\n"
        "dltrain data info FILE.h5\n"
        "  groups, fields, shapes, classes, mean and standard deviation, chunks\n",
    .run = run,
};
