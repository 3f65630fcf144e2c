/* convert_job.c - an ONNX file as a job and the weights that it begins with. */
#include "cmd/convert.h"
#include "export/import.h"
#include "io/file/file.h"
#include "io/weights/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int write_weights(const char *path, const struct onnx_import *net, struct err *err) {
    static const struct safetensors_text meta = {"format", "pt"};
    struct pool pool = {0};
    struct safetensor_out *t = pool_take(&pool, (size_t)(net->n_tensors + 1) * sizeof *t);

    for (int i = 0; i < net->n_tensors; i++)
        t[i] = (struct safetensor_out){net->tensors[i].name, net->tensors[i].shape,
                                       net->tensors[i].data};
    const int rc = safetensors_write(path, t, net->n_tensors, &meta, 1, err);
    pool_release(&pool);
    return rc;
}

/* OUT.ini and OUT.safetensors beside it; of a folder both in it, called as IN is. */
static void name_files(struct conversion *c, const char **job, const char **weights) {
    const size_t end = strlen(".ini"), len = strlen(c->out);
    const bool is_job = len > end && !strcmp(c->out + len - end, ".ini");
    const char *slash = strrchr(c->in, '/'), *name = slash ? slash + 1 : c->in;
    const char *stem =
        is_job ? pool_copy(&c->pool, c->out, len - end)
               : pool_print(&c->pool, "%.*s/%.*s", (int)(len - (c->out[len - 1] == '/')), c->out,
                            (int)strcspn(name, "."), name);

    *job = pool_print(&c->pool, "%s.ini", stem);
    *weights = pool_print(&c->pool, "%s.safetensors", stem);
}

/* That of both files, which may be a new one: networks/NAME.ini is where such jobs belong. */
static int make_folder(struct conversion *c, const char *job, struct err *err) {
    const char *slash = strrchr(job, '/');

    return slash && slash > job
               ? file_make_folders(pool_print(&c->pool, "%.*s", (int)(slash - job), job), err)
               : 0;
}

int convert_from_onnx(struct conversion *c, struct err *err) {
    const char *job, *weights;
    struct onnx_import net;
    char *bytes = NULL;
    size_t len;

    name_files(c, &job, &weights);
    if (file_check_target(job, &c->in, 1, err) || file_check_target(weights, &c->in, 1, err) ||
        convert_target_job(job, weights, err) || file_read(c->in, &bytes, &len, err))
        return -1;
    int rc = import_onnx(c->in, bytes, len, weights, &c->pool, &net, err);
    if (!rc)
        rc = make_folder(c, job, err);
    if (!rc)
        rc = write_weights(weights, &net, err) || file_replace(job, net.text, strlen(net.text), err)
                 ? -1
                 : 0;
    if (!rc)
        printf("%s: net %s, of %d nodes\n%s: %d tensors\n", job, net.net, net.n_nodes, weights,
               net.n_tensors);
    free(bytes);
    return rc;
}
