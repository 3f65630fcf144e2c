#include "io/import/import_scan.h"

#include "core/base/rng.h"
#include "io/dataset/folds.h"
#include "io/import/import_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int no_memory(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: out of memory", path);
}

static int64_t n_images(const struct tree_folder *f) {
    return f->n_direct + f->n_deep;
}

static bool is_top(const struct tree_folder *f) {
    return f->parent < 0;
}

/* The first folder in the source that holds images itself (deep: only in its folders), or NULL. */
static const struct tree_folder *find_top(const struct tree *t, bool deep) {
    for (int i = 0; i < t->n_folders; i++)
        if (is_top(&t->folder[i]) && n_images(&t->folder[i]) &&
            (t->folder[i].n_direct == 0) == deep)
            return &t->folder[i];
    return NULL;
}

/* Are the folders with images that are in folder `parent` (-1: the source) all called like splits?
 */
static bool all_splits(const struct tree *t, int parent) {
    int others = 0, splits = 0;

    for (int i = 0; i < t->n_folders; i++) {
        const struct tree_folder *f = &t->folder[i];

        if (f->parent != parent || !n_images(f))
            continue;
        splits += split_group(f->name) != NULL;
        others += split_group(f->name) == NULL;
    }
    return splits && !others;
}

/* Are the folders in the source those of splits? All of them are asked. */
static int find_levels(const struct tree *t, const char *source, bool *splits, struct err *err) {
    const struct tree_folder *class = find_top(t, false), *split = find_top(t, true);

    if (!class && !split && t->n_images)
        return err_set(err, ERR_DATA,
                       "%s: its images are in no folder of a class, expected CLASS/IMAGE or "
                       "SPLIT/CLASS/IMAGE in it",
                       source);
    if (!class && !split)
        return err_set(err, ERR_DATA,
                       "%s: has no folders of images, expected CLASS/IMAGE or SPLIT/CLASS/IMAGE "
                       "in it",
                       source);
    if (class && split && split_group(class->name))
        return err_set(err, ERR_DATA,
                       "%s: is in no folder of a class, as images in %s are; expected "
                       "%s/CLASS/IMAGE, or %s alone as the source",
                       t->image[class->first].path, split->path, class->path, split->path);
    if (class && split)
        return err_set(err, ERR_DATA,
                       "%s holds images (%s), %s holds none but folders of them; expected folders "
                       "of classes or folders of splits, not both",
                       class->path, t->image[class->first].path, split->path);
    if (class && all_splits(t, -1))
        return err_set(err, ERR_DATA,
                       "%s: is in no folder of a class; %s is called like a split, expected "
                       "%s/CLASS/IMAGE",
                       t->image[class->first].path, class->path, class->path);
    if (split && all_splits(t, (int)(split - t->folder)))
        return err_set(err, ERR_DATA,
                       "%s: holds folders that are called like splits; give it as the source in "
                       "place of %s",
                       split->path, source);
    *splits = split != NULL;
    return 0;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_text_in_any_case(const void *a, const void *b) {
    const int order = strcasecmp(*(const char *const *)a, *(const char *const *)b);

    return order ? order : by_text(a, b);
}

/* Is this a class's folder, where the splits are such or not? */
static bool is_class(const struct tree_folder *f, bool splits) {
    return is_top(f) != splits;
}

/* The folder of that name that is a class's. */
static const char *class_path(const struct tree *t, bool splits, const char *name) {
    for (int i = 0; i < t->n_folders; i++)
        if (is_class(&t->folder[i], splits) && strcmp(t->folder[i].name, name) == 0)
            return t->folder[i].path;
    return name;
}

/* The classes are those of all splits, in the order of their names. */
static int name_classes(struct scan *scan, const char *source, bool splits, struct err *err) {
    const struct tree *t = &scan->tree;
    const char **name = calloc((size_t)t->n_folders, sizeof *name);
    int n = 0, kept = 0;

    if (!name)
        return no_memory(source, err);
    scan->class_name = name;
    for (int i = 0; i < t->n_folders; i++)
        if (is_class(&t->folder[i], splits) &&
            (!splits || n_images(&t->folder[t->folder[i].parent])))
            name[n++] = t->folder[i].name;
    qsort(name, (size_t)n, sizeof *name, by_text_in_any_case);
    for (int i = 0; i < n; i++) {
        if (kept && strcmp(name[kept - 1], name[i]) == 0)
            continue;
        if (kept && strcasecmp(name[kept - 1], name[i]) == 0)
            return err_set(err, ERR_DATA,
                           "%s and %s: two classes, or one that is written in two ways? Names that "
                           "differ only by case are refused; rename one of the folders",
                           class_path(t, splits, name[kept - 1]), class_path(t, splits, name[i]));
        name[kept++] = name[i];
    }
    qsort(name, (size_t)kept, sizeof *name, by_text);
    scan->n_classes = kept;
    return 0;
}

static int32_t find_class(const struct scan *scan, const char *name) {
    const char **found = bsearch(&name, scan->class_name, (size_t)scan->n_classes,
                                 sizeof *scan->class_name, by_text);

    return (int32_t)(found - scan->class_name);
}

static void add_class(const struct scan *scan, struct scan_split *split,
                      const struct tree_folder *class) {
    const int32_t number = find_class(scan, class->name);

    for (int64_t i = 0; i < n_images(class); i++) {
        const struct tree_image *image = &scan->tree.image[class->first + i];

        split->image[split->n++] = (struct scan_image){image->path, number, image->dangling};
    }
}

/* The images of the folder f, whose folders are the classes, or (NULL) of the source. */
static int add_split(struct scan *scan, const struct tree_folder *f, const char *name,
                     const char *path, struct err *err) {
    const struct tree *t = &scan->tree;
    const int parent = f ? (int)(f - t->folder) : -1;
    const int64_t most = f ? n_images(f) : t->n_images;
    struct scan_split *split = &scan->split[scan->n_splits];

    for (int i = 0; i < scan->n_splits; i++)
        if (strcmp(scan->split[i].name, name) == 0)
            return err_set(err, ERR_DATA,
                           "%s and %s would both be the group %s; rename one of them",
                           scan->split[i].path, path, name);
    *split = (struct scan_split){.name = name, .path = path};
    split->image = malloc((size_t)most * sizeof *split->image);
    if (!split->image)
        return no_memory(path, err);
    scan->n_splits++;
    for (int i = 0; i < t->n_folders; i++)
        if (t->folder[i].parent == parent)
            add_class(scan, split, &t->folder[i]);
    scan->n_images += split->n;
    return 0;
}

static int add_splits(struct scan *scan, struct err *err) {
    const struct tree *t = &scan->tree;

    for (int pass = 0; pass < 2; pass++) /* train, then the others */
        for (int i = 0; i < t->n_folders; i++) {
            const struct tree_folder *f = &t->folder[i];
            const char *group = is_top(f) && n_images(f) ? split_group(f->name) : NULL;

            group = group ? group : f->name;
            if (is_top(f) && n_images(f) && split_is_train(group) == (pass == 0) &&
                add_split(scan, f, group, f->path, err))
                return -1;
        }
    return 0;
}

/* What was decided about folders of splits. */
static void note_splits(const struct scan *scan, struct import_result *result) {
    struct import_names unknown = {0}, renamed = {0}, empty = {0};
    const struct tree *t = &scan->tree;

    for (int i = 0; i < t->n_folders; i++) {
        const struct tree_folder *f = &t->folder[i];
        const char *group = split_group(f->name);
        char text[300];

        if (!is_top(f))
            continue;
        snprintf(text, sizeof text, "%.200s as %s", f->name, group ? group : "");
        if (!n_images(f))
            import_names_add(&empty, f->name);
        else if (!group)
            import_names_add(&unknown, f->name);
        else if (strcmp(group, f->name))
            import_names_add(&renamed, text);
    }
    if (renamed.n)
        import_note(result, "folders of splits were read under other names: %s", renamed.text);
    if (unknown.n == scan->n_splits)
        import_note(result,
                    "folders that hold only folders were taken for splits, not for classes: %s",
                    unknown.text);
    if (empty.n)
        import_note(result, "left out, as there are no images in them: %s", empty.text);
    if (!split_is_train(scan->split[0].name))
        import_note(result, "no split is called train: mean and std are those of %s",
                    scan->split[0].name);
}

/* Images where they were not to be expected. */
static void note_images(const struct scan *scan, bool splits, struct import_result *result) {
    const struct tree *t = &scan->tree;
    const char *outside = NULL, *nested = NULL;
    int64_t n_outside = 0, n_nested = 0;

    for (int64_t i = 0; i < t->n_images; i++) {
        const struct tree_image *image = &t->image[i];

        if (image->folder[0] < 0) {
            outside = n_outside++ ? outside : image->path;
        } else if (image->nested || (!splits && image->folder[1] >= 0)) {
            nested = n_nested++ ? nested : image->path;
        }
    }
    if (n_nested)
        import_note(result,
                    "%lld images in folders within those of classes were read as of the class, the "
                    "first: %s",
                    (long long)n_nested, nested);
    if (n_outside)
        import_note(result, "%lld images in no folder of a class were left out, the first: %s",
                    (long long)n_outside, outside);
}

static int scan_all(struct scan *scan, const char *source, struct import_result *result,
                    struct err *err) {
    bool splits = false;

    if (tree_init(&scan->tree, source, err) || find_levels(&scan->tree, source, &splits, err))
        return -1;
    scan->n_ignored = scan->tree.n_ignored;
    scan->split = calloc((size_t)scan->tree.n_folders + 1, sizeof *scan->split);
    if (!scan->split)
        return no_memory(source, err);
    if (name_classes(scan, source, splits, err) ||
        (splits ? add_splits(scan, err) : add_split(scan, NULL, "train", source, err)))
        return -1;
    if (splits)
        note_splits(scan, result);
    note_images(scan, splits, result);
    tree_note_twins(&scan->tree, result);
    return 0;
}

int scan_init(struct scan *scan, const char *source, struct import_result *result,
              struct err *err) {
    *scan = (struct scan){0};
    if (!scan_all(scan, source, result, err))
        return 0;
    scan_release(scan);
    return -1;
}

/* Move the images for which held_out is 1 to a new split. */
static int move_images(struct scan_split *from, const int32_t *held_out, int64_t n,
                       struct scan_split *to, struct err *err) {
    int64_t kept = 0;

    *to = (struct scan_split){.name = "validate", .path = from->path};
    to->image = malloc((size_t)n * sizeof *to->image);
    if (!to->image)
        return no_memory(from->path, err);
    for (int64_t i = 0; i < from->n; i++) {
        if (held_out[i])
            to->image[to->n++] = from->image[i];
        else
            from->image[kept++] = from->image[i];
    }
    from->n = kept;
    return 0;
}

static int draw(struct scan *scan, const struct import_split *how, int32_t *label,
                int32_t *held_out, struct err *err) {
    struct scan_split *train = &scan->split[0];
    int64_t n;

    if (split_count(how, train->n, "images", train->name, &n, err))
        return -1;
    for (int64_t i = 0; i < train->n; i++)
        label[i] = train->image[i].class;
    n = folds_hold_out(label, train->n, n, how->seed, held_out, err);
    if (n == 0)
        return err_set(err, ERR_USAGE,
                       "data: --split finds nothing to hold out: each class has one image in %s",
                       train->path);
    return n < 0 ? -1 : move_images(train, held_out, n, &scan->split[scan->n_splits++], err);
}

int scan_hold_out(struct scan *scan, const struct import_split *how, struct err *err) {
    int32_t *label, *held_out;
    int status;

    if (!how->n && how->share <= 0)
        return 0;
    for (int i = 0; i < scan->n_splits; i++)
        if (split_check(scan->split[i].name, i, scan->n_splits, err))
            return -1;
    label = malloc((size_t)scan->split[0].n * sizeof *label);
    held_out = malloc((size_t)scan->split[0].n * sizeof *held_out);
    status = label && held_out ? draw(scan, how, label, held_out, err)
                               : no_memory(scan->split[0].path, err);
    free(label);
    free(held_out);
    return status;
}

/* Fisher-Yates. */
void scan_mix(struct scan *scan) {
    const uint64_t key = rng_key(0, RNG_SHUFFLE, 0, 0);

    for (int s = 0; s < scan->n_splits; s++)
        for (int64_t i = scan->split[s].n - 1; i > 0; i--) {
            const int64_t j = (int64_t)rng_below(key, (uint64_t)i, (uint64_t)i + 1);
            const struct scan_image other = scan->split[s].image[j];

            scan->split[s].image[j] = scan->split[s].image[i];
            scan->split[s].image[i] = other;
        }
}

void scan_release(struct scan *scan) {
    for (int s = 0; s < scan->n_splits; s++)
        free(scan->split[s].image);
    free(scan->split);
    free(scan->class_name);
    tree_release(&scan->tree);
    *scan = (struct scan){0};
}
