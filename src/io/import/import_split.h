/* import_split.h - what folders of splits are called, and what is held out of them. */
#pragma once
#include "core/base/err.h"
#include "io/import/import.h"

#include <stdbool.h>

/* The group for a folder of that name: train for train and training, val for val, validate for
 * validate, validation, valid and dev, test for test and testing, in capitals or not; NULL for any
 * other name, which is the group's as it is. */
const char *split_group(const char *folder);

/* Does that group hold what is trained on? Its statistics are the file's. */
bool split_is_train(const char *group);

/* Does that group hold what is not trained on, while training looks at it? */
bool split_is_validation(const char *group);

/* May something be held out of the first of n splits, where `group` is split i of them?
 * Errors: ERR_USAGE where it is not training, or where one is validation already. */
int split_check(const char *group, int i, int n, struct err *err);

/* How many of `len` samples, called `what`, are to be held out: at least one, and not all. Errors:
 * ERR_USAGE. */
int split_count(const struct import_split *how, int64_t len, const char *what, const char *group,
                int64_t *n, struct err *err);
