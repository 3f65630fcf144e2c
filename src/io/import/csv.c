#include "io/import/csv.h"

#include "core/base/nearest.h"
#include "io/file/file.h"
#include "io/import/utf8.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* A place in the text on its way through. */
struct csv_reader {
    struct csv *csv;
    char *at;
    int64_t line;
    char **cell; /* of all rows so far, those of the row being read at the end */
    int64_t n_cells, room;
};

/* The whole file, unpacked, with a 0 after it. */
static int read_text(struct csv *csv, size_t *len, struct err *err) {
    const int fd = file_open(csv->path, err);
    gzFile file;
    struct stat st;
    size_t room = 1 << 16;
    int n = 1, status = 0;

    if (fd >= 0 && !fstat(fd, &st) && S_ISDIR(st.st_mode)) {
        close(fd);
        return err_set(err, ERR_DATA, "%s: is a folder, expected a table", csv->path);
    }
    file = fd < 0 ? NULL : gzdopen(fd, "rb");
    if (!file) {
        if (fd >= 0)
            close(fd);
        return fd < 0 ? -1 : err_set(err, ERR_IO, "%s: out of memory", csv->path);
    }
    *len = 0;
    while (!status && n > 0) {
        char *grown = !csv->text || *len + 1 >= room ? realloc(csv->text, room *= 2) : csv->text;

        if (!grown) {
            status = err_set(err, ERR_IO, "%s: out of memory", csv->path);
            break;
        }
        csv->text = grown;
        const size_t left = room - *len - 1;
        n = gzread(file, csv->text + *len, (unsigned)(left > 1 << 20 ? 1 << 20 : left));
        if (n < 0)
            status = err_set(err, ERR_DATA, "%s: is damaged: its gzip data cannot be unpacked",
                             csv->path);
        else
            *len += (size_t)n;
    }
    /* the end of a file that is cut off is an end to gzread */
    if (gzclose(file) == Z_BUF_ERROR && !status)
        status = err_set(err, ERR_DATA, "%s: is damaged: it is cut off", csv->path);
    if (!status)
        csv->text[*len] = 0;
    return status;
}

static int check_text(const struct csv *csv, size_t len, struct err *err) {
    if (utf8_check(csv->text, len, csv->path, err))
        return -1;
    if (memchr(csv->text, '\r', len) && !memchr(csv->text, '\n', len))
        return err_set(err, ERR_DATA,
                       "%s: has lines that end in CR alone, expected LF or CRLF: tr '\\r' '\\n'",
                       csv->path);
    return 0;
}

/* What occurs most in the first line, outside quotes; a comma where nothing does. */
static char find_separator(const char *text) {
    static const char separators[] = ",;\t";
    int count[3] = {0};
    bool quoted = false;

    for (; *text && (quoted || *text != '\n'); text++) {
        const char *found = quoted ? NULL : strchr(separators, *text);

        quoted ^= *text == '"';
        if (found)
            count[found - separators]++;
    }
    return count[1] > count[0] && count[1] >= count[2]  ? ';'
           : count[2] > count[0] && count[2] > count[1] ? '\t'
                                                        : ',';
}

/* A cell in quotes, unquoted in place; `at` is behind the first. Returns its end in the text. */
static char *unquote(struct csv_reader *r, char *at, struct err *err) {
    const int64_t begun = r->line;
    char *to = at;

    for (;; at++) {
        if (!*at) {
            err_set(err, ERR_DATA, "%s:%" PRId64 ": a quote begins here that does not end",
                    r->csv->path, begun);
            return NULL;
        }
        if (*at == '"' && *++at != '"')
            break;
        r->line += *at == '\n';
        *to++ = *at;
    }
    if (*at && *at != r->csv->separator && *at != '\n' && *at != '\r') {
        err_set(err, ERR_DATA,
                "%s:%" PRId64 ": found '%c' behind a closing quote, expected '%c' or "
                "the end of the line",
                r->csv->path, r->line, *at, r->csv->separator);
        return NULL;
    }
    if (to < at)
        *to = 0;
    return at;
}

static int add_cell(struct csv_reader *r, char *cell, struct err *err) {
    if (r->n_cells == r->room) {
        const int64_t room = r->room ? 2 * r->room : 1024;
        char **grown = realloc(r->cell, (size_t)room * sizeof *grown);

        if (!grown)
            return err_set(err, ERR_IO, "%s: out of memory", r->csv->path);
        r->cell = grown;
        r->room = room;
    }
    r->cell[r->n_cells++] = cell;
    return 0;
}

/* Blanks around what is not quoted are none of it. */
static char *trimmed(char *begin, char *end) {
    while (begin < end && *begin == ' ')
        begin++;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\r'))
        end--;
    *end = 0;
    return begin;
}

/* Read one row, its cells to the end of r->cell. Returns 1, 0 at the end of the text, or -1. */
static int read_row(struct csv_reader *r, struct err *err) {
    while (*r->at == '\n' || (*r->at == '\r' && r->at[1] == '\n')) { /* empty lines */
        r->line += *r->at == '\n';
        r->at++;
    }
    if (!*r->at)
        return 0;
    for (;;) {
        char *cell = r->at + strspn(r->at, r->csv->separator == '\t' ? "" : " "), *end;
        const bool quoted = *cell == '"';
        char stopped;

        if (quoted && !(end = unquote(r, ++cell, err)))
            return -1;
        if (!quoted)
            end = cell + strcspn(cell, (const char[]){r->csv->separator, '\n', 0});
        end += quoted && *end == '\r';
        stopped = *end;
        r->at = end + (stopped != 0);
        *end = 0;
        if (add_cell(r, quoted ? cell : trimmed(cell, end), err))
            return -1;
        if (stopped != r->csv->separator) {
            r->line++;
            return 1;
        }
    }
}

/* A row that holds nothing but its separators is none. */
static int read_rows(struct csv_reader *r, struct err *err) {
    struct csv *csv = r->csv;
    int64_t room = 0;

    for (;;) {
        const int64_t line = r->line + (*r->at == '\n');
        const int64_t before = r->n_cells;
        const int more = read_row(r, err);

        if (more <= 0)
            return more;
        if (!csv->n_columns)
            csv->n_columns = (int)r->n_cells;
        if (r->n_cells - before != csv->n_columns)
            return err_set(err, ERR_DATA,
                           "%s:%" PRId64 ": has %" PRId64 " cells, the first line "
                           "has %d",
                           csv->path, line, r->n_cells - before, csv->n_columns);
        if (csv->n == room) {
            int64_t *grown = realloc(csv->line, (size_t)(room = 2 * room + 64) * sizeof *grown);

            if (!grown)
                return err_set(err, ERR_IO, "%s: out of memory", csv->path);
            csv->line = grown;
        }
        csv->line[csv->n++] = line;
    }
}

static int by_text(const void *a, const void *b) {
    char *const *x = *(char *const *const *)a, *const *y = *(char *const *const *)b;
    const int order = strcmp(*x, *y);

    return order ? order : x < y ? -1 : x > y;
}

/* Errors: ERR_DATA where two names are the same. */
static int check_twice(const struct csv *csv, struct err *err) {
    char ***sorted = malloc((size_t)csv->n_columns * sizeof *sorted);
    int status = sorted ? 0 : err_set(err, ERR_IO, "%s: out of memory", csv->path);

    for (int k = 0; sorted && k < csv->n_columns; k++)
        sorted[k] = &csv->cell[k];
    if (sorted)
        qsort(sorted, (size_t)csv->n_columns, sizeof *sorted, by_text);
    for (int k = 1; !status && k < csv->n_columns; k++)
        if (strcmp(*sorted[k - 1], *sorted[k]) == 0)
            status =
                err_set(err, ERR_DATA, "%s:1: the name '%.80s' stands twice, in columns %d and %d",
                        csv->path, *sorted[k], (int)(sorted[k - 1] - csv->cell) + 1,
                        (int)(sorted[k] - csv->cell) + 1);
    free(sorted);
    return status;
}

/* The first row's cells are names. */
static int take_header(struct csv *csv, struct err *err) {
    bool numbers = csv->n_columns > 0;
    double number;

    for (int k = 0; k < csv->n_columns; k++) {
        numbers = numbers && csv_number(csv->cell[k], &number);
        if (!*csv->cell[k])
            return err_set(err, ERR_DATA, "%s:1: column %d has no name", csv->path, k + 1);
    }
    if (numbers)
        return err_set(err, ERR_DATA,
                       "%s:1: the first line holds numbers alone, expected names of "
                       "columns; where there are none: --no-header",
                       csv->path);
    if (check_twice(csv, err))
        return -1;
    if (csv->n == 1)
        return err_set(err, ERR_DATA, "%s: has names of columns and no rows", csv->path);
    csv->name = malloc((size_t)csv->n_columns * sizeof *csv->name);
    if (!csv->name)
        return err_set(err, ERR_IO, "%s: out of memory", csv->path);
    memcpy(csv->name, csv->cell, (size_t)csv->n_columns * sizeof *csv->name);
    csv->n--;
    memmove(csv->line, csv->line + 1, (size_t)csv->n * sizeof *csv->line);
    memmove(csv->cell, csv->cell + csv->n_columns,
            (size_t)(csv->n * csv->n_columns) * sizeof *csv->cell);
    return 0;
}

static int number_columns(struct csv *csv, struct err *err) {
    csv->no_names = true;
    csv->name = calloc((size_t)csv->n_columns + 1, sizeof *csv->name);
    for (int k = 0; csv->name && k < csv->n_columns; k++)
        if (!(csv->name[k] = file_text("c%d", k + 1)))
            return err_set(err, ERR_IO, "%s: out of memory", csv->path);
    return csv->name ? 0 : err_set(err, ERR_IO, "%s: out of memory", csv->path);
}

int csv_init(struct csv *csv, const char *path, bool no_header, struct import_result *result,
             struct err *err) {
    struct csv_reader r = {.csv = csv, .line = 1};
    size_t len = 0;
    int status;

    *csv = (struct csv){.path = path};
    status = read_text(csv, &len, err) || check_text(csv, len, err);
    if (!status) {
        r.at = csv->text + utf8_mark(csv->text, len);
        csv->separator = find_separator(r.at);
        status = read_rows(&r, err);
        csv->cell = r.cell;
    }
    if (!status && !csv->n)
        status = err_set(err, ERR_DATA, "%s: is empty", path);
    if (!status)
        status = no_header ? number_columns(csv, err) : take_header(csv, err);
    if (!status && csv->separator != ',')
        import_note(result,
                    "cells are taken to be separated by %s, of which the first line has "
                    "the most",
                    csv->separator == ';' ? "semicolons" : "tabs");
    if (status)
        csv_release(csv);
    return status ? -1 : 0;
}

void csv_release(struct csv *csv) {
    for (int k = 0; csv->no_names && csv->name && k < csv->n_columns; k++)
        free(csv->name[k]);
    free(csv->name);
    free(csv->text);
    free(csv->cell);
    free(csv->line);
    *csv = (struct csv){0};
}

int csv_find(const struct csv *csv, const char *name, struct err *err) {
    for (int k = 0; k < csv->n_columns; k++)
        if (strcmp(csv->name[k], name) == 0)
            return k;
    const char *near = nearest(name, (const char *const *)csv->name, csv->n_columns);
    err_set(err, ERR_USAGE, "%s: has no column '%s'%s%s%s", csv->path, name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return -1;
}

bool csv_is_missing(const char *cell) {
    static const char *const words[] = {"", "na", "n/a", "nan", "null", "none", "?"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(cell, words[i]) == 0)
            return true;
    return false;
}

bool csv_number(const char *cell, double *value) {
    char *end;

    if (!*cell || cell[strspn(cell, "0123456789+-.eE")])
        return false;
    *value = strtod(cell, &end);
    return end != cell && !*end && fabs(*value) <= FLT_MAX;
}
