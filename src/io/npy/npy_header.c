/* The first bytes of a .npy: a magic, a version, and a Python dictionary of three entries. */
#include "io/npy/npy_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC_LEN = 6, SHOWN = 60, ALIGNMENT = 64 };

static const char magic[MAGIC_LEN + 1] = "\x93NUMPY";

/* The value of a key: what follows 'key': in the header. NULL: it is not there. */
static const char *value_of(const char *header, const char *key) {
    char quoted[32];
    const char *at;

    snprintf(quoted, sizeof quoted, "'%s':", key);
    at = strstr(header, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    return at + strspn(at, " ");
}

/* '<f4' to kind, size and byte order. */
static int read_descr(const char *at, const char *what, struct npy_array *a, struct err *err) {
    static const char orders[] = "<>|=", kinds[] = "biuf";
    const char *kind = NULL;
    char end = 0;
    int size = 0;

    if (at && *at == '\'' && at[1] && strchr(orders, at[1]) && at[2] && strchr(kinds, at[2]) &&
        sscanf(at + 3, "%1d%c", &size, &end) == 2 && end == '\'')
        kind = strchr(kinds, at[2]);
    if (kind && (*kind == 'b'   ? size == 1
                 : *kind == 'f' ? size == 2 || size == 4 || size == 8
                                : size == 1 || size == 2 || size == 4 || size == 8)) {
        a->kind = (enum npy_kind)(kind - kinds);
        a->item_bytes = size;
        a->big_endian = at[1] == '>';
        return 0;
    }
    if (at && *at == '\'') {
        const int shown = (int)strcspn(at + 1, "'");

        return err_set(err, ERR_DATA,
                       "%s: has the dtype %.*s%s, expected truth values, integers or "
                       "floats of 16, 32 or 64 bits",
                       what, shown < SHOWN ? shown : SHOWN, at + 1,
                       at[1] == '|' && at[2] == 'O' ? " (Python objects, which are not unpickled)"
                                                    : "");
    }
    if (!at)
        return err_set(err, ERR_DATA, "%s: its header has no descr", what);
    return err_set(err, ERR_DATA, "%s: is an array of records (dtype %.*s), expected plain numbers",
                   what, SHOWN, at);
}

/* (3, 4) or (3,) or () to dimensions. */
static int read_shape(const char *at, const char *what, struct npy_array *a, struct err *err) {
    int64_t bytes = a->item_bytes;

    if (!at || *at++ != '(')
        return err_set(err, ERR_DATA, "%s: its header has no shape", what);
    while (*at && *at != ')') {
        char *end;
        const long long n = strtoll(at, &end, 10);

        if (end == at || n < 0 || (*end != ',' && *end != ')'))
            return err_set(err, ERR_DATA, "%s: the shape in its header is damaged", what);
        if (a->rank == NPY_MAX_RANK)
            return err_set(err, ERR_DATA, "%s: has more than %d dimensions", what, NPY_MAX_RANK);
        /* also of an array without numbers, rows and their length are products of these */
        if (bytes > INT64_MAX / (n ? n : 1))
            return err_set(err, ERR_DATA, "%s: the shape in its header is impossible", what);
        bytes *= n ? n : 1;
        a->dim[a->rank++] = n;
        at = end + (*end == ',');
        at += strspn(at, " ");
    }
    return *at ? 0 : err_set(err, ERR_DATA, "%s: the shape in its header is damaged", what);
}

static int read_header(const char *header, const char *what, struct npy_array *a, struct err *err) {
    const char *order = value_of(header, "fortran_order");

    if (read_descr(value_of(header, "descr"), what, a, err) ||
        read_shape(value_of(header, "shape"), what, a, err))
        return -1;
    if (!order || (strncmp(order, "True", 4) && strncmp(order, "False", 5)))
        return err_set(err, ERR_DATA, "%s: its header has no fortran_order", what);
    a->fortran = *order == 'T';
    return 0;
}

/* Does the file end where its numbers do? */
static int check_len(const struct npy_array *a, size_t len, const char *what, struct err *err) {
    const int64_t expected = npy_rows(a) * npy_row_len(a) * a->item_bytes;
    char text[NPY_TEXT];

    if (len == (size_t)expected)
        return 0;
    return err_set(err, ERR_DATA, "%s: has %zu bytes of numbers, %s has %" PRId64 "%s", what, len,
                   npy_text(a, text), expected, len < (size_t)expected ? "; it is cut off" : "");
}

int npy_parse(const unsigned char *bytes, size_t len, const char *what, struct npy_array *a,
              struct err *err) {
    size_t at = MAGIC_LEN + 2, header_len = 0;
    const char *name = a->name;

    *a = (struct npy_array){.name = name};
    if (len < at + 4 || memcmp(bytes, magic, MAGIC_LEN) != 0)
        return err_set(err, ERR_DATA, "%s: is no .npy, which begins with \\x93NUMPY", what);
    if (bytes[MAGIC_LEN] < 1 || bytes[MAGIC_LEN] > 3)
        return err_set(err, ERR_DATA, "%s: is a .npy of version %d, expected 1, 2 or 3", what,
                       bytes[MAGIC_LEN]);
    for (int i = 0; i < (bytes[MAGIC_LEN] == 1 ? 2 : 4); i++)
        header_len |= (size_t)bytes[at++] << 8 * i;
    if (header_len > len - at)
        return err_set(err, ERR_DATA, "%s: ends inside its header", what);
    char *header = malloc(header_len + 1);
    if (!header)
        return err_set(err, ERR_IO, "%s: out of memory", what);
    memcpy(header, bytes + at, header_len);
    header[header_len] = 0;
    const int status = read_header(header, what, a, err);
    free(header);
    a->data = bytes + at + header_len;
    return status || check_len(a, len - at - header_len, what, err) ? -1 : 0;
}

/* The dictionary of an array. Returns its length. */
static int write_header(const struct npy_array *a, char *out, size_t room) {
    const uint16_t one = 1;
    const char order = a->item_bytes == 1 ? '|' : *(const unsigned char *)&one ? '<' : '>';
    int used = snprintf(out, room, "{'descr': '%c%c%d', 'fortran_order': False, 'shape': (", order,
                        "biuf"[a->kind], a -> item_bytes);

    for (int k = 0; k < a->rank; k++)
        used += snprintf(out + used, room - (size_t)used, "%" PRId64 "%s", a->dim[k],
                         k + 1 < a->rank ? ", "
                         : a->rank == 1  ? ","
                                         : "");
    return used + snprintf(out + used, room - (size_t)used, "), }");
}

int npy_bytes(const struct npy_array *a, const char *what, unsigned char **bytes, size_t *len,
              struct err *err) {
    char header[64 + 24 * NPY_MAX_RANK + 2 * ALIGNMENT];
    const size_t numbers = (size_t)(npy_rows(a) * npy_row_len(a) * a->item_bytes);
    const size_t used = (size_t)write_header(a, header, sizeof header - ALIGNMENT - 1);
    /* numbers begin at a multiple of 64, behind a newline */
    const size_t before = (MAGIC_LEN + 4 + used + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    const size_t dictionary = before - MAGIC_LEN - 4;
    unsigned char *out = malloc(before + numbers);

    if (!out)
        return err_set(err, ERR_IO, "%s: out of memory", what);
    memset(header + used, ' ', dictionary - used);
    header[dictionary - 1] = '\n';
    memcpy(out, magic, MAGIC_LEN);
    out[MAGIC_LEN] = 1;
    out[MAGIC_LEN + 1] = 0;
    out[MAGIC_LEN + 2] = (unsigned char)(dictionary & 255);
    out[MAGIC_LEN + 3] = (unsigned char)(dictionary >> 8);
    memcpy(out + MAGIC_LEN + 4, header, dictionary);
    if (numbers)
        memcpy(out + before, a->data, numbers);
    *bytes = out;
    *len = before + numbers;
    return 0;
}
