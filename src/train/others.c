#include "train/others.h"
#include "io/weights/checkpoint.h"
#include "train/meta.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a run calls its checkpoints; those that were damaged before are not asked again. */
static bool is_candidate(const char *name) {
    static const char *const begin[] = {"last.", "best.", "step_"};
    const char *dot = strrchr(name, '.');
    bool known = false;

    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        known = known || !strncmp(name, begin[i], strlen(begin[i]));
    return known && dot && !strcmp(dot, ".h5") && !strstr(name, ".damaged.");
}

/* Add a path to a list, "a, b"; NULL: the empty one. */
static void add_path(struct others *o, const char **list, const char *path) {
    *list = *list ? pool_print(&o->pool, "%s, %s", *list, path) : path;
}

/* Take it up if it is whole and of a run; else to one of the lists. */
static void try(struct others *o, const char *path, const char **damaged, const char **unread) {
    struct checkpoint *ck = NULL;
    struct meta meta = {0};
    struct err err = {0}, ignored = {0};

    if (checkpoint_open(&ck, path, &err)) {
        add_path(o, err.kind == ERR_DATA ? damaged : unread, path);
    } else if (!meta_read(&meta, path, checkpoint_meta(ck), &ignored) && !meta_at(&meta, "fault")) {
        o->other = pool_grow(&o->pool, o->other, o->n, sizeof *o->other);
        o->other[o->n++] = (struct other){path, pool_print(&o->pool, "%s", meta_name(&meta)),
                                          meta_step(&meta), meta_epoch(&meta)};
    }
    meta_release(&meta);
    checkpoint_close(ck);
}

static int latest_first(const void *a, const void *b) {
    const struct other *x = a, *y = b;

    if (x->step != y->step)
        return x->step < y->step ? 1 : -1;
    return strcmp(x->path, y->path);
}

void others_find(struct others *o, const char *folder, const char *file) {
    const char *damaged = NULL, *unread = NULL;
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        const char *path = pool_print(&o->pool, "%s/%s", folder, entry->d_name);
        if (is_candidate(entry->d_name) && strcmp(path, file))
            try(o, path, &damaged, &unread);
    }
    if (dir)
        closedir(dir);
    o->wrong =
        pool_print(&o->pool, "%s%s%s%s", damaged ? "; damaged, too: " : "", damaged ? damaged : "",
                   unread ? "; cannot be read: " : "", unread ? unread : "");
    if (o->n)
        qsort(o->other, (size_t)o->n, sizeof *o->other, latest_first);
}

void others_release(struct others *o) {
    pool_release(&o->pool);
    *o = (struct others){0};
}

const struct other *others_latest(const struct others *o, const char *name) {
    for (int i = 0; i < o->n; i++)
        if (!strcmp(o->other[i].name, name))
            return &o->other[i];
    return NULL;
}

static bool is_damaged(const char *file) {
    struct checkpoint *ck = NULL;
    struct err err = {0};

    const bool damaged = checkpoint_open(&ck, file, &err) && err.kind == ERR_DATA;
    checkpoint_close(ck);
    return damaged;
}

void others_name(const char *file, const char *how, struct err *err) {
    enum { MOST = 4 };
    struct others o = {0};
    const struct err inner = *err;
    const char *text = "", *slash = strrchr(file, '/');

    if (err->kind != ERR_DATA || (!how && !is_damaged(file)))
        return;
    const char *folder =
        slash ? pool_print(&o.pool, "%.*s", (int)(slash - file), file) : pool_print(&o.pool, ".");
    others_find(&o, folder, file);
    for (int i = 0; i < o.n && i < MOST; i++)
        text = pool_print(&o.pool, "%s%s%s (epoch %.4g)", text, i ? ", " : "", o.other[i].path,
                          o.other[i].epoch);
    if (o.n)
        err_set(err, ERR_DATA, "%s; whole %s %s%s%s%s%s%s", inner.msg, o.n == 1 ? "is" : "are",
                text, o.n > MOST ? " ..." : "", how ? "; to go on from there: cp " : "",
                how ? o.other[0].path : "", how ? " " : "", how ? how : "");
    else if (how)
        err_set(err, ERR_DATA, "%s; %s holds no other checkpoint to go on from%s", inner.msg,
                folder, o.wrong);
    others_release(&o);
}

int others_exist(const char *folder, struct err *err) {
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int found = 0;

    if (!dir)
        return errno == ENOENT
                   ? 0
                   : err_set(err, ERR_IO, "%s: cannot be read: %s", folder, strerror(errno));
    while (!found && (entry = readdir(dir)))
        found = is_candidate(entry->d_name);
    closedir(dir);
    return found;
}
