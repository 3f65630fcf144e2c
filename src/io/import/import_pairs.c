/* Images that become images: pairs of them, or two folders that nothing pairs. */
#include "io/file/folder.h"
#include "io/import/import_columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const a_names[] = {"A", NULL};
static const char *const b_names[] = {"B", NULL};

/* A split of the images in the folder `name` of source, or in source itself; lists[which]. */
static int add_folder(struct file_set *set, const char *source, const char *name, const char *split,
                      int which, struct err *err) {
    char *path = folder_join(source, name);
    struct file_split *s = NULL;
    int status = -1;

    for (int i = 0; i < set->n_splits; i++)
        if (strcmp(set->split[i].name, split) == 0)
            s = &set->split[i];
    if (!path)
        err_set(err, ERR_IO, "%s: out of memory", source);
    else if (s || (s = file_set_add(set, split, err)))
        status = file_list_init(&s->list[which], path, &set->n_ignored, err);
    free(path);
    return status;
}

/* SRC/SPLIT/IMAGE, or SRC/IMAGE. */
static int scan_halves(struct file_set *set, const char *source, struct err *err) {
    struct folder top;
    int status = 0, folders = 0;

    if (folder_init(&top, source, err))
        return -1;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < top.n && !status; i++) {
            const char *name = top.entry[i].name;

            if (!top.entry[i].folder || (strcmp(name, "train") == 0) != (pass == 0))
                continue;
            folders++;
            status = add_folder(set, source, name, name, 0, err);
        }
    folder_release(&top);
    return folders ? status : add_folder(set, source, "", "train", 0, err);
}

static int import_pairs_of(struct file_set *set, const char *source, const char *target,
                           const struct import_options *options, struct team *team,
                           struct import_result *result, struct err *err) {
    static const char *const *const names[] = {a_names, b_names};
    struct import_column columns[] = {{.name = "a", .list = 0}, {.name = "b", .list = 1}};

    if (options->halves) {
        columns[1].list = 0;
        columns[0].part = COLUMN_LEFT;
        columns[1].part = COLUMN_RIGHT;
        if (scan_halves(set, source, err))
            return -1;
    } else if (file_set_scan(set, source, names,
                             "expected folders A and B in it, or in folders of splits; images of "
                             "two halves are read with --halves",
                             err)) {
        return -1;
    }
    for (int i = 0; i < set->n_splits && !options->halves; i++)
        if (file_split_match(&set->split[i], err))
            return -1;
    if (file_set_hold_out(set, &options->split, err))
        return -1;
    return import_columns(set, columns, 2, options, team, target, result, err);
}

/* SRC/trainA, SRC/trainB, SRC/testA, SRC/testB. */
static int scan_unpaired(struct file_set *set, const char *source, struct err *err) {
    struct folder top;
    int status = 0;

    if (folder_init(&top, source, err))
        return -1;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < top.n && !status; i++) {
            const char *name = top.entry[i].name;
            const size_t n = strlen(name);
            char split[256];

            if (!top.entry[i].folder || n < 2 || n >= sizeof split ||
                (name[n - 1] != 'A' && name[n - 1] != 'B'))
                continue;
            snprintf(split, sizeof split, "%.*s", (int)(n - 1), name);
            if ((strcmp(split, "train") == 0) == (pass == 0))
                status = add_folder(set, source, name, split, name[n - 1] == 'B', err);
        }
    folder_release(&top);
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
    return status;
}

static int import_unpaired_of(struct file_set *set, const char *source, const char *target,
                              const struct import_options *options, struct team *team,
                              struct import_result *result, struct err *err) {
    struct import_column columns[] = {{.name = "a", .list = 0},
                                      {.name = "b", .list = 1, .unpaired = true}};

    if (scan_unpaired(set, source, err) || file_set_hold_out(set, &options->split, err) ||
        import_columns(set, columns, 2, options, team, target, result, err))
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
    result->n_ignored = set.n_ignored;
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
