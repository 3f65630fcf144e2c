#include "io/dataset/dataset_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_TEXT = 256 };

/* In the order of preference. */
static const char *const image_names[] = {"images", "image", "x", "X", "data", NULL};
static const char *const label_names[] = {"labels", "label", "y", "Y", "targets", "target", NULL};

/* Splits that are named in the dataset, not by a group: x_train, y_train. */
static const struct {
    const char *images, *labels;
} flat_names[] = {{"x_%s", "y_%s"},         {"X_%s", "y_%s"},           {"X_%s", "Y_%s"},
                  {"%s_x", "%s_y"},         {"%s_images", "%s_labels"}, {"images_%s", "labels_%s"},
                  {"%s_set_x", "%s_set_y"}, {"%s_data", "%s_labels"}};

/* group and name to path; false where they are too long. */
static bool join(char *path, const char *group, const char *name) {
    return snprintf(path, LAYOUT_PATH, "%s/%s", strcmp(group, "/") == 0 ? "" : group, name) <
           LAYOUT_PATH;
}

static bool has_dataset(struct h5 *file, const char *group, const char *name) {
    char path[LAYOUT_PATH];

    return join(path, group, name) && h5_exists(file, path) && !h5_is_group(file, path);
}

/* The first of names that is a dataset of the group, or "". */
static const char *find_name(struct h5 *file, const char *group, const char *const *names) {
    for (; *names; names++)
        if (has_dataset(file, group, *names))
            return *names;
    return "";
}

/* 1 where the group is a split, 0 where it is not, -1 with err. */
static int find_in_group(struct h5 *file, const char *group, struct dataset_layout *out,
                         struct err *err) {
    if (!h5_is_group(file, group))
        return 0;
    if (layout_gather(file, group, NULL, find_name(file, group, image_names),
                      find_name(file, group, label_names), out, err))
        return -1;
    return out->n_fields > 0;
}

/* Put split in the place of %s of a flat name. */
static bool flat_name(char *name, const char *pattern, const char *split) {
    const char *at = strstr(pattern, "%s");

    return snprintf(name, LAYOUT_PATH, "%.*s%s%s", (int)(at - pattern), pattern, split, at + 2) <
           LAYOUT_PATH;
}

/* As find_in_group. */
static int find_flat(struct h5 *file, const char *split, struct dataset_layout *out,
                     struct err *err) {
    char images[LAYOUT_PATH], labels[LAYOUT_PATH];

    for (size_t i = 0; i < sizeof flat_names / sizeof *flat_names; i++) {
        if (!flat_name(images, flat_names[i].images, split) || !has_dataset(file, "/", images))
            continue;
        if (!flat_name(labels, flat_names[i].labels, split) || !has_dataset(file, "/", labels))
            *labels = 0;
        return layout_gather(file, "/", split, images, labels, out, err) ? -1 : 1;
    }
    return 0;
}

/* There are no fields in `group` (NULL: in the file): say what there is. */
static int not_found(struct h5 *file, const char *group, struct err *err) {
    const bool exists = group && h5_is_group(file, group);
    struct h5_list list = {0};
    char groups[NAMES_TEXT], datasets[NAMES_TEXT];
    const char *close;

    if (h5_list(file, exists ? group : "/", &list, err))
        return -1;
    layout_names(&list, true, groups, sizeof groups);
    layout_names(&list, false, datasets, sizeof datasets);
    close = group && !exists ? layout_nearest(&list, group) : NULL;
    if (group && !exists)
        err_set(err, ERR_DATA, "%s: has no group '%s'%s%s%s has %s", h5_name(file), group,
                close ? "; did you mean '" : "", close ? close : "", close ? "'? It" : "; it",
                *groups     ? groups
                : *datasets ? datasets
                            : "nothing");
    else
        err_set(err, ERR_DATA,
                "%s%s%s: has no dataset images, image, x, X or data and no other fields of "
                "samples; it has groups: %s; datasets: %s",
                h5_name(file), group ? ":" : "", group ? group : "", *groups ? groups : "none",
                *datasets ? datasets : "none");
    h5_list_release(&list);
    return -1;
}

/* Groups that are splits, the last of them in *out. One that holds something else is passed over,
 * unless it is the only one there is. */
static int count_splits(struct h5 *file, const struct h5_list *list, struct dataset_layout *out,
                        struct err *err) {
    struct dataset_layout one;
    char path[LAYOUT_PATH];
    int found = 0, groups = 0;

    for (int i = 0; i < list->n; i++)
        groups += list->entry[i].group;
    for (int i = 0; i < list->n; i++) {
        if (!list->entry[i].group || !join(path, "/", list->entry[i].name))
            continue;
        struct err problem = {0};
        const int is = find_in_group(file, path, &one, &problem);
        if (is < 0 && groups == 1) {
            *err = problem;
            return -1;
        }
        if (is > 0)
            *out = one;
        found += is > 0;
    }
    return found;
}

/* Without a name: the root where it has images, else the only group that holds fields, else what
 * fields the root has. */
static int find_only(struct h5 *file, struct dataset_layout *out, struct err *err) {
    struct h5_list list = {0};
    char groups[NAMES_TEXT];

    if (*find_name(file, "/", image_names))
        return find_in_group(file, "/", out, err) < 0 ? -1 : 0;
    if (h5_list(file, "/", &list, err))
        return -1;
    layout_names(&list, true, groups, sizeof groups);
    const int found = count_splits(file, &list, out, err);
    h5_list_release(&list);
    if (found < 0 || found == 1)
        return found < 0 ? -1 : 0;
    if (found > 1)
        return err_set(err, ERR_DATA, "%s: which group? It has %s; write %s:GROUP", h5_name(file),
                       groups, h5_name(file));
    struct dataset_layout train;
    struct err ignored = {0};
    if (find_flat(file, "train", &train, &ignored))
        return not_found(file, NULL, err);
    const int root = find_in_group(file, "/", out, err);
    return root > 0 ? 0 : root < 0 ? -1 : not_found(file, NULL, err);
}

int dataset_layout_find(struct h5 *file, const char *group, struct dataset_layout *out,
                        struct err *err) {
    char path[LAYOUT_PATH];
    int found = 0;

    *out = (struct dataset_layout){0};
    if (!group)
        return find_only(file, out, err);
    group += strspn(group, "/");
    if (!*group) {
        found = find_in_group(file, "/", out, err);
        return found > 0 ? 0 : found < 0 ? -1 : not_found(file, NULL, err);
    }
    if (join(path, "/", group))
        found = find_in_group(file, path, out, err);
    if (!found)
        found = find_flat(file, group, out, err);
    return found > 0 ? 0 : found < 0 ? -1 : not_found(file, group, err);
}
