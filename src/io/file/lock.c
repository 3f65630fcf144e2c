#include "io/file/lock.h"
#include "io/file/file.h"
#include "io/file/lock_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* 1 s for another process to write what it has made; 5 s until one that has written nothing was
 * killed before it could. Should it have been slow, it finds that the lock is another's. */
enum { TRIES = 20, EMPTY_TRIES = 100, PAUSE_NS = 50000000 };

/* Make a file that is not there yet, O_EXCL, which no two processes can. Returns -1 with errno set;
 * nothing is left behind then. */
static int create(const char *path, const char *text) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int failed = 0;

    if (fd < 0)
        return -1;
    if (file_write(fd, text, strlen(text)))
        failed = errno;
    if (close(fd) && !failed)
        failed = errno;
    if (failed)
        unlink(path);
    errno = failed;
    return failed ? -1 : 0;
}

static int fail(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
}

/* "process 12 on node1, since 2026-01-31 12:00:00 UTC" */
static void describe(const struct lock_owner *owner, char text[LOCK_TEXT]) {
    snprintf(text, LOCK_TEXT, "process %" PRId64 " on %s, since %s", owner->pid, owner->host,
             owner->since);
}

static int refuse(const char *folder, const char *advice, const struct lock_owner *other,
                  enum lock_state state, const struct lock_owner *mine, struct err *err) {
    char who[LOCK_TEXT];

    describe(other, who);
    if (state == LOCK_HELD)
        return err_set(err, ERR_IO, "%s is in use by another run (%s); %s", folder, who, advice);
    return err_set(err, ERR_IO,
                   "%s is in use by another run (%s), and whether that one still lives cannot be "
                   "told from %s: if it has ended, delete %s/lock, else %s",
                   folder, who, mine->host, folder, advice);
}

/* Put this process's lock in the place of one that was left, which holds `old`. Of all that want
 * to, one can make the file beside; if somebody was faster before that, the lock holds something
 * else. Returns 1 where all is to be tried again. */
static int take_over(const struct lock *lock, const char *folder, const char *old,
                     struct err *err) {
    struct err ignored = {0};
    char *now = NULL;
    size_t len;
    int rc = 1;

    if (create(lock->beside, lock->text)) {
        if (errno != EEXIST)
            return fail(lock->beside, err);
        return err_set(err, ERR_IO,
                       "%s is just being taken by another run; if there is none, delete %s", folder,
                       lock->beside);
    }
    if (!file_read(lock->path, &now, &len, &ignored) && !strcmp(now, old))
        rc = rename(lock->beside, lock->path) ? fail(lock->path, err) : 0;
    if (rc)
        unlink(lock->beside);
    free(now);
    return rc;
}

/* A lock that does not say whose it is. Returns as meet does. */
static int meet_unknown(const struct lock *lock, const char *folder, const char *text, int tries,
                        char left[LOCK_TEXT], struct err *err) {
    err_set(err, ERR_IO, "%s does not say who holds it; if no run is in %s, delete it", lock->path,
            folder);
    if (*text || tries < EMPTY_TRIES)
        return tries < TRIES || !*text ? 1 : -1;
    const int rc = take_over(lock, folder, text, err);
    if (!rc)
        snprintf(left, LOCK_TEXT, "it was killed as it took it");
    return rc;
}

/* What to do about a lock that is there, which was tried so often. Returns 1 where all is to be
 * tried again. */
static int meet(const struct lock *lock, const char *folder, const char *advice,
                const struct lock_owner *mine, int tries, char left[LOCK_TEXT], struct err *err) {
    struct lock_owner other;
    char *text;
    size_t len;

    if (file_read(lock->path, &text, &len, err))
        return access(lock->path, F_OK) && errno == ENOENT ? 1 : -1; /* just given back */
    int rc;
    if (lock_owner_read(&other, text)) { /* not yet written */
        rc = meet_unknown(lock, folder, text, tries, left, err);
    } else {
        const enum lock_state state = lock_owner_state(&other, mine);
        rc = state == LOCK_LEFT ? take_over(lock, folder, text, err)
                                : refuse(folder, advice, &other, state, mine, err);
        if (!rc)
            describe(&other, left);
    }
    free(text);
    return rc;
}

static int take(const struct lock *lock, const char *folder, const char *advice,
                const struct lock_owner *mine, char left[LOCK_TEXT], struct err *err) {
    for (int i = 1; i <= EMPTY_TRIES; i++) {
        if (!create(lock->path, lock->text))
            return 0;
        if (errno != EEXIST)
            return fail(lock->path, err);
        const int rc = meet(lock, folder, advice, mine, i, left, err);
        if (rc <= 0)
            return rc;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return -1;
}

int lock_take(struct lock *lock, const char *folder, const char *advice, char left[LOCK_TEXT],
              struct err *err) {
    struct err last = {0}; /* that of a try which is not the last is none */
    struct lock_owner mine;
    int rc;

    lock_owner_init(&mine);
    left[0] = 0;
    *lock = (struct lock){file_text("%s/lock", folder), file_text("%s/lock.new", folder),
                          lock_owner_write(&mine)};
    if (!lock->path || !lock->beside || !lock->text)
        rc = err_set(&last, ERR_IO, "%s: no memory for a lock", folder);
    else
        rc = take(lock, folder, advice, &mine, left, &last);
    if (!rc)
        return 0;
    *err = last;
    free(lock->text); /* so that it is not given back */
    lock->text = NULL;
    lock_release(lock);
    return -1;
}

/* What the lock holds; a file system that fails once is asked again. */
static char *read_own(const struct lock *lock, struct err *err) {
    struct err first = {0};
    char *text = NULL;
    size_t len;

    if (file_read(lock->path, &text, &len, &first) && file_read(lock->path, &text, &len, err))
        return NULL;
    return text;
}

int lock_keep(const struct lock *lock, bool *lost, struct err *err) {
    struct lock_owner other;
    char *text, who[LOCK_TEXT] = "somebody";

    if (access(lock->path, F_OK) && errno == ENOENT) {
        if (!create(lock->path, lock->text))
            return 0;
        if (errno == ENOENT)
            return err_set(
                err, ERR_IO,
                "%.*s is no longer there: somebody has moved or deleted the folder of this "
                "run, and nothing more is saved",
                (int)(strrchr(lock->path, '/') - lock->path), lock->path);
    }
    if (!(text = read_own(lock, err)))
        return -1;
    const bool mine = !strcmp(text, lock->text);
    if (!mine && !lock_owner_read(&other, text))
        describe(&other, who);
    free(text);
    *lost = !mine;
    return mine ? 0
                : err_set(err, ERR_IO,
                          "%s is no longer this run's: %s has taken it, and nothing more is saved",
                          lock->path, who);
}

int lock_check(const struct lock *lock, struct err *err) {
    char *text = read_own(lock, err);
    const bool mine = text && !strcmp(text, lock->text);

    if (text && !mine)
        err_set(err, ERR_IO, "%s is no longer this run's", lock->path);
    free(text);
    return mine ? 0 : -1;
}

void lock_drop(const struct lock *lock) {
    struct err ignored = {0};
    char *text = lock->text ? read_own(lock, &ignored) : NULL;

    if (text && !strcmp(text, lock->text))
        unlink(lock->path);
    free(text);
}

void lock_release(struct lock *lock) {
    lock_drop(lock);
    free(lock->path);
    free(lock->beside);
    free(lock->text);
    *lock = (struct lock){0};
}
