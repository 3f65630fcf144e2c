/* dltrain data synth: datasets made on the spot. */
#include "cmd/data.h"
#include "cmd/data_pace.h"
#include "cmd/options.h"
#include "io/dataset/dataset_file.h"
#include "io/import/synth.h"

#include <stdio.h>

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

int data_synth(int argc, char **argv, struct err *err) {
    struct synth_args args = {.options = SYNTH_DEFAULTS};
    struct synth_options *options = &args.options;

    args.seed = (int64_t)options->seed;
    const int first = options_read(&args, synth_specs, "data", argc, argv, err);
    if (first < 0)
        return -1;
    if (argc - first != 1)
        return data_usage_error("synth takes one target", err);
    options->seed = (uint64_t)args.seed;
    options->progress.report = data_show_progress;
    if (dataset_file_check(argv[first], NULL, 0, err) || synth_write(argv[first], options, err))
        return -1;
    printf("%s: %lld images in train, %lld in test, %d classes\n", argv[first],
           (long long)options->n_train, (long long)options->n_test, SYNTH_CLASSES);
    return 0;
}
