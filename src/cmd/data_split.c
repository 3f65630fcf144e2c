/* dltrain data split: the rows of a group cut into folds, or into train and validate. */
#include "cmd/data.h"
#include "cmd/data_pace.h"
#include "cmd/options.h"
#include "io/dataset/dataset_split.h"

#include <stdio.h>

struct split_args {
    struct data_share held; /* --split */
    int64_t folds, seed;
};

static int read_held(void *to, const char *text, struct err *err) {
    return data_read_share(text, "rows", &((struct split_args *)to)->held, err);
}

static const struct option_spec specs[] = {
    {"folds", OPTION_WHOLE, .offset = offsetof(struct split_args, folds), .min = 2,
     .max = SPLIT_MOST_FOLDS},
    {"split", OPTION_READ, .read = read_held},
    {"seed", OPTION_WHOLE, .offset = offsetof(struct split_args, seed), .min = 0, .max = INT64_MAX},
    {0},
};

int data_split(int argc, char **argv, struct err *err) {
    struct split_args args = {.seed = 1};
    struct split_result result;
    const int first = options_read(&args, specs, "data", argc, argv, err);

    if (first < 0)
        return -1;
    if (argc - first != 2)
        return err_set(err, ERR_USAGE,
                       "data: split takes FILE.h5 or FILE.h5:GROUP, and the file to write; see "
                       "dltrain help data");
    if (!args.folds == !(args.held.n || args.held.share > 0))
        return err_set(err, ERR_USAGE,
                       "data: split takes either --folds 5 or --split 0.2; see dltrain help data");
    const struct split_plan plan = {.folds = (int)args.folds,
                                    .n = args.held.n,
                                    .share = args.held.share,
                                    .seed = (uint64_t)args.seed,
                                    .report = data_show_progress};
    if (dataset_split(argv[first], argv[first + 1], &plan, &result, err))
        return -1;
    printf("%s:", argv[first + 1]);
    for (int g = 0; g < result.n_groups; g++) {
        char name[SPLIT_NAME];

        split_name(&plan, g, name);
        printf("%s %lld samples in %s", g ? "," : "", (long long)result.rows[g], name);
    }
    printf("\n%s%s", result.note, *result.note ? "\n" : "");
    return 0;
}
