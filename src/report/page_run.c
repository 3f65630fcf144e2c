#include "report/page_run.h"
#include "core/base/pool.h"
#include "report/page_folders.h"
#include "report/page_job.h"
#include "report/page_lines.h"
#include "report/page_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static int check(const char *folder, struct err *err) {
    struct stat st;

    if (stat(folder, &st))
        return err_set(err, ERR_IO, "%s: cannot be read: %s", folder, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_USAGE, "%s: is a file, expected the folder of a run: runs/NAME",
                       folder);
    if (!page_is_run(folder))
        return err_set(err, ERR_DATA,
                       "%s: is no run's folder: found neither job.ini nor metrics.jsonl in it",
                       folder);
    return 0;
}

/* The last part of a path, without slashes behind it. */
static const char *base_name(const char *folder, struct pool *pool) {
    char *path = pool_copy(pool, folder, strlen(folder));

    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
        path[n - 1] = 0;
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static int fill(json_t *run, const char *folder, const struct page_share *share,
                struct page_job *job, struct err *err) {
    struct pool *pool = &job->pool;

    return page_job_add(run, folder, job, err) ||
                   page_curves_add(run, pool_print(pool, "%s/metrics.jsonl", folder), &job->best,
                                   share->points, err) ||
                   page_ranks_add(run, pool_print(pool, "%s/ranks.jsonl", folder), share->cells,
                                  err) ||
                   page_phases_add(run, pool_print(pool, "%s/phases.txt", folder), err) ||
                   page_histograms_add(run, pool_print(pool, "%s/histograms.jsonl", folder),
                                       2 * share->cells, err) ||
                   page_worst_add(run, folder, share->picture_bytes / 3, err) ||
                   page_pictures_add(run, folder, share->picture_bytes, err) ||
                   page_state_add(run, folder, err)
               ? -1
               : 0;
}

int page_run(json_t **out, const char *folder, const struct page_share *share, struct err *err) {
    struct page_job job = {0};
    int rc = check(folder, err);

    *out = NULL;
    if (!rc) {
        *out = json_pack("{s:o, s:o, s:[]}", "folder", page_text(folder), "name",
                         page_text(base_name(folder, &job.pool)), "notes");
        rc = *out ? fill(*out, folder, share, &job, err)
                  : err_set(err, ERR_IO, "%s: no memory for it", folder);
    }
    page_job_release(&job);
    return rc;
}
