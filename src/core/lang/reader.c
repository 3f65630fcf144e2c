/* inih says which lines are comments, keys and continuations. It cuts lines, section names and keys
 * to fixed lengths without a word, knows no strings and no columns, so what stands in a line is
 * taken from our own copy of it: read_line keeps it, take_line is called by inih for a key or a
 * continuation. Section headers do not reach inih, which would end them at the first ']'. */
#include "core/lang/reader.h"
#include "core/lang/lexer.h"
#include "core/lang/parser.h"
#include "core/lang/text.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct reader {
    struct pool *pool;
    FILE *stream;
    struct file *file;
    char *line; /* [line_size], the current one, without line end */
    size_t line_size;
    int number;        /* of the current line, from 1 */
    bool settled;      /* the current line is taken, or is none of inih's business */
    bool open;         /* the last entry may go on */
    struct text value; /* of the open entry: raw */
    int value_line;    /* on which that ends */
    bool failed;
    struct err *err;
};

static struct pos place(const struct reader *r, const char *at) {
    return (struct pos){r->file->path, r->number, (int)(at - r->line) + 1};
}

static struct section *last_section(const struct reader *r) {
    return r->file->n_sections ? &r->file->sections[r->file->n_sections - 1] : NULL;
}

static struct entry *last_entry(const struct reader *r) {
    struct section *section = last_section(r);

    return &section->entries[section->n_entries - 1];
}

const char *raw_line(const char **at, size_t *len) {
    const char *start = *at;

    while (is_blank(*start))
        start++;
    *len = strcspn(start, "\n");
    *at = start + *len;
    while (*len && is_blank(start[*len - 1]))
        (*len)--;
    return *len ? start : NULL;
}

/* Lines are joined by one space: where there are other blanks, a break would not read back. */
static bool breaks_at(const char *line, size_t at) {
    return line[at] == ' ' && !is_blank(line[at - 1]) && !is_blank(line[at + 1]) &&
           !strchr(";#", line[at + 1]);
}

size_t line_piece(const char *line, size_t len, size_t most) {
    size_t n = len <= most ? len : most;

    while (n && n < len && !breaks_at(line, n))
        n--;
    return n;
}

void entry_set(struct pool *pool, struct entry *entry, const char *raw) {
    char *value = pool_take(pool, strlen(raw) + 2);
    const char *line;
    size_t len, n = 0;

    entry->raw = pool_copy(pool, raw, strlen(raw));
    entry->memo = pool_take(pool, sizeof *entry->memo);
    entry->value = value;
    while ((line = raw_line(&raw, &len))) {
        memcpy(value + n, line, len);
        n += len;
        value[n++] = ' ';
    }
    value[n ? n - 1 : 0] = '\0';
}

struct entry *section_add(struct pool *pool, struct section *section, const char *key) {
    section->entries =
        pool_grow(pool, section->entries, section->n_entries, sizeof *section->entries);
    section->entries[section->n_entries] = (struct entry){.key = key};
    names_set(&section->keys, pool, "", key, section->n_entries);
    return &section->entries[section->n_entries++];
}

/* The value of the open entry is complete. */
static void close_entry(struct reader *r) {
    if (r->open)
        entry_set(r->pool, last_entry(r), r->value.data);
    r->open = false;
}

static int take_header(struct reader *r, const char *start) {
    struct file *file = r->file;
    struct section section;
    const char *text = pool_copy(r->pool, start, uncommented_len(start));

    close_entry(r);
    if (header_parse(r->pool, text, place(r, start), &section, r->err))
        return -1;
    const struct section *other =
        sections_find(file->sections, &file->names, section.kind, section.name);
    if (other)
        return pos_error(r->err, section.pos,
                         "found a second [%s%s%s], expected one; the first is at %s:%d:%d",
                         section.kind, *section.name ? " " : "", section.name, other->pos.file,
                         other->pos.line, other->pos.column);
    file->sections = pool_grow(r->pool, file->sections, file->n_sections, sizeof section);
    names_set(&file->names, r->pool, section.kind, section.name, file->n_sections);
    file->sections[file->n_sections++] = section;
    return 0;
}

/* key = value */
static int take_key(struct reader *r, const char *start) {
    const char *end = start + uncommented_len(start),
               *equals = memchr(start, '=', (size_t)(end - start));
    const char *key_end = equals ? equals : end;
    char found[FOUND_TEXT];
    struct section *section = last_section(r);

    while (key_end > start && is_blank(key_end[-1]))
        key_end--;
    found_text(start, (int)(key_end - start), found);
    if (!equals)
        return pos_error(r->err, place(r, start), "found %s, expected KEY = VALUE or [SECTION]",
                         found);
    if (!is_name(start, (size_t)(key_end - start)))
        return pos_error(r->err, place(r, start),
                         "found %s, expected a key of letters, digits and _ before '='", found);
    if (!section)
        return pos_error(r->err, place(r, start),
                         "found %s, expected a [SECTION] before the first key", found);
    close_entry(r);
    const char *key = pool_copy(r->pool, start, (size_t)(key_end - start));
    const struct entry *other = section_find(section, key);
    if (other)
        return pos_error(r->err, place(r, start),
                         "found a second '%s' in [%s], expected one; the first is at %s:%d:%d", key,
                         section->header, other->key_pos.file, other->key_pos.line,
                         other->key_pos.column);
    struct entry *entry = section_add(r->pool, section, key);
    const char *value = equals + 1;
    value += strspn(value, " \t\r\v\f");
    size_t len = uncommented_len(value);
    entry->key_pos = place(r, start);
    entry->pos = place(r, len ? value : equals + 1);
    r->open = true;
    r->value.len = 0;
    r->value_line = r->number;
    text_add(&r->value, value, len);
    return 0;
}

/* One more line of the open entry; its value keeps the line's number and columns. */
static void take_continuation(struct reader *r, const char *start) {
    const size_t len = uncommented_len(start);

    if (r->value.len == 0) {
        last_entry(r)->pos = place(r, start);
    } else {
        for (; r->value_line < r->number; r->value_line++)
            text_add(&r->value, "\n", 1);
        text_add(&r->value, r->line, (size_t)(start - r->line));
    }
    r->value_line = r->number;
    text_add(&r->value, start, len);
}

static const char *line_start(const struct reader *r) {
    const char *start = r->line;

    while (is_blank(*start))
        start++;
    return start;
}

/* Called by inih for a key with its value or for a continuation. 0: failed. */
static int take_line(void *user, const char *section, const char *name, const char *value) {
    struct reader *r = user;
    const char *start = line_start(r);

    (void)section, (void)name, (void)value;
    if (r->failed || r->settled)
        return !r->failed;
    r->settled = true;
    if (r->open && start > r->line)
        take_continuation(r, start);
    else
        r->failed = take_key(r, start) != 0;
    return !r->failed;
}

/* Read the next line into r->line. 0, 1 at the end of the file, or -1. */
static int next_line(struct reader *r, int max_len) {
    static const char byte_order_mark[] = "\xef\xbb\xbf";

    errno = 0;
    ssize_t len = getline(&r->line, &r->line_size, r->stream);
    if (len < 0 && !feof(r->stream))
        return err_set(r->err, ERR_IO, "%s: cannot read: %s", r->file->path, strerror(errno));
    if (len < 0)
        return 1;
    if (r->number++ == 0 && len >= 3 && !memcmp(r->line, byte_order_mark, 3))
        memmove(r->line, r->line + 3, (size_t)(len -= 3) + 1);
    if (len && r->line[len - 1] == '\n')
        len--;
    if (len && r->line[len - 1] == '\r')
        len--;
    r->line[len] = '\0';
    size_t text_len = strlen(r->line);
    if (text_len < (size_t)len)
        return pos_error(r->err, place(r, r->line + text_len), "found a zero byte, expected text");
    if (len > max_len)
        return pos_error(r->err, place(r, r->line + max_len),
                         "line of %lld characters, expected at most %d", (long long)len, max_len);
    return 0;
}

/* Called by inih for the next line, as fgets is. */
static char *read_line(char *buffer, int size, void *user) {
    struct reader *r = user;

    if (!r->failed && !r->settled) /* inih found no '=' in it */
        r->failed = take_key(r, line_start(r)) != 0;
    int status = r->failed ? -1 : next_line(r, size - 1);
    if (status) {
        r->failed = status < 0;
        r->settled = true;
        return NULL;
    }
    const char *start = line_start(r);
    const bool header = *start == '[' && !(r->open && start > r->line);
    r->settled = header || !*start || *start == ';' || *start == '#';
    if (header && take_header(r, start)) {
        r->failed = true;
        return NULL;
    }
    return strcpy(buffer, header ? "[section]" : r->line);
}

int reader_read(struct pool *pool, FILE *stream, struct file *out, struct err *err) {
    struct reader r = {.pool = pool,
                       .stream = stream,
                       .file = out,
                       .settled = true,
                       .value.pool = pool,
                       .err = err};
    int line = ini_parse_stream(read_line, &r, take_line, &r);

    if (!r.failed)
        close_entry(&r);
    if (!r.failed && line)
        r.failed = err_set(err, ERR_CONFIG,
                           "%s:%d:1: found a line that inih cannot read, expected "
                           "KEY = VALUE or [SECTION]",
                           out->path, line) != 0;
    free(r.line);
    return r.failed ? -1 : 0;
}
