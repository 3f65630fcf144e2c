/* Images that become images: pairs of them, or two folders that nothing pairs. */
#include "io/import/import_columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const a_names[] = {"A", NULL};
static const char *const b_names[] = {"B", NULL};

/* SRC/SPLIT/IMAGE, or SRC/IMAGE. */
static int scan_halves(struct file_set *set, const char *source, struct import_result *result,
                       struct err *err) {
    const struct tree *t = &set->tree;
    const struct tree_folder *split = NULL;

    if (file_set_init(set, source, err))
        return -1;
    const bool itself = t->n_images && t->image[0].folder[0] < 0;
    for (int i = 0; i < t->n_folders; i++) {
        if (t->folder[i].parent >= 0 || !t->folder[i].n_direct)
            continue;
        split = &t->folder[i];
        if (itself)
            return err_set(err, ERR_DATA,
                           "%s: is a split, but %s has images of its own, which would be another; "
                           "move one of them away",
                           split->path, source);
        if (file_set_take(set, split->name, 0, i, err))
            return -1;
    }
    if (!itself && !split)
        return err_set(err, ERR_DATA, "%s: has no images, expected IMAGE or SPLIT/IMAGE in it",
                       source);
    if (itself && file_set_take(set, NULL, 0, -1, err))
        return -1;
    file_set_finish(set, result);
    return 0;
}

static int import_pairs_of(struct file_set *set, const char *source, const char *target,
                           const struct import_options *options, struct team *team,
                           struct import_result *result, struct err *err) {
    static const struct file_layout layout = {
        {a_names, b_names},
        NULL,
        "expected folders A and B in it, or in folders of splits; images of two halves are read "
        "with --halves"};
    struct import_column columns[] = {{.name = "a", .list = 0}, {.name = "b", .list = 1}};

    if (options->halves) {
        columns[1].list = 0;
        columns[0].part = COLUMN_LEFT;
        columns[1].part = COLUMN_RIGHT;
        if (scan_halves(set, source, result, err))
            return -1;
    } else if (file_set_scan(set, source, &layout, result, err)) {
        return -1;
    }
    for (int i = 0; i < set->n_splits && !options->halves; i++)
        if (file_split_match(&set->split[i], NULL, err))
            return -1;
    if (file_set_hold_out(set, &options->split, err))
        return -1;
    file_set_count(set, result);
    return import_columns(set, columns, 2, options, team, target, result, err);
}

/* SRC/trainA, SRC/trainB, SRC/testA, SRC/testB. */
static int scan_unpaired(struct file_set *set, const char *source, struct import_result *result,
                         struct err *err) {
    int status = file_set_init(set, source, err);

    for (int i = 0; i < set->tree.n_folders && !status; i++) {
        const struct tree_folder *f = &set->tree.folder[i];
        const size_t n = strlen(f->name);
        char split[256];

        if (f->parent >= 0 || n < 2 || n >= sizeof split || !strchr("AB", f->name[n - 1]) ||
            f->n_direct + f->n_deep == 0)
            continue;
        snprintf(split, sizeof split, "%.*s", (int)(n - 1), f->name);
        status = file_set_take(set, split, f->name[n - 1] == 'B', i, err);
    }
    for (int i = 0; i < set->n_splits && !status; i++) {
        const struct file_split *s = &set->split[i];

        if (!s->list[0].n || !s->list[1].n)
            status = err_set(err, ERR_DATA, "%s: has a folder %s%c but no %s%c", source, s->name,
                             s->list[0].n ? 'A' : 'B', s->name, s->list[0].n ? 'B' : 'A');
    }
    if (!status && !set->n_splits)
        status = err_set(err, ERR_DATA,
                         "%s: expected folders trainA and trainB in it, and perhaps testA and "
                         "testB",
                         source);
    if (!status)
        file_set_finish(set, result);
    return status;
}

static int import_unpaired_of(struct file_set *set, const char *source, const char *target,
                              const struct import_options *options, struct team *team,
                              struct import_result *result, struct err *err) {
    struct import_column columns[] = {{.name = "a", .list = 0},
                                      {.name = "b", .list = 1, .unpaired = true}};

    if (scan_unpaired(set, source, result, err) || file_set_hold_out(set, &options->split, err))
        return -1;
    file_set_count(set, result);
    if (import_columns(set, columns, 2, options, team, target, result, err))
        return -1;
    for (int i = 0; i < set->n_splits; i++)
        result->n_images += set->split[i].list[1].n;
    return 0;
}

static int with_team(int (*import)(struct file_set *, const char *, const char *,
                                   const struct import_options *, struct team *,
                                   struct import_result *, struct err *),
                     const char *source, const char *target, const struct import_options *options,
                     struct import_result *result, struct err *err) {
    struct file_set set = {0};
    struct team *team = NULL;
    int status = -1;

    if (!team_new(&team, options->threads, err))
        status = import(&set, source, target, options, team, result, err);
    team_free(team);
    file_set_release(&set);
    return status;
}

static int run_pairs(const char *source, const char *target, const struct import_options *options,
                     struct import_result *result, struct err *err) {
    return with_team(import_pairs_of, source, target, options, result, err);
}

static int run_unpaired(const char *source, const char *target,
                        const struct import_options *options, struct import_result *result,
                        struct err *err) {
    return with_team(import_unpaired_of, source, target, options, result, err);
}

const struct importer import_pairs = {
    .name = "pairs",
    .help = "SRC/A/X.png and SRC/B/X.png, or these in SRC/SPLIT; or both halves of one image",
    .takes = IMPORT_SIZE | IMPORT_MODE | IMPORT_HALVES | IMPORT_SPLIT,
    .run = run_pairs};

const struct importer import_unpaired = {
    .name = "unpaired",
    .help = "SRC/trainA, SRC/trainB, SRC/testA, SRC/testB: images of two kinds",
    .takes = IMPORT_SIZE | IMPORT_MODE | IMPORT_SPLIT,
    .run = run_unpaired};
