/* predict_inputs.c - which files, in which order: the same on all ranks. */
#include "cmd/predict.h"
#include "dist/agree.h"
#include "io/dataset/dataset.h"
#include "io/import/import_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* What rank 0 has found so far: path and name of each file, each with the 0 at its end. */
struct list {
    char *texts;
    size_t len;
    int64_t n;
    FILE *to;
};

static void add(struct list *f, const char *path, const char *name) {
    fwrite(path, 1, strlen(path) + 1, f->to);
    fwrite(name, 1, strlen(name) + 1, f->to);
    f->n++;
}

static int add_folder(struct list *f, const char *path, struct err *err) {
    struct tree tree = {0};
    const size_t below = strlen(path);

    if (tree_init(&tree, path, err))
        return -1;
    const int64_t n = tree.n_images;
    for (int64_t i = 0; i < n; i++) {
        const char *name = tree.image[i].path + below;
        add(f, tree.image[i].path, name + strspn(name, "/"));
    }
    tree_release(&tree);
    return n ? 0
             : err_set(err, ERR_DATA,
                       "%s: holds no pictures, expected files of JPEG, PNG, WebP, BMP, GIF or TIFF",
                       path);
}

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcasecmp(text + n - m, end);
}

/* "a.h5:test", "a.hdf5". */
static bool is_dataset(const char *input) {
    char *path = strdup(input), *colon;
    bool is = false;

    if (!path)
        return false;
    is = ends_with(path, ".h5") || ends_with(path, ".hdf5");
    if ((colon = strrchr(path, ':'))) {
        *colon = 0;
        is = is || ends_with(path, ".h5") || ends_with(path, ".hdf5");
    }
    free(path);
    return is;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int add_input(struct list *f, const char *path, struct err *err) {
    struct stat st;

    if (stat(path, &st))
        return err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return add_folder(f, path, err);
    add(f, path, last_part(path));
    return 0;
}

/* A path a line. */
static int add_listed(struct list *f, struct err *err) {
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int rc = 0;

    while (!rc && (len = getline(&line, &room, stdin)) >= 0) {
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            line[--len] = 0;
        if (len && strlen(line) != (size_t)len)
            rc = err_set(err, ERR_DATA,
                         "standard input has the byte 0 behind '%s', expected a path a line", line);
        else if (len)
            rc = add_input(f, line, err);
    }
    free(line);
    return rc;
}

static int look(struct list *f, const struct jobargs *a, struct err *err) {
    f->to = open_memstream(&f->texts, &f->len);
    int rc = f->to ? 0 : err_set(err, ERR_IO, "no memory for the names of inputs");

    for (int i = 0; i < a->n_inputs && !rc; i++) {
        if (is_dataset(a->inputs[i]))
            rc =
                err_set(err, ERR_USAGE,
                        "found the dataset %s among other inputs, expected it alone", a->inputs[i]);
        else
            rc = strcmp(a->inputs[i], "-") ? add_input(f, a->inputs[i], err) : add_listed(f, err);
    }
    if (f->to && fclose(f->to) && !rc)
        rc = err_set(err, ERR_IO, "no memory for the names of inputs");
    if (!rc && !f->n)
        rc = err_set(err, ERR_DATA, "standard input names no files, expected a path a line");
    return rc;
}

/* Lists into the texts that all ranks have by now. */
static int spread(struct predict_inputs *in, char *texts, struct err *err) {
    const char **lists = calloc(2 * (size_t)in->n, sizeof *lists);

    if (!lists)
        return err_set(err, ERR_IO, "no memory for %lld names", (long long)in->n);
    in->path = lists;
    in->name = lists + in->n;
    for (int64_t i = 0; i < in->n; i++) {
        in->path[i] = texts;
        in->name[i] = texts += strlen(texts) + 1;
        texts += strlen(texts) + 1;
    }
    return 0;
}

static int share_files(struct predict_inputs *in, const struct jobargs *a, struct err *err) {
    struct list f = {0};
    const bool first = comm_rank(a->comm) == 0;
    int rc = agree(a->comm, first ? look(&f, a, err) : 0, err);
    int64_t sizes[] = {f.n, (int64_t)f.len};

    if (!rc) {
        comm_bcast(a->comm, sizes, sizeof sizes, 0);
        in->n = sizes[0];
        if (!first && !(f.texts = malloc((size_t)sizes[1])))
            rc = err_set(err, ERR_IO, "no memory for %lld names", (long long)in->n);
        rc = agree(a->comm, rc, err);
    }
    if (!rc)
        comm_bcast(a->comm, f.texts, (size_t)sizes[1], 0);
    in->texts = f.texts;
    return rc ? -1 : agree(a->comm, spread(in, in->texts, err), err);
}

int predict_inputs_init(struct predict_inputs *in, const struct predict_args *a, struct err *err) {
    const struct jobargs *job = &a->job;

    if (a->count) {
        in->n = a->count;
        return job->n_inputs ? err_set(err, ERR_USAGE,
                                       "--count is of samples that networks make of noise; found "
                                       "the input %s, too",
                                       job->inputs[0])
                             : 0;
    }
    if (a->class)
        return err_set(
            err, ERR_USAGE,
            "--class is of samples that networks make of noise, found without --count N");
    if (!job->n_inputs)
        return err_set(err, ERR_USAGE,
                       "found no inputs, expected pictures, folders of them, FILE.h5:GROUP, or "
                       "--count N of a network that makes pictures of noise");
    if (job->n_inputs == 1 && is_dataset(job->inputs[0])) {
        in->spec = job->inputs[0];
        return 0;
    }
    return share_files(in, job, err);
}

void predict_inputs_release(struct predict_inputs *in) {
    free(in->path);
    free(in->texts);
    *in = (struct predict_inputs){0};
}
