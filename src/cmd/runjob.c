#include "cmd/runjob.h"
#include "io/weights/tensor_file.h"
#include "train/meta.h"
#include "train/others.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path) {
    struct stat st;

    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

bool runjob_is(const char *path) {
    const char *dot = strrchr(path, '.');

    return (dot && !strcmp(dot, ".h5")) || is_folder(path) || tensor_file_is_safetensors(path) ||
           tensor_file_is_checkpoint(path);
}

int runjob_file(struct pool *pool, const char *path, const char **file, struct err *err) {
    static const char *const names[] = {"best.h5", "last.h5"};

    *file = path;
    if (!is_folder(path))
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *file = pool_print(pool, "%s/%s", path, names[i]);
        if (!access(*file, F_OK))
            return 0;
    }
    return err_set(err, ERR_IO,
                   "%s: is a folder without best.h5 or last.h5, expected that of a run", path);
}

/* Weights alone can be measured where a job says by what. */
static int read_meta(struct meta *meta, const char *file, struct err *err) {
    const bool safetensors = tensor_file_is_safetensors(file);
    int rc = tensor_file_check(file, err);

    if (rc)
        return -1;
    if (safetensors)
        rc = err_set(err, ERR_DATA, "%s: is safetensors: weights alone, without a job", file);
    else
        rc = meta_open(meta, file, err);
    if (rc && !safetensors)
        others_name(file, NULL, err);
    const struct err inner = *err;
    if (rc && inner.kind == ERR_DATA && (safetensors || meta->file))
        err_set(err, ERR_DATA, "%s; give its job, too: dltrain eval JOB.ini --weights %s",
                inner.msg, file);
    return rc;
}

int runjob_find(struct jobargs *a, const char *path, struct source_files *files, struct err *err) {
    struct meta meta = {0};
    const int rc =
        runjob_file(&a->pool, path, &a->run, err) || read_meta(&meta, a->run, err) ? -1 : 0;

    if (!rc) {
        const char *text = meta_job(&meta);
        source_files_add(files, &(struct source_file){a->run, text, strlen(text), 0, 0});
    }
    meta_release(&meta);
    return rc;
}

int runjob_read(struct jobargs *a, const struct source_files *files, struct err *err) {
    const struct source_file *file = &files->file[0];

    a->run = pool_copy(&a->pool, file->path, strlen(file->path));
    if (!a->weights)
        a->weights = a->run;
    return job_read_text(&a->job, a->run, file->text, a->sets, a->n_sets, err);
}
