#include "io/dataset/dataset_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_TEXT = 256 };

int layout_open(struct h5 **file, char **group, const char *spec, struct h5_files *files,
                struct err *err) {
    char *path = strdup(spec), *colon = path ? strrchr(path, ':') : NULL;
    int status = path ? 0 : err_set(err, ERR_IO, "%s: out of memory", spec);

    *group = NULL;
    /* A colon may also be part of the file's name. */
    if (colon && access(spec, F_OK) != 0) {
        *colon++ = 0;
        *group = *colon ? strdup(colon) : NULL;
        if (*colon && !*group)
            status = err_set(err, ERR_IO, "%s: out of memory", spec);
    }
    if (!status)
        status = h5_files_open(files, path, file, err);
    free(path);
    return status;
}

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

/* 1, 0, -1 with err. */
static int has_dataset(struct h5 *file, const char *group, const char *name, struct err *err) {
    char path[LAYOUT_PATH];

    return join(path, group, name) ? h5_is_data(file, path, err) : 0;
}

/* The first of names that is a dataset of the group, or "". */
static int find_name(struct h5 *file, const char *group, const char *const *names, const char **out,
                     struct err *err) {
    for (*out = ""; *names; names++) {
        const int found = has_dataset(file, group, *names, err);

        if (found > 0)
            *out = *names;
        if (found)
            return found < 0 ? -1 : 0;
    }
    return 0;
}

/* 1 where the group is a split, 0 where it is not, -1 with err. */
static int find_in_group(struct h5 *file, const char *group, struct dataset_layout *out,
                         struct err *err) {
    const char *images, *labels;
    char encoded[LAYOUT_PATH] = "";
    const int is = h5_is_group(file, group, err);

    if (is <= 0)
        return is;
    if (find_name(file, group, image_names, &images, err) ||
        find_name(file, group, label_names, &labels, err) ||
        (!*images && layout_find_encoded(file, group, encoded, err)))
        return -1;
    if (strcmp(encoded, labels) == 0)
        labels = ""; /* pictures, whatever they are called */
    if (layout_gather(file, group, NULL, *images ? images : encoded, labels, out, err))
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
        if (!flat_name(images, flat_names[i].images, split) ||
            !flat_name(labels, flat_names[i].labels, split))
            continue;
        const int there = has_dataset(file, "/", images, err);
        const int labelled = there > 0 ? has_dataset(file, "/", labels, err) : 0;
        if (there < 0 || labelled < 0)
            return -1;
        if (there)
            return layout_gather(file, "/", split, images, labelled ? labels : "", out, err) ? -1
                                                                                             : 1;
    }
    return 0;
}

/* The split of a dataset whose name is the pattern with it in the place of %s; false: of none. */
static bool split_of(const char *pattern, const char *name, char *split) {
    const size_t n = strlen(name), before = strcspn(pattern, "%"),
                 after = strlen(pattern) - before - 2;

    if (n <= before + after || strncmp(name, pattern, before) ||
        strcmp(name + n - after, pattern + before + 2))
        return false;
    return snprintf(split, LAYOUT_PATH, "%.*s", (int)(n - before - after), name + before) <
           LAYOUT_PATH;
}

/* The split of a dataset of the file that is its images: train of train_set_x, which the pattern
 * that says most of the name tells. */
static bool is_flat_image(const char *name, char *split) {
    char other[LAYOUT_PATH];
    bool found = false;

    for (size_t i = 0; i < sizeof flat_names / sizeof *flat_names; i++)
        if (split_of(flat_names[i].images, name, other) &&
            (!found || strlen(other) < strlen(split))) {
            strcpy(split, other);
            found = true;
        }
    return found;
}

static bool is_listed(const struct h5_list *list, const char *name) {
    for (int i = 0; i < list->n; i++)
        if (!strcmp(list->entry[i].name, name))
            return true;
    return false;
}

int layout_flat_splits(struct h5 *file, struct h5_list *out, struct err *err) {
    char split[LAYOUT_PATH];

    if (h5_list(file, "/", out, err))
        return -1;
    const struct h5_list all = *out;
    out->n = 0; /* of those that are kept, which move to the front */
    for (int i = 0; i < all.n; i++) {
        char *name = all.entry[i].name;

        if (all.entry[i].group || !is_flat_image(name, split) || is_listed(out, split)) {
            free(name);
            continue;
        }
        strcpy(name, split); /* a part of it */
        out->entry[out->n++] = (struct h5_entry){name, false};
    }
    return 0;
}

static int flat_names_of(struct h5 *file, char text[NAMES_TEXT], struct err *err) {
    struct h5_list list;

    if (layout_flat_splits(file, &list, err))
        return -1;
    layout_names(&list, false, text, NAMES_TEXT);
    h5_list_release(&list);
    return 0;
}

/* There are no fields in `group` (NULL: in the file): say what there is. */
static int not_found(struct h5 *file, const char *group, struct err *err) {
    const int exists = group ? h5_is_group(file, group, err) : 0;
    struct h5_list list = {0};
    char groups[NAMES_TEXT], datasets[NAMES_TEXT], splits[NAMES_TEXT];
    const char *close;

    if (exists < 0 || flat_names_of(file, splits, err) ||
        h5_list(file, exists ? group : "/", &list, err))
        return -1;
    layout_names(&list, true, groups, sizeof groups);
    layout_names(&list, false, datasets, sizeof datasets);
    close = group && !exists ? layout_nearest(&list, group) : NULL;
    if (group && !exists)
        err_set(err, ERR_DATA, "%s: has no group '%s'%s%s%s has %s", h5_name(file), group,
                close ? "; did you mean '" : "", close ? close : "", close ? "'? It" : "; it",
                *groups     ? groups
                : *splits   ? splits
                : *datasets ? datasets
                            : "nothing");
    else if (!group && *splits)
        err_set(err, ERR_DATA, "%s: which split? It has %s; write %s:SPLIT", h5_name(file), splits,
                h5_name(file));
    else
        err_set(err, ERR_DATA,
                "%s%s%s: has no dataset images, image, x, X or data and no other fields of "
                "samples; it has groups: %s; datasets: %s",
                h5_name(file), group ? ":" : "", group ? group : "", *groups ? groups : "none",
                *datasets ? datasets : "none");
    h5_list_release(&list);
    return -1;
}

/* Groups that may be splits: those with fields, the last of them in *out, and those that something
 * is wrong with, which is in *problem where the last is one. -1 with err where it is not the file's
 * fault. */
static int count_splits(struct h5 *file, const struct h5_list *list, struct dataset_layout *out,
                        struct err *problem, struct err *err) {
    char path[LAYOUT_PATH];
    int found = 0;

    for (int i = 0; i < list->n; i++) {
        struct dataset_layout one;
        struct err wrong = {0};

        if (!list->entry[i].group || !join(path, "/", list->entry[i].name))
            continue;
        const int is = find_in_group(file, path, &one, &wrong);
        if (is < 0 && wrong.kind == ERR_IO) {
            *err = wrong;
            return -1;
        }
        if (is)
            *problem = wrong;
        if (is > 0)
            *out = one;
        found += is != 0;
    }
    return found;
}

/* The only group that holds fields, else what fields the root has. */
static int find_only_group(struct h5 *file, struct dataset_layout *out, struct err *err) {
    struct h5_list list = {0}, flat = {0};
    struct err problem = {0};
    char groups[NAMES_TEXT];

    if (h5_list(file, "/", &list, err))
        return -1;
    layout_names(&list, true, groups, sizeof groups);
    const int found = count_splits(file, &list, out, &problem, err);
    h5_list_release(&list);
    if (found < 0)
        return -1;
    if (found > 1)
        return err_set(err, ERR_DATA, "%s: which group? It has %s; write %s:GROUP", h5_name(file),
                       groups, h5_name(file));
    if (found) {
        *err = problem.kind ? problem : *err;
        return problem.kind ? -1 : 0;
    }
    if (layout_flat_splits(file, &flat, err))
        return -1;
    const int n_flat = flat.n;
    const int only = n_flat == 1 ? find_flat(file, flat.entry[0].name, out, err) : 0;
    h5_list_release(&flat);
    if (only)
        return only > 0 ? 0 : -1;
    if (n_flat)
        return not_found(file, NULL, err);
    const int root = find_in_group(file, "/", out, err);
    return root > 0 ? 0 : root < 0 ? -1 : not_found(file, NULL, err);
}

/* Without a name: the root where it has images, else the only split. */
static int find_only(struct h5 *file, struct dataset_layout *out, struct err *err) {
    const char *images;
    char encoded[LAYOUT_PATH] = "";

    if (find_name(file, "/", image_names, &images, err) ||
        (!*images && layout_find_encoded(file, "/", encoded, err)))
        return -1;
    if (*images || *encoded)
        return find_in_group(file, "/", out, err) < 0 ? -1 : 0;
    return find_only_group(file, out, err);
}

int dataset_layout_find(struct h5 *file, const char *group, struct dataset_layout *out,
                        struct err *err) {
    char path[LAYOUT_PATH], split[LAYOUT_PATH];
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
    if (!found && is_flat_image(group, split)) /* x_train for train */
        found = find_flat(file, split, out, err);
    return found > 0 ? 0 : found < 0 ? -1 : not_found(file, group, err);
}
