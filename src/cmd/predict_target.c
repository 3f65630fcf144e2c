/* predict_target.c - what may be written over: the predictions of an earlier call, and nothing
 * else. */
#include "cmd/predict.h"
#include "cmd/predict_h5.h"
#include "io/file/file.h"
#include "io/h5/h5.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOKED_AT = 4096 };

/* Does the text begin so, as far as it goes? An earlier call may have ended within its first word.
 */
static bool begins(const char *text, const char *word) {
    const size_t n = strlen(word), len = strlen(text);

    return !strncmp(text, word, len < n ? len : n);
}

/* "file,class_1,p_1", "index,label,value_1": lines of CSV end in CR and LF, those of tables from
 * elsewhere seldom do. */
static bool is_csv(const char *text) {
    static const char *const names[] = {"file", "index"};
    static const char *const columns[] = {",class",       ",value_", ",share of ",
                                          ",\"share of ", ",error",  "\r\n"};
    const char *end = strchr(text, '\n');

    for (int k = 0; k < 2; k++) {
        if (!begins(text, names[k]))
            continue;
        const size_t n = strlen(names[k]), len = strlen(text);
        const char *at = text + (len < n ? len : n);
        at += k && !strncmp(at, ",label", 6) ? 6 : 0;
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            if (begins(at, columns[i]) && (!end || end[-1] == '\r'))
                return true;
    }
    return false;
}

/* 1: yes; 0: no; -1: nobody knows, as it cannot be read. */
static int is_text(enum predict_format format, const char *path, struct err *err) {
    char text[LOOKED_AT + 1] = "";
    FILE *file = fopen(path, "rb");
    const size_t n = file ? fread(text, 1, LOOKED_AT, file) : 0;
    const bool failed = !file || ferror(file);
    const int reason = errno;

    if (file)
        fclose(file);
    if (failed)
        return err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(reason));
    text[n] = 0;
    return format == PREDICT_CSV ? is_csv(text)
                                 : begins(text, "{\"file\":") || begins(text, "{\"index\":");
}

/* Likewise. */
static int is_h5(const char *path, struct err *err) {
    struct err reason = {0};
    struct h5 *h5 = NULL;
    int is = h5_open(&h5, path, &reason);

    if (!is)
        is = h5_attr_exists(h5, "/", PREDICT_H5_MARK, &reason);
    h5_close(h5);
    if (is < 0 && reason.kind == ERR_IO)
        *err = reason;
    return is >= 0 ? is : reason.kind == ERR_IO ? -1 : 0;
}

/* A file, whatever it is called. */
struct file_number {
    dev_t device;
    ino_t number;
};

static int by_number(const void *a, const void *b) {
    const struct file_number *x = a, *y = b;

    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static bool find_number(const char *path, struct file_number *at) {
    struct stat st;

    if (stat(path, &st))
        return false;
    *at = (struct file_number){st.st_dev, st.st_ino};
    return true;
}

/* Is the picture of input i, "" or "_overlay", one of the inputs? */
static int check_picture(const struct predict *p, const char *name, const char *behind,
                         const struct file_number *inputs, size_t n, struct err *err) {
    char *path = file_text("%s/%.*s%s.png", p->out->folder, (int)predict_stem(name), name, behind);
    struct file_number at = {0};
    int rc = path ? 0 : err_set(err, ERR_IO, "no memory for the names of pictures");

    if (!rc && find_number(path, &at) && bsearch(&at, inputs, n, sizeof *inputs, by_number))
        rc = err_set(err, ERR_USAGE,
                     "%s: is an input, which its prediction would replace; expected another folder "
                     "than that of the inputs",
                     path);
    free(path);
    return rc;
}

static int check_pictures(const struct predict *p, struct err *err) {
    const int64_t n = p->inputs.n;
    struct file_number *inputs = malloc(((size_t)n + 1) * sizeof *inputs);
    size_t found = 0;
    int rc = inputs ? 0 : err_set(err, ERR_IO, "no memory for %lld names", (long long)n);

    for (int64_t i = 0; !rc && i < n; i++)
        found += find_number(p->inputs.path[i], &inputs[found]);
    if (!rc)
        qsort(inputs, found, sizeof *inputs, by_number);
    for (int64_t i = 0; !rc && i < n; i++)
        rc = check_picture(p, p->inputs.name[i], "", inputs, found, err) ||
             (p->args.overlay &&
              check_picture(p, p->inputs.name[i], "_overlay", inputs, found, err));
    free(inputs);
    return rc ? -1 : 0;
}

int predict_target_check(const struct predict_out *o, const struct predict *p, struct err *err) {
    if (o->folder && p->inputs.path && predict_is_drawn(p) && check_pictures(p, err))
        return -1;
    if (!o->path || access(o->path, F_OK))
        return 0;
    const int is = o->format == PREDICT_H5 ? is_h5(o->path, err) : is_text(o->format, o->path, err);
    if (is < 0)
        return -1;
    return is ? 0
              : err_set(
                    err, ERR_USAGE,
                    "%s: is there and holds no predictions of the same format; it is not replaced",
                    o->path);
}
