/* lock.h - one process at a time in a folder. The lock is a file in it that says who holds it, made
 * so that one process alone can make it: that works on every file system, between hosts too. It
 * outlives a process that is killed, and is then taken over by one that can tell. */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum { LOCK_TEXT = 512 };

/* {0}: not held. */
struct lock {
    char *path, *beside; /* folder/lock; where a new one is made that shall replace it */
    char *text;          /* what the file holds */
    dev_t device;        /* and the file itself, where it cannot be read */
    ino_t inode;
    bool offered; /* made beside, from where another process may have put it in its place */
    struct unfinished *unfinished; /* that file */
};

/* Take the folder, which exists, by a file `lock` in it.
 *   advice  to who comes second, for messages: "give this one another name="
 *   left  whose lock it was that has been taken over: "process 12 on node1, since TIME"; "" else
 * Taken over is the lock of a process of this machine that has ended (or was started before the
 * machine was), and one of the same Slurm job, which has been requeued.
 * Errors: ERR_IO: another process holds it or may hold it, saying who, and what to do. Nothing is
 * written then. */
int lock_take(struct lock *lock, const char *folder, const char *advice, char left[LOCK_TEXT],
              struct err *err);

/* Is it still this process's? A lock that somebody has deleted is made again. Errors: ERR_IO:
 * somebody else has it now, and *lost says so, or nobody can tell. */
int lock_keep(const struct lock *lock, bool *lost, struct err *err);

/* Is it still there, and this process's? Any thread. Errors: ERR_IO. */
int lock_check(const struct lock *lock, struct err *err);

/* Give it back, from another thread than that which uses the lock, right before the process ends.
 */
void lock_drop(const struct lock *lock);

/* Give it back. {0} is fine. */
void lock_release(struct lock *lock);
