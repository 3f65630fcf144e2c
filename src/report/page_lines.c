#include "report/page_lines.h"
#include "io/file/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int check_line(const char *path, long number, bool step, const json_t *line,
                      const json_error_t *error, struct err *err) {
    if (!line)
        return err_set(err, ERR_DATA, "%s:%ld: is no JSON (%s), expected one JSON object a line",
                       path, number, error->text);
    if (!json_is_object(line))
        return err_set(err, ERR_DATA, "%s:%ld: is JSON, but no object", path, number);
    if (step && !json_is_integer(json_object_get(line, "step")))
        return err_set(err, ERR_DATA, "%s:%ld: has no whole number \"step\"", path, number);
    return 0;
}

static int read_lines(FILE *file, const char *path, bool step,
                      int (*take)(void *context, json_t *line, struct err *err), void *context,
                      struct err *err) {
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    int rc = 0;

    for (long number = 1; !rc && (len = getline(&text, &room, file)) > 0; number++) {
        json_error_t error;
        if (text[len - 1] != '\n')
            break;
        json_t *line = json_loadb(text, (size_t)len, 0, &error);
        rc = check_line(path, number, step, line, &error, err) || take(context, line, err) ? -1 : 0;
        json_decref(line);
    }
    if (!rc && ferror(file))
        rc = err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    free(text);
    return rc;
}

int page_lines_read(const char *path, bool step,
                    int (*take)(void *context, json_t *line, struct err *err), void *context,
                    struct err *err) {
    if (access(path, F_OK) && errno == ENOENT)
        return 0;
    const int fd = file_open(path, err);
    if (fd < 0)
        return -1;
    FILE *file = fdopen(fd, "r");
    if (!file) {
        close(fd);
        return err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    }
    const int rc = read_lines(file, path, step, take, context, err);
    fclose(file);
    return rc;
}

int page_file_read(const char *path, char **text, size_t *len, struct err *err) {
    *text = NULL;
    *len = 0;
    return access(path, F_OK) && errno == ENOENT ? 0 : file_read(path, text, len, err);
}

int page_object_read(const char *path, json_t **out, struct err *err) {
    json_error_t error;
    char *text;
    size_t len;

    *out = NULL;
    if (page_file_read(path, &text, &len, err))
        return -1;
    if (!text)
        return 0;
    *out = json_loadb(text, len, 0, &error);
    free(text);
    if (json_is_object(*out))
        return 0;
    json_decref(*out);
    *out = NULL;
    return err_set(err, ERR_DATA, "%s:%d: is no JSON object", path,
                   error.line > 0 ? error.line : 1);
}

json_t *page_text(const char *text) {
    json_t *json = json_string(text);

    if (json)
        return json;
    char *ascii = strdup(text);
    for (char *at = ascii; at && *at; at++)
        if ((unsigned char)*at > 127)
            *at = '?';
    json = json_string(ascii ? ascii : "");
    free(ascii);
    return json;
}
