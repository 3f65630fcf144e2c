#include "report/page_folders.h"
#include "io/file/folder.h"

#include <unistd.h>

bool page_is_run(const char *folder) {
    static const char *const names[] = {"job.ini", "metrics.jsonl"};
    struct pool pool = {0};
    bool is = false;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is = is || !access(pool_print(&pool, "%s/%s", folder, names[i]), F_OK);
    pool_release(&pool);
    return is;
}

/* Add what one of them means; returns how many there are then.
 *   within  it is a sweep in a folder of runs, with trials and no others in it */
static int add(const char *path, struct pool *pool, const char ***out, int n, bool within) {
    const bool sweep = !access(pool_print(pool, "%s/sweep.json", path), F_OK);
    struct folder folder = {0};
    struct err ignored = {0}; /* whoever reads the folder says it */
    const int before = n;

    if ((sweep || !page_is_run(path)) && !folder_init(&folder, path, &ignored))
        for (int i = 0; i < folder.n; i++) {
            const char *run = pool_print(pool, "%s/%s", path, folder.entry[i].name);
            if (!folder.entry[i].folder || !page_is_run(run))
                continue;
            if (!within && !access(pool_print(pool, "%s/sweep.json", run), F_OK)) {
                n = add(run, pool, out, n, true);
                continue;
            }
            *out = pool_grow(pool, *out, n, sizeof **out);
            (*out)[n++] = run;
        }
    folder_release(&folder);
    if (n == before) {
        *out = pool_grow(pool, *out, n, sizeof **out);
        (*out)[n++] = path;
    }
    return n;
}

int page_folders(const char *const *runs, int n, struct pool *pool, const char ***out) {
    int found = 0;

    *out = NULL;
    for (int i = 0; i < n; i++)
        found = add(runs[i], pool, out, found, false);
    return found;
}
