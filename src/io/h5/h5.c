/* Source of the precautions: HDF5 1.10.8 reports a full disk on flush at the earliest, on close not
 * always; a failed close is tried again at exit, which may crash. */
#include "io/h5/h5_filter.h"
#include "io/h5/h5_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CORE_INCREMENT = 16 << 20, REASON_TEXT = 256, UNIQUE_TEXT = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool started;

void h5_lock(void) {
    pthread_mutex_lock(&lock);
    if (!started) {
        H5dont_atexit();
        H5open();
        H5PLset_loading_state(0);
        h5_filters_register();
        started = true;
    }
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void h5_unlock(void) {
    pthread_mutex_unlock(&lock);
}

char *h5_strdup(const char *text) {
    const size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);

    return copy ? memcpy(copy, text, bytes) : NULL;
}

/* Why a call of the library failed. */
struct reason {
    bool refused; /* the system refused a call or memory, whatever the file holds */
    char text[REASON_TEXT];
};

/* What HDF5 says (1.10.8) for lack of memory, and of what it could not make for lack of it. */
static bool says_memory(const char *text) {
    static const char *const phrases[] = {
        "memory allocation failed", "duplication failed", "H5MM_", "inflateInit",
        "property in skip list",    "object for ID"};

    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (strstr(text, phrases[i]))
            return true;
    return false;
}

/* Walked from the innermost error outwards: the first is the cause. Of a failed system call its
 * reason is enough, without the addresses around it. Lack of memory shows in some of them only. */
static herr_t take_reason(unsigned n, const H5E_error2_t *e, void *context) {
    const char *text = e->desc ? e->desc : "", *system = strstr(text, "error message = '");
    struct reason *reason = context;

    reason->refused = reason->refused || system || says_memory(text);
    if (n == 0 && system) {
        system = strchr(system, '\'') + 1;
        snprintf(reason->text, REASON_TEXT, "%.*s", (int)strcspn(system, "'"), system);
    } else if (n == 0)
        snprintf(reason->text, REASON_TEXT, "%s", text);
    return 0;
}

int h5_fail(const struct h5 *file, const char *path, enum err_kind kind, const char *what,
            struct err *err) {
    struct reason reason = {0};

    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, &reason);
    for (char *c = reason.text; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return err_set(err, reason.refused ? ERR_IO : kind, "%s%s%s: %s%s%s%s", file->name,
                   path ? ":" : "", path ? path : "", what, *reason.text ? " (HDF5: " : "",
                   reason.text, *reason.text ? ")" : "");
}

hid_t h5_memory_type(enum h5_type type) {
    switch (type) {
    case H5_TYPE_U8:
        return H5T_NATIVE_UINT8;
    case H5_TYPE_I32:
        return H5T_NATIVE_INT32;
    case H5_TYPE_I64:
        return H5T_NATIVE_INT64;
    case H5_TYPE_F32:
        return H5T_NATIVE_FLOAT;
    case H5_TYPE_F64:
        break;
    }
    return H5T_NATIVE_DOUBLE;
}

size_t h5_type_bytes(enum h5_type type) {
    static const size_t bytes[] = {[H5_TYPE_U8] = 1,
                                   [H5_TYPE_I32] = 4,
                                   [H5_TYPE_I64] = 8,
                                   [H5_TYPE_F32] = 4,
                                   [H5_TYPE_F64] = 8};

    return bytes[type];
}

static bool lists_bytes(hid_t type) {
    const hid_t item = H5Tget_super(type);
    const bool bytes = item >= 0 && H5Tget_class(item) == H5T_INTEGER && H5Tget_size(item) == 1;

    if (item >= 0)
        H5Tclose(item);
    return bytes;
}

enum h5_class h5_class_of(hid_t type) {
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        return H5Tget_sign(type) == H5T_SGN_NONE ? H5_CLASS_UINT : H5_CLASS_INT;
    case H5T_FLOAT:
        return H5_CLASS_FLOAT;
    case H5T_STRING:
        return H5_CLASS_TEXT;
    case H5T_ENUM: /* h5py's truth values; HDF5 converts them to numbers */
        return H5_CLASS_INT;
    case H5T_OPAQUE:
        return H5_CLASS_BLOB;
    case H5T_VLEN:
        return lists_bytes(type) ? H5_CLASS_BLOB : H5_CLASS_OTHER;
    default:
        return H5_CLASS_OTHER;
    }
}

enum access {
    ON_DISK,
    IN_CORE, /* a file in memory */
    FRAME,   /* whose datasets lie where the sizes of those before them say, and not their own */
};

/* Properties of file access: no locks. */
static hid_t access_list(enum access how) {
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);

    H5Pset_file_locking(list, 0, 1);
    H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
    /* An image of the newer format has a wrong checksum: H5Fget_file_image clears a flag (1.10). */
    if (how == IN_CORE)
        H5Pset_fapl_core(list, CORE_INCREMENT, 0);
    else
        H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
    if (how == FRAME)
        H5Pset_small_data_block_size(list, 0); /* small datasets would share blocks */
    return list;
}

/* HDF5 refuses an image by the name of a file that exists, and takes two of one name for one. */
static void memory_name(const struct h5 *file, char *unique) {
    snprintf(unique, UNIQUE_TEXT, "/dev/null/image %p", (const void *)file);
}

static struct h5 *file_new(const char *name, struct err *err) {
    struct h5 *file = calloc(1, sizeof *file);

    if (file)
        file->name = h5_strdup(name);
    if (!file || !file->name) {
        free(file);
        err_set(err, ERR_IO, "%s: out of memory", name);
        return NULL;
    }
    file->id = -1;
    file->fd = -1;
    return file;
}

/* Hand the file out if it is open, otherwise report. */
static int file_ready(struct h5 **out, struct h5 *file, enum err_kind kind, const char *what,
                      struct err *err) {
    if (file->id < 0) {
        h5_fail(file, NULL, kind, what, err);
        free(file->name);
        free(file);
        return -1;
    }
    *out = file;
    return 0;
}

/* The system's own reasons are clearer than HDF5's. Returns a descriptor, or -1. */
/* Names in jobs are relative to where the program was started, which is the usual slip. */
static int is_absent(const char *path, struct err *err) {
    char folder[512];

    if (path[0] == '/' || !getcwd(folder, sizeof folder))
        return err_set(err, ERR_IO, "%s: %s", path, strerror(ENOENT));
    return err_set(err, ERR_IO, "%s: %s in %s, where the program was started", path,
                   strerror(ENOENT), folder);
}

static int open_readable(const char *path, struct err *err) {
    struct stat st;
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe waits for nobody */
    int status = 0;

    if (fd < 0 && errno == ENOENT)
        status = is_absent(path, err);
    else if (fd < 0 || fstat(fd, &st))
        status = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        status = err_set(err, ERR_IO, "%s: is a directory, expected an HDF5 file", path);
    else if (!S_ISREG(st.st_mode))
        status = err_set(err, ERR_IO, "%s: is no regular file, expected an HDF5 file", path);
    else if (st.st_size == 0)
        status = err_set(err, ERR_DATA, "%s: is empty, expected an HDF5 file", path);
    if (status && fd >= 0)
        close(fd);
    return status ? -1 : fd;
}

/* The signature is at 0, 512, 1024, 2048 ... Errors: ERR_IO, ERR_DATA. */
static int check_signature(int fd, const char *path, struct err *err) {
    static const char signature[] = "\211HDF\r\n\032\n";
    char found[sizeof signature - 1];
    ssize_t n = sizeof found;

    for (off_t at = 0; n == sizeof found; at = at ? 2 * at : 512) {
        n = pread(fd, found, sizeof found, at);
        if (n == sizeof found && !memcmp(found, signature, sizeof found))
            return 0;
    }
    return n < 0 ? err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno))
                 : err_set(err, ERR_DATA, "%s: is not an HDF5 file", path);
}

/* What is needed to read a file without HDF5; what cannot be had is done without. */
static void find_descriptor(struct h5 *file) {
    const hid_t creation = file->id >= 0 ? H5Fget_create_plist(file->id) : -1;
    hsize_t block = 0;
    size_t address = 0, length = 0;
    void *handle = NULL;

    if (creation < 0)
        return;
    if (H5Pget_userblock(creation, &block) >= 0 && H5Pget_sizes(creation, &address, &length) >= 0 &&
        H5Fget_vfd_handle(file->id, H5P_DEFAULT, &handle) >= 0 && handle) {
        file->fd = *(int *)handle;
        file->base = (int64_t)block;
        file->small_heads = address != 8 || length != 8;
    }
    H5Pclose(creation);
}

int h5_open(struct h5 **out, const char *path, struct err *err) {
    const int fd = open_readable(path, err);
    struct h5 *file;
    hid_t list;
    int status;

    if (fd < 0)
        return -1;
    if (check_signature(fd, path, err) || !(file = file_new(path, err))) {
        close(fd);
        return -1;
    }
    h5_lock();
    list = access_list(ON_DISK);
    if (h5_read_through(list, fd) >= 0)
        file->id = H5Fopen(path, H5F_ACC_RDONLY, list);
    find_descriptor(file);
    status = file_ready(out, file, ERR_DATA,
                        "cannot be opened as HDF5, it is damaged or incomplete", err);
    H5Pclose(list);
    h5_unlock();
    close(fd); /* the driver has one of its own */
    return status;
}

int h5_open_image(struct h5 **out, const void *bytes, size_t len, const char *name,
                  struct err *err) {
    struct h5 *file = file_new(name, err);
    char unique[UNIQUE_TEXT];
    hid_t list;
    int status;

    if (!file)
        return -1;
    h5_lock();
    list = access_list(IN_CORE);
    memory_name(file, unique);
    /* The library copies the image, although it does not promise const. */
    if (len && H5Pset_file_image(list, (void *)(uintptr_t)bytes, len) >= 0)
        file->id = H5Fopen(unique, H5F_ACC_RDONLY, list);
    status = file_ready(out, file, ERR_DATA, "is not HDF5, or damaged or incomplete", err);
    H5Pclose(list);
    h5_unlock();
    return status;
}

static int create(struct h5 **out, const char *name, enum access how, struct err *err) {
    struct h5 *file = file_new(name, err);
    char unique[UNIQUE_TEXT];
    hid_t list, creation;
    int status;

    if (!file)
        return -1;
    h5_lock();
    list = access_list(how);
    /* The same content makes the same file, whenever it is written. */
    creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(creation, 0);
    memory_name(file, unique);
    file->id = H5Fcreate(how == IN_CORE ? unique : name, H5F_ACC_TRUNC, creation, list);
    status = file_ready(out, file, ERR_IO, "cannot be created", err);
    H5Pclose(creation);
    H5Pclose(list);
    h5_unlock();
    return status;
}

static int create_on_disk(struct h5 **out, const char *path, enum access how, struct err *err) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: cannot be created: %s", path, strerror(errno));
    close(fd);
    return create(out, path, how, err);
}

int h5_create(struct h5 **out, const char *path, struct err *err) {
    return create_on_disk(out, path, ON_DISK, err);
}

int h5_create_frame(struct h5 **out, const char *path, struct err *err) {
    return create_on_disk(out, path, FRAME, err);
}

int h5_create_memory(struct h5 **out, const char *name, struct err *err) {
    return create(out, name, IN_CORE, err);
}

int h5_image(struct h5 *file, unsigned char **bytes, size_t *len, struct err *err) {
    ssize_t size = -1;
    void *handle = NULL;
    int status = 0;

    h5_lock();
    if (H5Fflush(file->id, H5F_SCOPE_GLOBAL) >= 0)
        size = H5Fget_file_image(file->id, NULL, 0); /* how many bytes it would copy */
    if (size <= 0 || H5Fget_vfd_handle(file->id, H5P_DEFAULT, &handle) < 0)
        status = h5_fail(file, NULL, ERR_IO, "cannot be brought into one piece", err);
    h5_unlock();
    if (status)
        return -1;
    memcpy(bytes, handle, sizeof *bytes); /* the driver's handle is where it keeps its address */
    *len = (size_t)size;
    return 0;
}

static int fsync_path(const char *path, struct err *err) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    int status = 0;

    if (fd < 0 || fsync(fd))
        status = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

int h5_sync(struct h5 *file, struct err *err) {
    struct h5 *again;
    int status = 0;

    h5_lock();
    if (file->broken || H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0 || H5Fclose(file->id) < 0) {
        status = h5_fail(file, NULL, ERR_IO, "cannot be written; is the disk full?", err);
        file->broken = true;
    }
    file->id = -1;
    h5_unlock();
    if (status || fsync_path(file->name, err))
        return -1;
    /* Opening compares the size that the file says it has with the one it has. */
    if (h5_open(&again, file->name, err)) {
        err->kind = ERR_IO;
        return err_wrap(err, "after writing");
    }
    h5_close(again);
    return 0;
}

struct h5 *h5_share(struct h5 *file) {
    h5_lock();
    file->n_sharing++;
    h5_unlock();
    return file;
}

void h5_close(struct h5 *file) {
    if (!file)
        return;
    h5_lock();
    const bool shared = file->n_sharing-- > 0;
    if (!shared && file->id >= 0 && !file->broken)
        H5Fclose(file->id);
    h5_unlock();
    if (shared)
        return;
    free(file->name);
    free(file);
}

const char *h5_name(const struct h5 *file) {
    return file->name;
}
