#include "io/npy/npy_private.h"

#include "io/file/file.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t npy_rows(const struct npy_array *a) {
    return a->rank ? a->dim[0] : 1;
}

int64_t npy_row_len(const struct npy_array *a) {
    int64_t len = 1;

    for (int k = 1; k < a->rank; k++)
        len *= a->dim[k];
    return len;
}

const char *npy_text(const struct npy_array *a, char text[NPY_TEXT]) {
    static const char *const kinds[] = {"bool", "int", "uint", "float"};
    int used = snprintf(text, NPY_TEXT, "%s", kinds[a->kind]);

    if (a->kind != NPY_TRUTH)
        used += snprintf(text + used, (size_t)(NPY_TEXT - used), "%d", 8 * a->item_bytes);
    used += snprintf(text + used, (size_t)(NPY_TEXT - used), " [");
    for (int k = 0; k < a->rank && used < NPY_TEXT - 24; k++)
        used += snprintf(text + used, (size_t)(NPY_TEXT - used), "%s%" PRId64, k ? ", " : "",
                         a->dim[k]);
    snprintf(text + used, (size_t)(NPY_TEXT - used), "]");
    return text;
}

/* The bits of number i of those stored. */
static uint64_t bits_of(const struct npy_array *a, int64_t i) {
    const unsigned char *at = a->data + i * a->item_bytes;
    uint64_t bits = 0;

    for (int k = 0; k < a->item_bytes; k++)
        bits |= (uint64_t)at[a->big_endian ? a->item_bytes - 1 - k : k] << 8 * k;
    return bits;
}

static double half_of(uint64_t bits) {
    const int exponent = (int)(bits >> 10 & 31);
    const double fraction = (double)(bits & 1023);
    const double size = exponent == 31 ? (bits & 1023 ? NAN : INFINITY)
                        : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                       : ldexp(fraction, -24);

    return bits >> 15 & 1 ? -size : size;
}

static double float_of(const struct npy_array *a, uint64_t bits) {
    const uint32_t low = (uint32_t)bits;
    float single;
    double twice;

    if (a->item_bytes == 2)
        return half_of(bits);
    if (a->item_bytes == 4) {
        memcpy(&single, &low, sizeof single);
        return (double)single;
    }
    memcpy(&twice, &bits, sizeof twice);
    return twice;
}

/* Extend the sign of an integer of so many bytes. */
static int64_t signed_of(uint64_t bits, int bytes) {
    const uint64_t sign = (uint64_t)1 << (8 * bytes - 1);

    return bytes == 8 ? (int64_t)bits : (int64_t)(bits ^ sign) - (int64_t)sign;
}

static double real_at(const struct npy_array *a, int64_t i) {
    const uint64_t bits = bits_of(a, i);

    if (a->kind == NPY_FLOAT)
        return float_of(a, bits);
    return a->kind == NPY_INT ? (double)signed_of(bits, a->item_bytes) : (double)bits;
}

static int64_t whole_at(const struct npy_array *a, int64_t i) {
    const uint64_t bits = bits_of(a, i);

    if (a->kind == NPY_INT)
        return signed_of(bits, a->item_bytes);
    if (a->kind != NPY_FLOAT)
        return bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
    const double value = float_of(a, bits);
    return value >= 0x1p63 ? INT64_MAX : value >= -0x1p63 ? (int64_t)value : INT64_MIN;
}

/* Where number k of row `row` stands. */
static int64_t place_of(const struct npy_array *a, int64_t row, int64_t k) {
    int64_t place = row;

    if (!a->fortran)
        return row * npy_row_len(a) + k;
    for (int d = a->rank - 1; d > 0; d--) { /* k's digits, the last dimension first */
        int64_t step = 1;

        for (int before = 0; before < d; before++)
            step *= a->dim[before];
        place += k % a->dim[d] * step;
        k /= a->dim[d];
    }
    return place;
}

void npy_read_reals(const struct npy_array *a, int64_t first, int64_t n, double *out) {
    const int64_t len = npy_row_len(a);

    for (int64_t row = first; row < first + n; row++)
        for (int64_t k = 0; k < len; k++)
            *out++ = real_at(a, place_of(a, row, k));
}

void npy_read_whole(const struct npy_array *a, int64_t first, int64_t n, int64_t *out) {
    const int64_t len = npy_row_len(a);

    for (int64_t row = first; row < first + n; row++)
        for (int64_t k = 0; k < len; k++)
            *out++ = whole_at(a, place_of(a, row, k));
}

int npy_add(struct npy_file *file, const char *name, size_t name_len, struct err *err) {
    const size_t n = (size_t)file->n + 1;
    struct npy_array *array = realloc(file->array, n * sizeof *array);

    file->array = array ? array : file->array;
    char **names = realloc(file->name, n * sizeof *names);
    file->name = names ? names : file->name;
    void **bytes = realloc(file->bytes, n * sizeof *bytes);
    file->bytes = bytes ? bytes : file->bytes;
    char *copy = malloc(name_len + 1);
    if (!array || !names || !bytes || !copy) {
        free(copy);
        return err_set(err, ERR_IO, "%.*s: out of memory", (int)name_len, name);
    }
    memcpy(copy, name, name_len);
    copy[name_len] = 0;
    names[n - 1] = copy;
    bytes[n - 1] = NULL;
    array[n - 1] = (struct npy_array){.name = copy};
    file->n++;
    return 0;
}

static int map(struct npy_file *file, const char *path, int fd, size_t len, struct err *err) {
    const char *slash = strrchr(path, '/'), *stem = slash ? slash + 1 : path;
    const size_t name_len = strlen(stem);
    const bool ends = name_len > 4 && strcmp(stem + name_len - 4, ".npy") == 0;
    void *bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);

    if (bytes == MAP_FAILED)
        return err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    file->mapped = bytes;
    file->mapped_len = len;
    if (npy_add(file, stem, ends ? name_len - 4 : name_len, err))
        return -1;
    return npy_parse(bytes, len, path, &file->array[0], err);
}

int npy_open(struct npy_file *file, const char *path, struct err *err) {
    const int fd = file_open(path, err);
    unsigned char first[4] = {0};
    struct stat st;
    int status;

    *file = (struct npy_file){0};
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) || pread(fd, first, sizeof first, 0) < 0)
        status = err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    else if (first[0] == 'P' && first[1] == 'K')
        status = npz_open(file, path, err);
    else if (first[0] == 0x93)
        status = map(file, path, fd, (size_t)st.st_size, err);
    else
        status = err_set(err, ERR_DATA,
                         "%s: is neither .npy nor .npz: they begin with \\x93NUMPY "
                         "or PK",
                         path);
    close(fd);
    if (status)
        npy_release(file);
    return status;
}

void npy_release(struct npy_file *file) {
    for (int i = 0; i < file->n; i++) {
        free(file->name[i]);
        free(file->bytes[i]);
    }
    free(file->array);
    free(file->name);
    free(file->bytes);
    if (file->mapped)
        munmap(file->mapped, file->mapped_len);
    *file = (struct npy_file){0};
}

int npy_write(const char *path, const struct npy_array *array, struct err *err) {
    unsigned char *bytes;
    size_t len;

    if (npy_bytes(array, path, &bytes, &len, err))
        return -1;
    const int status = file_replace(path, bytes, len, err);
    free(bytes);
    return status;
}
