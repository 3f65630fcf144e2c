#include "train/others.h"
#include "io/weights/checkpoint.h"
#include "train/meta.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* A whole checkpoint of a run. */
struct other {
    const char *path;
    int64_t step;
    double epoch;
};

struct others {
    struct pool pool;
    struct other *other;
    int n;
};

/* Take it up if it is whole and of a run. */
static void try(struct others *o, const char *path) {
    struct checkpoint *ck = NULL;
    struct meta meta = {0};
    struct err ignored = {0};

    if (!checkpoint_open(&ck, path, &ignored) &&
        !meta_read(&meta, path, checkpoint_meta(ck), &ignored) && !meta_at(&meta, "fault")) {
        o->other = pool_grow(&o->pool, o->other, o->n, sizeof *o->other);
        o->other[o->n++] = (struct other){path, meta_step(&meta), meta_epoch(&meta)};
    }
    meta_release(&meta);
    checkpoint_close(ck);
}

static void find(struct others *o, const char *folder, const char *file) {
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        const char *path = pool_print(&o->pool, "%s/%s", folder, entry->d_name);
        const char *dot = strrchr(entry->d_name, '.');
        if (dot && !strcmp(dot, ".h5") && strcmp(path, file))
            try(o, path);
    }
    if (dir)
        closedir(dir);
}

static int latest_first(const void *a, const void *b) {
    const struct other *x = a, *y = b;

    if (x->step != y->step)
        return x->step < y->step ? 1 : -1;
    return strcmp(x->path, y->path);
}

void others_name(const char *folder, const char *file, struct err *err) {
    enum { MOST = 4 };
    struct others o = {0};
    const struct err inner = *err;
    const char *text = "";

    if (err->kind != ERR_DATA)
        return;
    find(&o, folder, file);
    if (o.n)
        qsort(o.other, (size_t)o.n, sizeof *o.other, latest_first);
    for (int i = 0; i < o.n && i < MOST; i++)
        text = pool_print(&o.pool, "%s%s%s (epoch %.4g)", text, i ? ", " : "", o.other[i].path,
                          o.other[i].epoch);
    if (o.n)
        err_set(err, ERR_DATA,
                "%s; whole %s %s%s; to go on from there: cp %s %s, and --resume again", inner.msg,
                o.n == 1 ? "is" : "are", text, o.n > MOST ? " ..." : "", o.other[0].path, file);
    else
        err_set(err, ERR_DATA, "%s; %s holds no other checkpoint to go on from", inner.msg, folder);
    pool_release(&o.pool);
}
