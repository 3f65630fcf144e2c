#include "io/file/lock.h"
#include "core/base/unfinished.h"
#include "io/file/file.h"
#include "io/file/lock_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1 s for another process to write what it has made; 5 s until one that has written nothing was
 * killed before it could. Should it have been slow, it finds that the lock is another's. */
enum { TRIES = 20, EMPTY_TRIES = 100, MOST_TRIES = 120, PAUSE_NS = 50000000 };

/* More than lock_owner_write writes. */
enum { OWN_TEXT = 2048 };

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
        file_remove(path);
    errno = failed;
    return failed ? -1 : 0;
}

static int unreadable(const char *path, struct err *err) {
    return err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
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

/* What a lock holds, without any memory but the caller's: a lock can be given back where there is
 * no other. A file system that fails once is asked again. Returns -1 with errno set. */
static int read_text(const char *path, char text[OWN_TEXT]) {
    ssize_t len = -1;

    for (int i = 0; i < 2 && len < 0; i++) {
        const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            continue;
        do
            len = read(fd, text, OWN_TEXT - 1);
        while (len < 0 && errno == EINTR);
        const int failed = errno;
        close(fd);
        errno = failed;
    }
    text[len > 0 ? len : 0] = 0;
    return len < 0 ? -1 : 0;
}

/* Remove what nobody else has put there. */
static void remove_own(const char *path, const char *own) {
    char text[OWN_TEXT];

    if (!read_text(path, text) && !strcmp(text, own))
        file_remove(path);
}

/* Another process takes the folder over, or was killed as it did. Returns 1 where all is to be
 * tried again. */
static int meet_beside(const struct lock *lock, const char *folder, const struct lock_owner *mine,
                       int tries, struct err *err) {
    struct lock_owner other;
    char text[OWN_TEXT];

    err_set(err, ERR_IO, "%s is just being taken by another run; if there is none, delete %s",
            folder, lock->beside);
    if (read_text(lock->beside, text))
        return errno == ENOENT ? 1 : -1;
    if (lock_owner_read(&other, text)) { /* not yet written, or never */
        if (tries >= EMPTY_TRIES)
            remove_own(lock->beside, text);
        return 1;
    }
    const enum lock_state state = lock_owner_state(&other, mine);
    if (state == LOCK_LEFT)
        remove_own(lock->beside, text);
    return state == LOCK_UNSEEN ? -1 : 1;
}

/* Put this process's lock in the place of one that was left, which holds `old`. Of all that want
 * to, one can make the file beside; if somebody was faster before that, the lock holds something
 * else. Returns 1 where all is to be tried again. */
static int take_over(struct lock *lock, const char *folder, const char *old,
                     const struct lock_owner *mine, int tries, struct err *err) {
    char now[OWN_TEXT];
    int rc = 1;

    if (create(lock->beside, lock->text))
        return errno == EEXIST ? meet_beside(lock, folder, mine, tries, err)
                               : fail(lock->beside, err);
    lock->offered = true;
    if (!read_text(lock->path, now) && !strcmp(now, old)) {
        /* Whoever took this one for left has removed it, or put another in its place. */
        if (rename(lock->beside, lock->path))
            rc = errno == ENOENT ? 1 : fail(lock->path, err);
        else
            rc = !read_text(lock->path, now) && strcmp(now, lock->text) != 0;
    }
    if (rc)
        remove_own(lock->beside, lock->text);
    return rc;
}

/* A lock that does not say whose it is. Returns as meet does. */
static int meet_unknown(struct lock *lock, const char *folder, const char *text,
                        const struct lock_owner *mine, int tries, char left[LOCK_TEXT],
                        struct err *err) {
    err_set(err, ERR_IO, "%s does not say who holds it; if no run is in %s, delete it", lock->path,
            folder);
    if (*text || tries < EMPTY_TRIES)
        return tries < TRIES || !*text ? 1 : -1;
    const int rc = take_over(lock, folder, text, mine, tries, err);
    if (!rc)
        snprintf(left, LOCK_TEXT, "it was killed as it took it");
    return rc;
}

/* What to do about a lock that is there, which was tried so often. Returns 1 where all is to be
 * tried again. */
static int meet(struct lock *lock, const char *folder, const char *advice,
                const struct lock_owner *mine, int tries, char left[LOCK_TEXT], struct err *err) {
    struct lock_owner other;
    char text[OWN_TEXT];
    int rc;

    if (read_text(lock->path, text))
        return errno == ENOENT ? 1 : unreadable(lock->path, err); /* just given back */
    if (lock->offered &&
        !strcmp(text, lock->text)) /* another, who took it over, has put this one there */
        return 0;
    if (lock_owner_read(&other, text)) { /* not yet written */
        rc = meet_unknown(lock, folder, text, mine, tries, left, err);
    } else {
        const enum lock_state state = lock_owner_state(&other, mine);
        rc = state == LOCK_LEFT ? take_over(lock, folder, text, mine, tries, err)
                                : refuse(folder, advice, &other, state, mine, err);
        if (!rc)
            describe(&other, left);
    }
    return rc;
}

static int take(struct lock *lock, const char *folder, const char *advice,
                const struct lock_owner *mine, char left[LOCK_TEXT], struct err *err) {
    for (int i = 1; i <= MOST_TRIES; i++) {
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

static void remember(struct lock *lock) {
    struct stat st = {0};

    stat(lock->path, &st);
    lock->device = st.st_dev;
    lock->inode = st.st_ino;
    lock->unfinished = unfinished_add(lock->path);
}

int lock_take(struct lock *lock, const char *folder, const char *advice, char left[LOCK_TEXT],
              struct err *err) {
    struct err last = {0}; /* that of a try which is not the last is none */
    struct lock_owner mine;
    int rc;

    lock_owner_init(&mine);
    left[0] = 0;
    *lock = (struct lock){.path = file_text("%s/lock", folder),
                          .beside = file_text("%s/lock.new", folder),
                          .text = lock_owner_write(&mine)};
    if (!lock->path || !lock->beside || !lock->text)
        rc = err_set(&last, ERR_IO, "%s: no memory for a lock", folder);
    else
        rc = take(lock, folder, advice, &mine, left, &last);
    if (!rc) {
        remember(lock);
        return 0;
    }
    *err = last;
    free(lock->text); /* so that it is not given back */
    lock->text = NULL;
    lock_release(lock);
    return -1;
}

int lock_keep(const struct lock *lock, bool *lost, struct err *err) {
    struct lock_owner other;
    char text[OWN_TEXT], who[LOCK_TEXT] = "somebody";

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
    if (read_text(lock->path, text))
        return unreadable(lock->path, err);
    const bool mine = !strcmp(text, lock->text);
    if (!mine && !lock_owner_read(&other, text))
        describe(&other, who);
    *lost = !mine;
    return mine ? 0
                : err_set(err, ERR_IO,
                          "%s is no longer this run's: %s has taken it, and nothing more is saved",
                          lock->path, who);
}

int lock_check(const struct lock *lock, struct err *err) {
    char text[OWN_TEXT];

    if (read_text(lock->path, text))
        return unreadable(lock->path, err);
    return strcmp(text, lock->text) != 0
               ? err_set(err, ERR_IO, "%s is no longer this run's", lock->path)
               : 0;
}

/* Where it cannot be read, the file itself is known. */
void lock_drop(const struct lock *lock) {
    char text[OWN_TEXT];
    struct stat st;

    if (!lock->text)
        return;
    const bool mine =
        read_text(lock->path, text)
            ? !stat(lock->path, &st) && st.st_dev == lock->device && st.st_ino == lock->inode
            : !strcmp(text, lock->text);
    if (mine)
        file_remove(lock->path);
}

void lock_release(struct lock *lock) {
    lock_drop(lock);
    unfinished_drop(lock->unfinished);
    free(lock->path);
    free(lock->beside);
    free(lock->text);
    *lock = (struct lock){0};
}
