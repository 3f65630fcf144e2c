#include "io/file/kept.h"
#include "io/file/file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *kept_name(const char *path, int n) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    const int stem = (int)(dot ? (size_t)(dot - path) : strlen(path));

    return file_text("%.*s.%d%s", stem, path, n, dot ? dot : "");
}

/* Number `from` becomes number from + 1; the file itself is number 0. Returns -1 with errno set;
 * none of that number is fine. */
static int age(const char *path, int from) {
    char *old = from ? kept_name(path, from) : file_text("%s", path);
    char *older = kept_name(path, from + 1);
    int failed = 0;

    if (!old || !older)
        failed = ENOMEM;
    /* Where the file system has no second names, there is a moment without the first. */
    else if ((from || link(old, older)) && rename(old, older) && errno != ENOENT)
        failed = errno;
    free(old);
    free(older);
    errno = failed;
    return failed ? -1 : 0;
}

/* Number n and all behind it. */
static void remove_from(const char *path, int n) {
    for (bool found = true; found; n++) {
        char *name = kept_name(path, n);

        found = name && !unlink(name);
        free(name);
    }
}

static int not_kept(const char *path, int n, struct err *err) {
    const int why = errno;
    char *older = kept_name(path, n);

    err_set(err, ERR_IO, "%s: cannot be kept as %s: %s", path, older ? older : "another",
            strerror(why));
    free(older);
    return -1;
}

/* Make room for the new file. What is not there does not become older. */
static int age_all(const char *path, int keep, struct err *err) {
    if (!keep || access(path, F_OK))
        return 0;
    remove_from(path, keep > 1 ? keep - 1 : 1);
    for (int n = keep - 2; n >= 0; n--)
        if (age(path, n))
            return not_kept(path, n + 1, err);
    return 0;
}

int kept_replace(const char *path, const void *bytes, size_t len, int keep, const struct lock *lock,
                 struct err *err) {
    if (file_write_beside(path, bytes, len, err))
        return -1;
    if ((lock && lock_check(lock, err)) || age_all(path, keep, err)) {
        char beside[FILE_PATH];

        if (!file_beside(path, beside))
            file_remove(beside);
        return -1;
    }
    return file_take_place(path, err);
}
