#include "io/import/import_split.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *folder, *group;
} spellings[] = {{"train", "train"},         {"training", "train"}, {"val", "val"},
                 {"validate", "validate"},   {"valid", "validate"}, {"dev", "validate"},
                 {"validation", "validate"}, {"test", "test"},      {"testing", "test"}};

const char *split_group(const char *folder) {
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (strcasecmp(spellings[i].folder, folder) == 0)
            return spellings[i].group;
    return NULL;
}

bool split_is_train(const char *group) {
    return strcmp(group, "train") == 0;
}

bool split_is_validation(const char *group) {
    return strcmp(group, "val") == 0 || strcmp(group, "validate") == 0;
}

int split_check(const char *group, int i, int n, struct err *err) {
    if (split_is_validation(group))
        return err_set(err, ERR_USAGE, "data: --split has nothing to do: there is a group %s",
                       group);
    if (i == 0 && n > 1 && !split_is_train(group))
        return err_set(err, ERR_USAGE,
                       "data: --split holds images of train out, but no split is called train; the "
                       "first of %d is %s",
                       n, group);
    return 0;
}

int split_count(const struct import_split *how, int64_t len, const char *what, const char *group,
                int64_t *n, struct err *err) {
    *n = how->n ? how->n : (int64_t)((double)len * how->share + 0.5);
    if (*n >= 1 && *n < len)
        return 0;
    return err_set(err, ERR_USAGE,
                   "data: --split would hold out %lld of %lld %s of %s, expected some, not all",
                   (long long)*n, (long long)len, what, group);
}
