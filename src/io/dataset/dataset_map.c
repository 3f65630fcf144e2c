/* Classes of one file as those of another count them: by name. */
#include "io/dataset/dataset_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NO_PLACE = -2, /* in maps of classes: not in the list, and as far as is known never needed */
    WHY_TEXT = 200,
};

struct class_list dataset_class_list(const struct dataset *ds, int i) {
    const struct column *c = &ds->column[i];

    return (struct class_list){c->named ? (const char *const *)c->class_name : NULL, c->n_classes,
                               ds->name};
}

bool class_list_equal(const struct class_list *a, const struct class_list *b) {
    if (a->n != b->n || !a->name != !b->name)
        return false;
    for (int k = 0; a->name && k < a->n; k++)
        if (strcmp(a->name[k], b->name[k]))
            return false;
    return true;
}

const char *class_list_text(const struct class_list *list, char text[CLASS_LIST_TEXT]) {
    size_t used = 0;

    if (!list->name)
        snprintf(text, CLASS_LIST_TEXT, "only numbers, 0 to %d", list->n - 1);
    for (int k = 0; list->name && k < list->n; k++) {
        if (used + strlen(list->name[k]) + 24 > CLASS_LIST_TEXT) {
            snprintf(text + used, CLASS_LIST_TEXT - used, ", ... %d in all", list->n);
            break;
        }
        used += (size_t)snprintf(text + used, CLASS_LIST_TEXT - used, "%s%s", k ? ", " : "",
                                 list->name[k]);
    }
    return text;
}

/* The class of that name, or -1; most often it is number `likely`. */
static int find_class(const struct class_list *list, const char *name, int likely) {
    if (likely < list->n && strcmp(list->name[likely], name) == 0)
        return likely;
    for (int k = 0; k < list->n; k++)
        if (strcmp(list->name[k], name) == 0)
            return k;
    return -1;
}

static int refuse(const struct dataset *ds, int i, const char *why, const struct class_list *theirs,
                  struct err *err) {
    const struct class_list ours = dataset_class_list(ds, i);
    char a[CLASS_LIST_TEXT], b[CLASS_LIST_TEXT];

    return err_set(err, ERR_DATA, "%s: %s; its classes are %s; those of %s are %s", ds->name, why,
                   class_list_text(&ours, a), theirs->whose, class_list_text(theirs, b));
}

static int refuse_absent(const struct dataset *ds, int i, int class, const struct class_list *list,
                         struct err *err) {
    const struct column *c = &ds->column[i];
    char why[WHY_TEXT], where[48] = "";

    if (c->first[class] >= 0)
        snprintf(where, sizeof where, ", first in sample %lld,", (long long)c->first[class]);
    snprintf(why, sizeof why, "class '%.40s' of %s%s is not known to %.60s", c->class_name[class],
             ds->field[i].name, where, list->whose);
    return refuse(ds, i, why, list, err);
}

static int refuse_numbers(const struct dataset *ds, int i, const struct class_list *list,
                          struct err *err) {
    const int n = ds->column[i].n_classes;
    char why[WHY_TEXT];

    snprintf(why, sizeof why, "%s: %d classes by number are more than %d names", ds->field[i].name,
             list->name ? n : list->n, list->name ? list->n : n);
    return refuse(ds, i, why, list, err);
}

/* Folders 0 to 11 in the order of their names are 0, 1, 10, 11, 2 ...: where the other file has
 * only numbers, its 2 may be the name or the place. */
static int check_numerals(const struct dataset *ds, int i, const struct class_list *named,
                          int n_numbers, const struct class_list *list, struct err *err) {
    char why[WHY_TEXT], number[16];

    for (int k = 0; k < named->n; k++) {
        const char *name = named->name[k];
        const long value = strspn(name, "0123456789") < 9 ? strtol(name, NULL, 10) : -1;

        snprintf(number, sizeof number, "%ld", value);
        if (value == k || value > n_numbers || strcmp(number, name))
            continue;
        snprintf(why, sizeof why,
                 "%s: number %ld may be the class called '%s' or the one in that place; give both "
                 "the same attribute classes, or import both at once",
                 ds->field[i].name, value, name);
        return refuse(ds, i, why, list, err);
    }
    return 0;
}

static bool occurs_twice(const struct class_list *list, const char *name) {
    int n = 0;

    for (int k = 0; k < list->n; k++)
        n += strcmp(list->name[k], name) == 0;
    return n > 1;
}

/* Names that occur twice say nothing where the order differs. */
static int check_names(const struct dataset *ds, int i, const struct class_list *list,
                       struct err *err) {
    const struct class_list ours = dataset_class_list(ds, i);
    char why[WHY_TEXT];

    for (int k = 0; k < ours.n; k++) {
        if (!occurs_twice(&ours, ours.name[k]) && !occurs_twice(list, ours.name[k]))
            continue;
        snprintf(why, sizeof why, "two classes of %s are called '%.40s', and cannot be told apart",
                 ds->field[i].name, ours.name[k]);
        return refuse(ds, i, why, list, err);
    }
    return 0;
}

/* What each of our classes is in the list: map[n_classes]. */
static int find_places(const struct dataset *ds, int i, const struct class_list *list, int32_t *map,
                       struct err *err) {
    const struct column *c = &ds->column[i];

    for (int k = 0; k < c->n_classes; k++) {
        const int place = c->named ? find_class(list, c->class_name[k], k) : k;

        if (place < 0 && c->counts[k] > 0)
            return refuse_absent(ds, i, k, list, err);
        map[k] = place < 0 ? NO_PLACE : place;
    }
    return 0;
}

/* Put a map of classes behind the one that there is. */
static int compose(const struct dataset *ds, struct column *c, const int32_t *map,
                   struct err *err) {
    if (!c->map) {
        c->map = malloc((size_t)c->n_classes * sizeof *c->map);
        if (!c->map)
            return dataset_no_memory(ds, err);
        c->n_map = c->n_classes;
        memcpy(c->map, map, (size_t)c->n_classes * sizeof *c->map);
        return 0;
    }
    for (int k = 0; k < c->n_map; k++)
        c->map[k] = c->map[k] < 0 ? NO_PLACE : map[c->map[k]];
    return 0;
}

char **dataset_copy_names(const struct class_list *list) {
    char **name;

    if (!list->name)
        return dataset_number_names(list->n);
    name = calloc((size_t)list->n, sizeof *name);
    for (int k = 0; name && k < list->n; k++) {
        name[k] = strdup(list->name[k]);
        if (!name[k]) {
            h5_texts_free(name, k);
            return NULL;
        }
    }
    return name;
}

/* Names, counts and first rows of the list's classes in the place of ours. */
static int take_classes(const struct dataset *ds, const struct class_list *list, const int32_t *map,
                        struct column *c, struct err *err) {
    struct column to = *c;

    to.map = NULL;
    to.n_classes = list->n;
    to.named = list->name != NULL;
    to.class_name = dataset_copy_names(list);
    to.counts = calloc((size_t)list->n, sizeof *to.counts);
    to.first = malloc((size_t)list->n * sizeof *to.first);
    if (!to.class_name || !to.counts || !to.first) {
        dataset_classes_release(&to);
        return dataset_no_memory(ds, err);
    }
    for (int k = 0; k < list->n; k++)
        to.first[k] = -1;
    for (int k = 0; k < c->n_classes; k++)
        if (map[k] >= 0) {
            to.counts[map[k]] = c->counts[k];
            to.first[map[k]] = c->first[k];
        }
    to.map = c->map;
    c->map = NULL;
    dataset_classes_release(c);
    *c = to;
    return 0;
}

/* Labels are mapped where they are, as whoever asks for them gets them all; maps when they are
 * read.
 */
static int map_column(struct dataset *ds, int i, const struct class_list *list, const int32_t *map,
                      struct err *err) {
    struct column *c = &ds->column[i];
    int32_t *label = (int32_t *)(void *)c->kept;

    if (ds->field[i].sample.rank) {
        if (compose(ds, c, map, err))
            return -1;
    } else {
        for (int64_t k = 0; k < ds->field[i].rows; k++)
            label[k] = label[k] < 0 ? label[k] : map[label[k]];
    }
    return take_classes(ds, list, map, c, err);
}

int dataset_map_classes(struct dataset *ds, int i, const struct class_list *list, struct err *err) {
    const struct class_list ours = dataset_class_list(ds, i);
    const bool by_name = list->name && ours.name, by_number = !list->name && !ours.name;

    if (class_list_equal(&ours, list) || (by_number && list->n < ours.n))
        return 0;
    if (!by_name && !by_number && (list->name ? ours.n > list->n : list->n > ours.n))
        return refuse_numbers(ds, i, list, err);
    if (!by_name && !by_number &&
        check_numerals(ds, i, list->name ? list : &ours, list->name ? ours.n : list->n, list, err))
        return -1;
    if (!list->name && ours.name)
        return 0;
    if (by_name && check_names(ds, i, list, err))
        return -1;
    int32_t *map = malloc((size_t)ours.n * sizeof *map);
    if (!map)
        return dataset_no_memory(ds, err);
    const int rc = find_places(ds, i, list, map, err) || map_column(ds, i, list, map, err) ? -1 : 0;
    free(map);
    return rc;
}

int dataset_map_read(const struct dataset *ds, int i, int32_t *classes, int64_t len,
                     struct err *err) {
    const struct column *c = &ds->column[i];

    for (int64_t k = 0; k < len; k++) {
        if (classes[k] < 0)
            continue;
        if (c->map[classes[k]] == NO_PLACE)
            return err_set(err, ERR_DATA,
                           "%s: %s holds its class %d, which has no place among the %d that are "
                           "counted; its attribute class_counts says that there is none",
                           ds->name, c->path, (int)classes[k], c->n_classes);
        classes[k] = c->map[classes[k]];
    }
    return 0;
}
