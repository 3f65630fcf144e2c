/* Folders of images and of masks, which have the class of every pixel. */
#include "io/import/import_columns.h"

#include <stdio.h>
#include <string.h>

enum { IGNORED = 255, SPARSE_CLASSES = 32 };

static const char *const image_names[] = {"images", "image", "imgs", "img", NULL};
static const char *const mask_names[] = {"masks",       "mask",       "labels", "label",
                                         "annotations", "annotation", "gt",     NULL};

/* The first numbers from `first` on that occur: "90, 180 ...". */
static void list_values(const struct mask_census *census, int first, char *text, size_t len) {
    const size_t most = 32;

    *text = 0;
    for (int v = first; v < IGNORED; v++) {
        const size_t used = strlen(text);

        if (census->count[v] && used < most)
            snprintf(text + used, len - used, "%s%d", used ? ", " : "", v);
        else if (census->count[v] && text[used - 1] != '.')
            snprintf(text + used, len - used, " ...");
    }
}

/* Grey values where classes were expected: 0, 128, 192. */
static int check_dense(const struct mask_census *census, int n_classes, const char *where,
                       struct err *err) {
    int seen = 0;
    char values[64];

    for (int v = 0; v < n_classes; v++)
        seen += census->count[v] > 0;
    if (n_classes <= SPARSE_CLASSES || 2 * seen >= n_classes || census->palette)
        return 0;
    list_values(census, 0, values, sizeof values);
    return err_set(err, ERR_DATA,
                   "%s: the masks hold the values %s; expected the numbers of classes, 0 to "
                   "their number - 1, and 255 for what does not count, or --binary",
                   where, values);
}

/* Black and white with a little between, as the edges of two classes are after resizing: taken as
 * numbers, white does not count and the edges are classes. Said, and with many classes refused. */
static int check_edges(const struct mask_census *census, int n_classes, const char *where,
                       struct import_result *result, struct err *err) {
    int64_t between = 0;
    char values[64];

    for (int v = 1; v < IGNORED; v++)
        between += census->count[v];
    const double all = (double)(census->count[0] + between + census->count[IGNORED]);
    if (!census->count[0] || census->count[IGNORED] <= between || census->palette)
        return 0;
    list_values(census, 1, values, sizeof values);
    if (n_classes > SPARSE_CLASSES)
        return err_set(
            err, ERR_DATA,
            "%s: of the masks' pixels %.1f %% are 0, %.1f %% are 255 and %.2f %% between "
            "(%s); are these two classes with blurred edges? --binary makes two of them, "
            "below 128 and above",
            where, 100 * (double)census->count[0] / all, 100 * (double)census->count[IGNORED] / all,
            100 * (double)between / all, values);
    import_note(
        result,
        "of the masks' pixels %.1f %% are 255, which do not count, more than the %.2f %% of "
        "the classes beside 0 (%s); --binary would make two classes, below 128 and above",
        100 * (double)census->count[IGNORED] / all, 100 * (double)between / all, values);
    return 0;
}

/* What each number in the files is to be. */
static int find_classes(const struct mask_census *census, const struct import_options *o,
                        const char *where, struct import_column *c, struct import_result *result,
                        struct err *err) {
    int most = -1, others = 0;

    for (int v = 0; v < IGNORED; v++) {
        most = census->count[v] ? v : most;
        others += v > 0 && census->count[v] > 0;
    }
    const bool two = census->count[0] && census->count[IGNORED] && !others && !census->palette;
    const int bright = most <= 1 && !census->count[IGNORED] ? 1 : 128;

    if (census->lossy && !o->binary)
        return err_set(
            err, ERR_DATA,
            "%s: is compressed with loss, which blurs the numbers of classes; expected PNG, or "
            "--binary",
            census->lossy_file);
    if (two && !o->binary)
        import_note(result, "the masks hold 0 and 255 only: 255 became class 1");
    for (int v = 0; v < 256; v++)
        c->class[v] = (unsigned char)(two || o->binary ? v >= bright : v);
    c->n_classes = result->n_classes = two || o->binary ? 2 : most + 1;
    if (!c->n_classes)
        return err_set(err, ERR_DATA, "%s: the masks hold no classes, only 255", where);
    if (two || o->binary)
        return 0;
    return check_edges(census, c->n_classes, where, result, err) ||
                   check_dense(census, c->n_classes, where, err)
               ? -1
               : 0;
}

static int import_set(struct file_set *set, const char *source, const char *target,
                      const struct import_options *options, struct team *team,
                      struct import_result *result, struct err *err) {
    const struct file_layout layout = {
        {image_names, mask_names},
        options->mask_suffix,
        "expected folders image (or images) and mask (or masks, label, labels) in it, or in "
        "folders of splits; masks beside their images, X_mask.png, are read with --mask-suffix "
        "_mask"};
    struct import_column columns[] = {{.name = "images", .list = 0},
                                      {.name = "mask", .list = 1, .mask = true}};
    struct mask_census census;

    if (file_set_scan(set, source, &layout, result, err))
        return -1;
    for (int i = 0; i < set->n_splits; i++)
        if (file_split_match(&set->split[i], options->mask_suffix, err))
            return -1;
    if (file_set_hold_out(set, &options->split, err) || import_census(set, 1, team, &census, err) ||
        find_classes(&census, options, source, &columns[1], result, err))
        return -1;
    file_set_count(set, result);
    return import_columns(set, columns, 2, options, team, target, result, err);
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    struct file_set set = {0};
    struct team *team = NULL;
    int status = -1;

    if (!team_new(&team, options->threads, err))
        status = import_set(&set, source, target, options, team, result, err);
    team_free(team);
    file_set_release(&set);
    return status;
}

const struct importer import_segmentation = {
    .name = "segmentation",
    .help = "SRC/image/X.png and SRC/mask/X.png, or these in SRC/SPLIT; masks hold class numbers",
    .takes = IMPORT_SIZE | IMPORT_MODE | IMPORT_BINARY | IMPORT_SPLIT | IMPORT_SUFFIX,
    .run = run};
