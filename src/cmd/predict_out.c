/* predict_out.c - where predictions go: lines of JSON or CSV, a folder of pictures with such lines,
 * or HDF5. */
#include "cmd/predict.h"
#include "cmd/predict_h5.h"
#include "dist/agree.h"
#include "io/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcasecmp(text + n - m, end);
}

static bool is_folder(const char *path) {
    struct stat st;

    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static const struct {
    const char *ending;
    enum predict_format format;
} endings[] = {{".jsonl", PREDICT_JSONL},
               {".json", PREDICT_JSONL},
               {".csv", PREDICT_CSV},
               {".h5", PREDICT_H5},
               {".hdf5", PREDICT_H5}};

/* By the ending; a name without one is a folder's. */
static int find_format(struct predict_out *o, const char *path, struct err *err) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');

    if (!*path)
        return err_set(err, ERR_USAGE, "-o: found '', expected the name of a file or a folder");
    o->format = PREDICT_FOLDER;
    if (is_folder(path))
        return 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(path, endings[i].ending)) {
            o->format = endings[i].format;
            return 0;
        }
    if (!dot || !dot[1])
        return 0;
    return err_set(
        err, ERR_USAGE,
        "-o: found '%s', expected a name that ends with .jsonl, .csv or .h5, or a folder", path);
}

/* Pictures and long lists of numbers are no text. */
static int check_kind(const struct predict_out *o, const struct predict *p, struct err *err) {
    const enum predictor_kind kind = p->predictor.kind;
    const bool drawn = predict_is_drawn(p), folder = o->format == PREDICT_FOLDER;

    if (p->args.overlay && !(folder && drawn && kind != PREDICT_IMAGE))
        return err_set(err, ERR_USAGE, "--overlay is of masks in a folder, as in -o masks");
    if (o->format == PREDICT_H5 || (drawn && folder))
        return 0;
    if (kind == PREDICT_IMAGE)
        return err_set(err, ERR_USAGE,
                       "%s is pictures; expected a folder for them, as in -o made, "
                       "or -o FILE.h5",
                       p->predictor.what);
    if (kind == PREDICT_VALUES && p->predictor.sample.rank > 1)
        return err_set(err, ERR_USAGE, "%s has many numbers for each sample; expected -o FILE.h5",
                       p->predictor.what);
    return 0;
}

int predict_out_find(struct predict_out *o, struct predict *p, struct err *err) {
    const char *path = p->args.out;
    const bool resume = p->args.job.resume;

    o->format = PREDICT_JSONL;
    if (path && !strcmp(path, "-"))
        path = NULL;
    if (path && find_format(o, path, err))
        return -1;
    o->path = path;
    if (o->format == PREDICT_FOLDER) {
        o->folder = path;
        o->path = pool_print(&p->pool, "%s/predictions.jsonl", path);
    }
    if (resume && (!path || o->format == PREDICT_H5))
        return err_set(
            err, ERR_USAGE,
            "--resume goes on with lines of text; expected -o FILE.jsonl, -o FILE.csv or "
            "-o FOLDER");
    return check_kind(o, p, err);
}

/* --- what an earlier call has left --- */

/* The lines that are whole: how many, and where the last of them begins and ends. A line break
 * within quotes is none. */
struct lines {
    int64_t n;
    size_t last, end;
};

static struct lines count_lines(const char *text, size_t len) {
    struct lines lines = {0};
    bool quoted = false;

    for (size_t i = 0; i < len; i++) {
        quoted = quoted != (text[i] == '"');
        if (text[i] != '\n' || quoted)
            continue;
        lines.n++;
        lines.last = lines.end;
        lines.end = i + 1;
    }
    return lines;
}

/* JSON has no line breaks within quotes, and quotes that are none. */
static struct lines count_json(const char *text, size_t len) {
    struct lines lines = {0};

    for (size_t i = 0; i < len; i++)
        if (text[i] == '\n') {
            lines.n++;
            lines.last = lines.end;
            lines.end = i + 1;
        }
    return lines;
}

/* What a line begins with, if it is of that input. */
static char *beginning(const struct predict *p, enum predict_format format, int64_t i) {
    char *text = NULL;
    size_t len;
    struct predict copy = *p;
    const struct predicted v = {.index = i, .label = -1, .error = ""};

    copy.lines = open_memstream(&text, &len);
    if (!copy.lines)
        return NULL;
    if (format == PREDICT_CSV)
        predict_csv(&copy, &v);
    else
        predict_json(&copy, &v, NULL);
    fclose(copy.lines);
    /* Up to the next value. */
    char *end = text ? strstr(text, format == PREDICT_CSV ? "," : ",\"error\"") : NULL;
    if (end)
        *end = 0;
    return text;
}

/* Is the last line that of the last input that it counts as? */
static int check_last(const struct predict_out *o, const struct predict *p, const char *text,
                      const struct lines *lines, struct err *err) {
    char *expected;
    int rc = 0;

    if (o->done > p->inputs.n)
        return err_set(err, ERR_DATA, "%s: has %lld predictions, and there are %lld inputs",
                       o->path, (long long)o->done, (long long)p->inputs.n);
    if (!o->done)
        return 0;
    expected = beginning(p, o->format, o->done - 1);
    if (!expected)
        return err_set(err, ERR_IO, "%s: no memory", o->path);
    if (strncmp(text + lines->last, expected, strlen(expected)) != 0)
        rc = err_set(
            err, ERR_DATA,
            "%s: its line %lld is not of input %lld of this command; without --resume it is "
            "written anew",
            o->path, (long long)lines->n, (long long)o->done);
    free(expected);
    return rc;
}

/* Rows that go on have the columns of those that are there. */
static int check_columns(const struct predict_out *o, const struct predict *p, const char *text,
                         struct err *err) {
    char *header = NULL;
    size_t len;
    FILE *to = open_memstream(&header, &len);

    if (!to)
        return err_set(err, ERR_IO, "%s: no memory", o->path);
    predict_csv_header(p, to);
    fclose(to);
    const bool same = header && !strncmp(text, header, strlen(header));
    free(header);
    return same
               ? 0
               : err_set(err, ERR_DATA,
                         "%s: has other columns than this command writes, as with another --top or "
                         "without --skip-broken; without --resume it is written anew",
                         o->path);
}

static int find_done(struct predict_out *o, const struct predict *p, off_t *end, struct err *err) {
    char *text = NULL;
    size_t len = 0;

    *end = 0;
    if (access(o->path, F_OK))
        return 0;
    if (file_read(o->path, &text, &len, err))
        return -1;
    const struct lines lines =
        o->format == PREDICT_CSV ? count_lines(text, len) : count_json(text, len);
    const bool header = o->format == PREDICT_CSV;
    o->done = lines.n > header ? lines.n - header : 0;
    *end = (off_t)lines.end;
    const int rc =
        (header && lines.n && check_columns(o, p, text, err)) || check_last(o, p, text, &lines, err)
            ? -1
            : 0;
    free(text);
    return rc;
}

/* --- opening --- */

static int open_text(struct predict_out *o, const struct predict *p, off_t keep, struct err *err) {
    char *header = NULL;
    size_t len = 0;
    int rc = 0;

    const int fd = open(o->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || ftruncate(fd, keep) || lseek(fd, keep, SEEK_SET) < 0) {
        err_set(err, ERR_IO, "%s: cannot be written: %s", o->path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    o->fd = fd + 1;
    if (o->format != PREDICT_CSV || keep)
        return 0;
    FILE *to = open_memstream(&header, &len);
    if (!to)
        return err_set(err, ERR_IO, "%s: no memory", o->path);
    predict_csv_header(p, to);
    fclose(to);
    rc = predict_out_write(o, p, header, len, err);
    free(header);
    return rc;
}

static int open_first(struct predict_out *o, struct predict *p, struct err *err) {
    const char *const *inputs = (const char *const *)p->inputs.path;
    const bool whole = p->inputs.n < 100000; /* more files are not looked at one by one */
    off_t keep = 0;

    if (o->folder && file_make_folders(o->folder, err))
        return -1;
    if (o->path && file_check_target(o->path, inputs, inputs && whole ? (int)p->inputs.n : 0, err))
        return -1;
    if (predict_target_check(o, p, err))
        return -1;
    if (o->format == PREDICT_H5)
        return predict_h5_open(o, p, err);
    if (p->args.job.resume && find_done(o, p, &keep, err))
        return -1;
    return o->path ? open_text(o, p, keep, err) : 0;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t predict_stem(const char *name) {
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');

    return dot && (!slash || dot > slash + 1) ? (size_t)(dot - name) : strlen(name);
}

/* Two inputs must not become one picture. */
static int check_names(const struct predict *p, struct err *err) {
    const int64_t n = p->inputs.n;
    const char **sorted = malloc(((size_t)n + 1) * sizeof *sorted);
    int rc = sorted ? 0 : err_set(err, ERR_IO, "no memory for %lld names", (long long)n);

    if (!rc) {
        memcpy(sorted, p->inputs.name, (size_t)n * sizeof *sorted);
        qsort(sorted, (size_t)n, sizeof *sorted, by_text);
    }
    for (int64_t i = 1; i < n && !rc; i++) {
        const size_t len = predict_stem(sorted[i]);
        if (len == predict_stem(sorted[i - 1]) && !strncmp(sorted[i], sorted[i - 1], len))
            rc = err_set(err, ERR_USAGE, "%s and %s would both become %.*s.png", sorted[i - 1],
                         sorted[i], (int)len, sorted[i]);
    }
    free(sorted);
    return rc;
}

int predict_out_open(struct predict_out *o, struct predict *p, struct err *err) {
    struct comm *comm = p->args.job.comm;
    const bool first = comm_rank(comm) == 0;
    int rc = 0;

    if (first && o->format == PREDICT_FOLDER && p->inputs.path && predict_is_drawn(p))
        rc = check_names(p, err);
    if (first && !rc)
        rc = open_first(o, p, err);
    if (agree(comm, rc, err))
        return -1;
    comm_bcast(comm, &o->done, sizeof o->done, 0);
    if (first && o->done)
        sinks_note(p->sinks, "%s: going on after %lld of %lld", o->path, (long long)o->done,
                   (long long)p->inputs.n);
    return 0;
}

/* --- writing --- */

int predict_out_take(struct predict *p, const struct predicted *v, struct err *err) {
    const struct predict_out *o = p->out;
    char picture[PREDICT_NAME];
    const bool draws = o->format == PREDICT_FOLDER && v->values && predict_is_drawn(p);

    if (o->format == PREDICT_H5)
        return predict_h5_take(p, v, err);
    if (draws && predict_draw(p, v, picture, err))
        return -1;
    if (o->format == PREDICT_CSV)
        predict_csv(p, v);
    else
        predict_json(p, v, draws ? picture : NULL);
    return 0;
}

int predict_out_write(struct predict_out *o, const struct predict *p, const void *bytes, size_t len,
                      struct err *err) {
    if (o->format == PREDICT_H5)
        return predict_h5_write(o, p, bytes, len, err);
    if (!o->fd) {
        if (fwrite(bytes, 1, len, stdout) != len || fflush(stdout))
            return err_set(err, ERR_IO, "standard output cannot be written");
        return 0;
    }
    return file_write(o->fd - 1, bytes, len)
               ? err_set(err, ERR_IO, "%s: cannot be written: %s", o->path, strerror(errno))
               : 0;
}

int predict_out_finish(struct predict_out *o, const struct predict *p, struct err *err) {
    if (o->format == PREDICT_H5)
        return predict_h5_finish(o, p, err);
    if (!o->fd)
        return 0;
    const int fd = o->fd - 1;
    o->fd = 0;
    return close(fd) ? err_set(err, ERR_IO, "%s: cannot be written: %s", o->path, strerror(errno))
                     : 0;
}

void predict_out_release(struct predict_out *o) {
    if (o->fd)
        close(o->fd - 1);
    predict_h5_release(o);
    *o = (struct predict_out){0};
}
