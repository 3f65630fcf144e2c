#include "io/h5/h5_files.h"

#include <stdlib.h>
#include <string.h>

int h5_files_open(struct h5_files *files, const char *path, struct h5 **out, struct err *err) {
    struct h5 **more;

    for (int k = 0; files && k < files->n; k++)
        if (!strcmp(h5_name(files->file[k]), path)) {
            *out = h5_share(files->file[k]);
            return 0;
        }
    if (h5_open(out, path, err))
        return -1;
    if (!files)
        return 0;
    more = realloc(files->file, ((size_t)files->n + 1) * sizeof *more);
    if (!more) {
        h5_close(*out);
        return err_set(err, ERR_IO, "%s: out of memory", path);
    }
    files->file = more;
    files->file[files->n++] = h5_share(*out);
    return 0;
}

void h5_files_release(struct h5_files *files) {
    for (int k = 0; k < files->n; k++)
        h5_close(files->file[k]);
    free(files->file);
    *files = (struct h5_files){0};
}
