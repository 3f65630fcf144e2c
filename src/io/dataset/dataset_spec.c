#include "io/dataset/dataset_spec.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

static bool is_blank(char c) {
    return isspace((unsigned char)c);
}

/* Where the item that begins there ends: at a comma, at a + between blanks, or with the text. */
static const char *item_end(const char *begin) {
    const char *at = begin;

    for (; *at && *at != ','; at++)
        if (*at == '+' && (at == begin || is_blank(at[-1])) && (!at[1] || is_blank(at[1])))
            break;
    return at;
}

/* Is it "path" or "path:group" of a file that there is? A colon may also be part of its name. */
static bool is_file(struct pool *pool, const char *text) {
    const char *colon = strrchr(text, ':');

    if (access(text, F_OK) == 0)
        return true;
    return colon && !*item_end(colon) &&
           access(pool_copy(pool, text, (size_t)(colon - text)), F_OK) == 0;
}

static int add(struct dataset_spec *s, const char *part, const char *text, struct err *err) {
    for (int k = 0; k < s->n; k++)
        if (strcmp(s->part[k], part) == 0)
            return err_set(err, ERR_CONFIG,
                           "%s: %s is named twice, so that its samples would count twice", text,
                           part);
    s->part = pool_grow(&s->pool, s->part, s->n, sizeof *s->part);
    s->part[s->n++] = part;
    return 0;
}

/* All files of a pattern, each with the group behind it. */
static int add_matches(struct dataset_spec *s, const char *item, const char *text,
                       struct err *err) {
    const char *colon = strrchr(item, ':');
    const char *path = pool_copy(&s->pool, item, colon ? (size_t)(colon - item) : strlen(item));
    glob_t found = {0};
    int rc = glob(path, 0, NULL, &found);

    if (rc)
        rc = err_set(err, ERR_IO, "%s: %s", path,
                     rc == GLOB_NOMATCH   ? "no file matches"
                     : rc == GLOB_NOSPACE ? "out of memory"
                                          : strerror(errno));
    for (size_t k = 0; !rc && k < found.gl_pathc; k++)
        rc = add(s, pool_print(&s->pool, "%s%s", found.gl_pathv[k], colon ? colon : ""), text, err);
    globfree(&found);
    return rc;
}

static int add_item(struct dataset_spec *s, const char *item, const char *text, struct err *err) {
    const char *colon = strrchr(item, ':'), *wild = strpbrk(item, "*?[");

    if (!*item)
        return err_set(
            err, ERR_CONFIG,
            "'%s': found nothing where a file is expected, as in a.h5:train + b.h5:train", text);
    if (wild && (!colon || wild < colon) && !is_file(&s->pool, item))
        return add_matches(s, item, text, err);
    if (strchr(item, '+') && !is_file(&s->pool, item))
        return err_set(err, ERR_IO,
                       "%s: there is no such file; a + between files has blanks around it", item);
    return add(s, item, text, err);
}

int dataset_spec_read(struct dataset_spec *out, const char *text, struct err *err) {
    if (is_file(&out->pool, text))
        return add(out, pool_print(&out->pool, "%s", text), text, err);
    for (const char *at = text, *end;; at = end + 1) {
        end = item_end(at);
        const char *from = at, *to = end;
        while (from < to && is_blank(*from))
            from++;
        while (to > from && is_blank(to[-1]))
            to--;
        if (add_item(out, pool_copy(&out->pool, from, (size_t)(to - from)), text, err))
            return -1;
        if (!*end)
            return 0;
    }
}

bool dataset_spec_absent(const char *text) {
    struct dataset_spec spec = {0};
    struct err err = {0};
    bool absent = dataset_spec_read(&spec, text, &err) && err.kind == ERR_IO;

    for (int k = 0; k < spec.n; k++)
        absent = absent || (!is_file(&spec.pool, spec.part[k]) && errno == ENOENT);
    dataset_spec_release(&spec);
    return absent;
}

void dataset_spec_release(struct dataset_spec *spec) {
    pool_release(&spec->pool);
    *spec = (struct dataset_spec){0};
}
