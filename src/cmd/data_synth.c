/* dltrain data synth: datasets made on the spot. */
#include "cmd/data.h"
#include "cmd/data_pace.h"
#include "cmd/options.h"
#include "io/dataset/dataset_file.h"
#include "io/import/synth.h"
#include "io/import/synth_boxes.h"
#include "io/import/synth_imagenet.h"
#include "io/import/synth_photo.h"

#include <stdio.h>
#include <string.h>

enum { IMAGENET_SAMPLES = 20000 };

/* What `data synth` is told; numbers that are 0 were not given. */
struct synth_args {
    int64_t train, test, seed;
    int64_t samples, classes, jobs;
    int64_t side, objects;
    const char *like;
};

static const struct option_spec synth_specs[] = {
    {"train", OPTION_WHOLE, .offset = offsetof(struct synth_args, train), .min = 1,
     .max = INT32_MAX},
    {"test", OPTION_WHOLE, .offset = offsetof(struct synth_args, test), .min = 1, .max = INT32_MAX},
    {"seed", OPTION_WHOLE, .offset = offsetof(struct synth_args, seed), .min = 0, .max = INT64_MAX},
    {"like", OPTION_TEXT, .offset = offsetof(struct synth_args, like)},
    {"samples", OPTION_WHOLE, .offset = offsetof(struct synth_args, samples), .min = 2,
     .max = INT32_MAX},
    {"classes", OPTION_WHOLE, .offset = offsetof(struct synth_args, classes), .min = 1,
     .max = PHOTO_MOST_CLASSES},
    {"side", OPTION_WHOLE, .offset = offsetof(struct synth_args, side), .min = SYNTH_LEAST_SIDE,
     .max = SYNTH_MOST_SIDE},
    {"objects", OPTION_WHOLE, .offset = offsetof(struct synth_args, objects), .min = 1,
     .max = SYNTH_MOST_OBJECTS},
    {"jobs", OPTION_WHOLE, .offset = offsetof(struct synth_args, jobs), .min = 1,
     .max = DATA_MOST_JOBS},
    {0},
};

static int write_imagenet(const char *path, const struct synth_args *args, struct err *err) {
    const struct synth_imagenet what = {.samples = args->samples ? args->samples : IMAGENET_SAMPLES,
                                        .classes =
                                            args->classes ? (int)args->classes : PHOTO_MOST_CLASSES,
                                        .seed = (uint64_t)args->seed};
    struct import_options how = {.threads = (int)(args->jobs ? args->jobs : data_default_jobs())};
    struct import_result result = {0};

    data_pace_begin(&how.progress);
    const int status = synth_imagenet_write(path, &what, &how, &result, err);
    if (!status)
        printf("%s: %lld images in train, %lld in validate, %d classes, %.1f MiB; %.1f s, %.0f "
               "images/s\n",
               path, (long long)synth_imagenet_len(&what, SYNTH_IMAGENET_TRAIN),
               (long long)synth_imagenet_len(&what, SYNTH_IMAGENET_VALIDATE), what.classes,
               (double)result.n_bytes / (1 << 20), result.pace.seconds,
               (double)(result.pace.done - result.pace.begun) / (result.pace.seconds + 1e-9));
    import_result_release(&result);
    return status;
}

static int write_small(const char *path, const struct synth_args *args, struct err *err) {
    struct synth_options options = SYNTH_DEFAULTS;

    options.n_train = args->train ? args->train : options.n_train;
    options.n_test = args->test ? args->test : options.n_test;
    options.seed = (uint64_t)args->seed;
    options.progress.report = data_show_progress;
    if (synth_write(path, &options, err))
        return -1;
    printf("%s: %lld images in train, %lld in test, %d classes\n", path, (long long)options.n_train,
           (long long)options.n_test, SYNTH_CLASSES);
    return 0;
}

static int write_boxes(const char *path, const struct synth_args *args, struct err *err) {
    struct synth_boxes s = SYNTH_BOXES_DEFAULTS;

    if (args->classes > SYNTH_CLASSES)
        return err_set(err, ERR_USAGE, "data: --classes is %lld, and there are %d shapes",
                       (long long)args->classes, SYNTH_CLASSES);
    s.n_train = args->train ? args->train : s.n_train;
    s.n_test = args->test ? args->test : s.n_test;
    s.classes = args->classes ? (int)args->classes : s.classes;
    s.side = args->side ? (int)args->side : s.side;
    s.most = args->objects ? (int)args->objects : s.most;
    s.seed = (uint64_t)args->seed;
    s.progress.report = data_show_progress;
    if (synth_boxes_write(path, &s, err))
        return -1;
    printf("%s: %lld images in train, %lld in test, up to %d boxes of %d %s in each\n", path,
           (long long)s.n_train, (long long)s.n_test, s.most, s.classes,
           s.classes == 1 ? "class" : "classes");
    return 0;
}

/* Options that go with what is made. */
static int check_like(const struct synth_args *args, bool imagenet, bool boxes, struct err *err) {
    if (args->like && !imagenet && !boxes)
        return err_set(err, ERR_USAGE, "data: --like is '%s', expected imagenet or boxes",
                       args->like);
    if (imagenet && (args->train || args->test))
        return data_usage_error("--train and --test are not for --like imagenet, which takes "
                                "--samples",
                                err);
    if (!imagenet && (args->samples || args->jobs))
        return data_usage_error("--samples and --jobs are for --like imagenet", err);
    if (!args->like && args->classes)
        return data_usage_error("--classes is for --like imagenet and --like boxes", err);
    if (!boxes && (args->side || args->objects))
        return data_usage_error("--side and --objects are for --like boxes", err);
    return 0;
}

int data_synth(int argc, char **argv, struct err *err) {
    struct synth_args args = {.seed = (int64_t)SYNTH_DEFAULTS.seed};
    const int first = options_read(&args, synth_specs, "data", argc, argv, err);

    if (first < 0)
        return -1;
    if (argc - first != 1)
        return data_usage_error("synth takes one target", err);
    const bool imagenet = args.like && strcmp(args.like, "imagenet") == 0;
    const bool boxes = args.like && strcmp(args.like, "boxes") == 0;
    if (check_like(&args, imagenet, boxes, err))
        return -1;
    if (dataset_file_check(argv[first], NULL, 0, err))
        return -1;
    return imagenet ? write_imagenet(argv[first], &args, err)
           : boxes  ? write_boxes(argv[first], &args, err)
                    : write_small(argv[first], &args, err);
}
