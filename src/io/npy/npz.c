/* Archives of arrays: ZIP files whose members are .npy files. The only includer of zip.h. */
#include "io/npy/npy_private.h"

#include "io/file/file.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

enum { WHAT_TEXT = 1024 };

/* The bytes of member i. */
static int unpack(zip_t *archive, zip_uint64_t i, const char *what, void **bytes, size_t *len,
                  struct err *err) {
    zip_stat_t st;
    zip_file_t *member = NULL;
    zip_uint64_t done = 0;
    unsigned char *to;

    if (zip_stat_index(archive, i, 0, &st) || !(member = zip_fopen_index(archive, i, 0)))
        return err_set(err, ERR_DATA, "%s: %s", what, zip_strerror(archive));
    to = malloc((size_t)st.size + 1);
    if (!to) {
        zip_fclose(member);
        return err_set(err, ERR_IO, "%s: out of memory for %llu bytes", what,
                       (unsigned long long)st.size);
    }
    while (done < st.size) {
        const zip_int64_t n = zip_fread(member, to + done, st.size - done);

        if (n <= 0)
            break;
        done += (zip_uint64_t)n;
    }
    *bytes = to;
    *len = (size_t)done;
    const int code = zip_error_code_zip(zip_file_get_error(member));
    const int status = done == st.size ? 0
                                       : err_set(err, ERR_DATA, "%s: is damaged: %s", what,
                                                 code ? zip_file_strerror(member)
                                                      : "it has fewer bytes than it says");
    zip_fclose(member);
    return status;
}

static int add_member(struct npy_file *file, zip_t *archive, zip_uint64_t i, const char *path,
                      struct err *err) {
    const char *name = zip_get_name(archive, i, 0);
    const size_t name_len = name ? strlen(name) : 0;
    char what[WHAT_TEXT];
    size_t len = 0;

    if (name_len < 5 || strcmp(name + name_len - 4, ".npy") != 0)
        return err_set(err, ERR_DATA, "%s: %s in it is no .npy: this is an archive, and no .npz",
                       path, name ? name : "a member");
    for (int k = 0; k < file->n; k++)
        if (strlen(file->name[k]) == name_len - 4 && !strncmp(file->name[k], name, name_len - 4))
            return err_set(err, ERR_DATA, "%s: holds two arrays called '%s'", path, file->name[k]);
    snprintf(what, sizeof what, "%.700s: %.200s", path, name);
    if (npy_add(file, name, name_len - 4, err) ||
        unpack(archive, i, what, &file->bytes[file->n - 1], &len, err))
        return -1;
    return npy_parse(file->bytes[file->n - 1], len, what, &file->array[file->n - 1], err);
}

int npz_open(struct npy_file *file, const char *path, struct err *err) {
    int code, status = 0;
    zip_t *archive = zip_open(path, ZIP_RDONLY, &code);
    zip_error_t why;

    if (!archive) {
        zip_error_init_with_code(&why, code);
        err_set(err, ERR_DATA, "%s: is no whole .npz: %s", path, zip_error_strerror(&why));
        zip_error_fini(&why);
        return -1;
    }
    const zip_int64_t n = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < n && !status; i++)
        status = add_member(file, archive, (zip_uint64_t)i, path, err);
    zip_discard(archive);
    return status;
}

/* One array as a member; its bytes are the archive's from now on. */
static int pack(zip_t *archive, const struct npy_array *a, bool packed, const char *path,
                struct err *err) {
    char name[WHAT_TEXT];
    unsigned char *bytes;
    size_t len = 0;

    if (npy_bytes(a, path, &bytes, &len, err))
        return -1;
    zip_source_t *source = zip_source_buffer(archive, bytes, len, 1);
    if (!source) {
        free(bytes);
        return err_set(err, ERR_IO, "%s: cannot be written: %s", path, zip_strerror(archive));
    }
    snprintf(name, sizeof name, "%.1000s.npy", a->name);
    const zip_int64_t i = zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8);
    if (i < 0)
        zip_source_free(source);
    /* no time of day: one content, one file */
    if (i < 0 || zip_file_set_dostime(archive, (zip_uint64_t)i, 0, 0x21, 0) ||
        zip_set_file_compression(archive, (zip_uint64_t)i, packed ? ZIP_CM_DEFLATE : ZIP_CM_STORE,
                                 0))
        return err_set(err, ERR_IO, "%s: cannot be written: %s", path, zip_strerror(archive));
    return 0;
}

/* Bring the closed archive's bytes to the disk. */
static int write_buffer(zip_source_t *buffer, const char *path, struct err *err) {
    zip_stat_t st;
    int status;

    if (zip_source_stat(buffer, &st) || zip_source_open(buffer))
        return err_set(err, ERR_IO, "%s: cannot be written", path);
    void *bytes = malloc((size_t)st.size + 1);
    if (!bytes || zip_source_read(buffer, bytes, st.size) != (zip_int64_t)st.size)
        status = err_set(err, ERR_IO, "%s: out of memory", path);
    else
        status = file_replace(path, bytes, (size_t)st.size, err);
    free(bytes);
    zip_source_close(buffer);
    return status;
}

int npz_write(const char *path, const struct npy_array *arrays, int n, bool packed,
              struct err *err) {
    zip_source_t *buffer = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *archive = buffer ? zip_open_from_source(buffer, ZIP_TRUNCATE, NULL) : NULL;
    int status = 0;

    if (!archive) {
        zip_source_free(buffer);
        return err_set(err, ERR_IO, "%s: out of memory", path);
    }
    zip_source_keep(buffer); /* closing the archive gives its own hold back */
    for (int i = 0; i < n && !status; i++)
        status = pack(archive, &arrays[i], packed, path, err);
    if (!status && zip_close(archive)) {
        status = err_set(err, ERR_IO, "%s: cannot be written: %s", path, zip_strerror(archive));
        zip_discard(archive);
    } else if (status) {
        zip_discard(archive);
    }
    if (!status)
        status = write_buffer(buffer, path, err);
    zip_source_free(buffer);
    return status;
}
