/* convert_target.c - what may be written over: what was converted before. */
#include "cmd/convert.h"
#include "export/import.h"
#include "io/weights/checkpoint.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int convert_target_h5(const char *path, struct err *err) {
    struct checkpoint *ck = NULL;
    struct err reason = {0};
    bool ours = false;

    if (access(path, F_OK))
        return 0;
    const int rc = checkpoint_open(&ck, path, &reason);
    if (rc && reason.kind == ERR_IO) { /* nobody knows what it holds */
        *err = reason;
        return -1;
    }
    if (!rc) {
        json_t *meta = json_loads(checkpoint_meta(ck), 0, NULL);
        ours = json_object_get(meta, CONVERTED_FROM) != NULL;
        json_decref(meta);
        checkpoint_close(ck);
    }
    return ours ? 0
                : err_set(err, ERR_USAGE,
                          "%s: is there and holds no weights that were converted, but data, or the "
                          "checkpoint of a run; it is not replaced",
                          path);
}

/* Does the file begin with that text? */
static bool begins(const char *path, const char *text) {
    char found[64] = "";
    FILE *file = fopen(path, "rb");
    const size_t n = file ? fread(found, 1, sizeof found, file) : 0;

    if (file)
        fclose(file);
    return n >= strlen(text) && !strncmp(found, text, strlen(text));
}

int convert_target_job(const char *job, const char *weights, struct err *err) {
    const bool is_there = !access(job, F_OK);

    if (is_there && begins(job, IMPORT_ONNX_BEGINS))
        return 0;
    if (is_there)
        return err_set(
            err, ERR_USAGE,
            "%s: is there and is no job that was made of an ONNX file; it is not replaced", job);
    return access(weights, F_OK)
               ? 0
               : err_set(
                     err, ERR_USAGE,
                     "%s: is there without %s, whose weights it would become; it is not replaced",
                     weights, job);
}
