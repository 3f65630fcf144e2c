#include "io/dataset_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_TEXT = 256, NAME_COMPARED = 63 };

/* In the order of preference. */
static const char *const image_names[] = {"images", "image", "x", "X", "data", NULL};
static const char *const label_names[] = {"labels", "label", "y", "Y", "targets", "target", NULL};

/* Splits that are named in the dataset, not by a group: x_train, y_train. */
static const struct {
    const char *images, *labels;
} flat_names[] = {{"x_%s", "y_%s"},         {"X_%s", "y_%s"},           {"X_%s", "Y_%s"},
                  {"%s_x", "%s_y"},         {"%s_images", "%s_labels"}, {"images_%s", "labels_%s"},
                  {"%s_set_x", "%s_set_y"}, {"%s_data", "%s_labels"}};

static bool has_dataset(struct h5 *file, const char *path) {
    return h5_exists(file, path) && !h5_is_group(file, path);
}

/* group and name to path; false where they are too long. */
static bool join(char *path, const char *group, const char *name) {
    return snprintf(path, LAYOUT_PATH, "%s/%s", strcmp(group, "/") == 0 ? "" : group, name) <
           LAYOUT_PATH;
}

/* The first of names that is a dataset of the group, as a path; otherwise path is "". */
static bool find_name(struct h5 *file, const char *group, const char *const *names, char *path) {
    for (; *names; names++)
        if (join(path, group, *names) && has_dataset(file, path))
            return true;
    *path = 0;
    return false;
}

static bool find_in_group(struct h5 *file, const char *group, struct dataset_layout *out) {
    if (!h5_is_group(file, group) || !find_name(file, group, image_names, out->images))
        return false;
    find_name(file, group, label_names, out->labels);
    snprintf(out->group, sizeof out->group, "%s", group);
    return true;
}

/* Put name in the place of %s of a flat name. */
static bool flat_path(char *path, const char *pattern, const char *name) {
    const char *at = strstr(pattern, "%s");

    return snprintf(path, LAYOUT_PATH, "/%.*s%s%s", (int)(at - pattern), pattern, name, at + 2) <
           LAYOUT_PATH;
}

static bool find_flat(struct h5 *file, const char *name, struct dataset_layout *out) {
    for (size_t i = 0; i < sizeof flat_names / sizeof *flat_names; i++) {
        if (!flat_path(out->images, flat_names[i].images, name) || !has_dataset(file, out->images))
            continue;
        if (!flat_path(out->labels, flat_names[i].labels, name) || !has_dataset(file, out->labels))
            *out->labels = 0;
        strcpy(out->group, "/");
        return true;
    }
    return false;
}

/* Levenshtein's distance of the first NAME_COMPARED characters. */
static size_t distance(const char *a, const char *b) {
    const size_t n_a = strnlen(a, NAME_COMPARED), n_b = strnlen(b, NAME_COMPARED);
    size_t row[NAME_COMPARED + 1];

    for (size_t j = 0; j <= n_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            const size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

            diagonal = row[j];
            row[j] = replace < best ? replace : best;
        }
    }
    return row[n_b];
}

/* "train, test" into text; "..." stands for those that no longer fit. */
static void names_text(const struct h5_list *list, bool groups, char *text) {
    size_t used = 0;

    *text = 0;
    for (int i = 0; i < list->n; i++) {
        const char *name = list->entry[i].name;

        if (list->entry[i].group != groups)
            continue;
        if (used + strlen(name) + 8 > NAMES_TEXT) {
            strcpy(text + used, ", ...");
            return;
        }
        used += (size_t)snprintf(text + used, NAMES_TEXT - used, "%s%s", used ? ", " : "", name);
    }
}

static const char *nearest(const struct h5_list *list, const char *name) {
    const char *best = NULL;
    size_t least = strlen(name) / 2 + 1;

    for (int i = 0; i < list->n; i++) {
        const size_t d = distance(name, list->entry[i].name);

        if (list->entry[i].group && d < least) {
            least = d;
            best = list->entry[i].name;
        }
    }
    return best;
}

/* There are no images in `group` (NULL: in the file): say what there is. */
static int not_found(struct h5 *file, const char *group, struct err *err) {
    const bool exists = group && h5_is_group(file, group);
    struct h5_list list = {0};
    char groups[NAMES_TEXT], datasets[NAMES_TEXT];
    const char *close;

    if (h5_list(file, exists ? group : "/", &list, err))
        return -1;
    names_text(&list, true, groups);
    names_text(&list, false, datasets);
    close = group && !exists ? nearest(&list, group) : NULL;
    if (group && !exists)
        err_set(err, ERR_DATA, "%s: has no group '%s'%s%s%s has %s", h5_name(file), group,
                close ? "; did you mean '" : "", close ? close : "", close ? "'? It" : "; it",
                *groups     ? groups
                : *datasets ? datasets
                            : "nothing");
    else
        err_set(
            err, ERR_DATA,
            "%s%s%s: has no dataset images, image, x, X or data; it has groups: %s; datasets: %s",
            h5_name(file), group ? ":" : "", group ? group : "", *groups ? groups : "none",
            *datasets ? datasets : "none");
    h5_list_release(&list);
    return -1;
}

/* Without a name: the root itself, or the only group that holds images. */
static int find_only(struct h5 *file, struct dataset_layout *out, struct err *err) {
    struct h5_list list = {0};
    char groups[NAMES_TEXT], path[LAYOUT_PATH];
    int found = 0;

    if (find_in_group(file, "/", out))
        return 0;
    if (h5_list(file, "/", &list, err))
        return -1;
    for (int i = 0; i < list.n; i++)
        if (list.entry[i].group && join(path, "/", list.entry[i].name))
            found += find_in_group(file, path, out);
    names_text(&list, true, groups);
    h5_list_release(&list);
    if (found == 1)
        return 0;
    if (found > 1)
        return err_set(err, ERR_DATA, "%s: which group? It has %s; write %s:GROUP", h5_name(file),
                       groups, h5_name(file));
    return not_found(file, NULL, err);
}

int dataset_layout_find(struct h5 *file, const char *group, struct dataset_layout *out,
                        struct err *err) {
    char path[LAYOUT_PATH];

    *out = (struct dataset_layout){0};
    if (!group)
        return find_only(file, out, err);
    group += strspn(group, "/");
    if (!*group)
        return find_in_group(file, "/", out) ? 0 : not_found(file, NULL, err);
    if (join(path, "/", group) && find_in_group(file, path, out))
        return 0;
    if (find_flat(file, group, out))
        return 0;
    return not_found(file, group, err);
}
