/* Folders of images and of masks, which have the class of every pixel. */
#include "io/import/import_columns.h"

#include <stdio.h>
#include <string.h>

enum { IGNORED = 255, SPARSE_CLASSES = 32 };

static const char *const image_names[] = {"images", "image", "imgs", "img", NULL};
static const char *const mask_names[] = {"masks",       "mask",       "labels", "label",
                                         "annotations", "annotation", "gt",     NULL};

/* Grey values where classes were expected: 0, 128, 192. */
static int check_dense(const struct mask_census *census, int n_classes, const char *where,
                       struct err *err) {
    int seen = 0;
    char values[64] = "";

    for (int v = 0; v < n_classes; v++) {
        const size_t used = strlen(values);
        seen += census->seen[v];
        if (census->seen[v] && used < 32)
            snprintf(values + used, sizeof values - used, "%s%d", used ? ", " : "", v);
    }
    if (n_classes <= SPARSE_CLASSES || 2 * seen >= n_classes || census->palette)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: the masks hold the values %s ...; expected the numbers of classes, 0 to "
                   "their number - 1, and 255 for what does not count, or --binary",
                   where, values);
}

/* What each number in the files is to be. */
static int find_classes(const struct mask_census *census, const struct import_options *o,
                        const char *where, struct import_column *c, struct import_result *result,
                        struct err *err) {
    int most = -1, others = 0;

    for (int v = 0; v < IGNORED; v++) {
        most = census->seen[v] ? v : most;
        others += v > 0 && census->seen[v];
    }
    const bool two = census->seen[0] && census->seen[IGNORED] && !others && !census->palette;
    const int bright = most <= 1 && !census->seen[IGNORED] ? 1 : 128;

    if (census->lossy && !o->binary)
        return err_set(err, ERR_DATA,
                       "%s: is a JPEG, which blurs the numbers of classes; expected PNG, or "
                       "--binary",
                       census->lossy_file);
    if (two && !o->binary)
        snprintf(result->note, sizeof result->note,
                 "the masks hold 0 and 255 only: 255 became class 1");
    for (int v = 0; v < 256; v++)
        c->class[v] = (unsigned char)(two || o->binary ? v >= bright : v);
    c->n_classes = result->n_classes = two || o->binary ? 2 : most + 1;
    if (!c->n_classes)
        return err_set(err, ERR_DATA, "%s: the masks hold no classes, only 255", where);
    return two || o->binary ? 0 : check_dense(census, c->n_classes, where, err);
}

static int import_set(struct file_set *set, const char *source, const char *target,
                      const struct import_options *options, struct team *team,
                      struct import_result *result, struct err *err) {
    static const char *const *const names[] = {image_names, mask_names};
    struct import_column columns[] = {{.name = "images", .list = 0},
                                      {.name = "mask", .list = 1, .mask = true}};
    struct mask_census census;

    if (file_set_scan(set, source, names,
                      "expected folders image (or images) and mask (or masks, label, labels) in "
                      "it, or in folders of splits",
                      err))
        return -1;
    for (int i = 0; i < set->n_splits; i++)
        if (file_split_match(&set->split[i], err))
            return -1;
    if (file_set_hold_out(set, &options->split, err) || import_census(set, 1, team, &census, err) ||
        find_classes(&census, options, source, &columns[1], result, err))
        return -1;
    return import_columns(set, columns, 2, options, team, target, result, err);
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    struct file_set set = {0};
    struct team *team = NULL;
    int status = -1;

    if (!team_new(&team, options->threads, err))
        status = import_set(&set, source, target, options, team, result, err);
    result->n_ignored = set.n_ignored;
    team_free(team);
    file_set_release(&set);
    return status;
}

const struct importer import_segmentation = {
    .name = "segmentation",
    .help = "SRC/image/X.png and SRC/mask/X.png, or these in SRC/SPLIT; masks hold class numbers",
    .takes = IMPORT_SIZE | IMPORT_MODE | IMPORT_BINARY | IMPORT_SPLIT,
    .run = run};
