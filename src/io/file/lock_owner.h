/* lock_owner.h - who holds a lock: a process, its host, its Slurm job. */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { OWNER_NAME = 256, OWNER_WORD = 64 };

/* The variable of the environment by which `dltrain launch` names the job that its processes are
 * of, on whatever host and however often it starts them. */
#define LOCK_OWNER_JOB "DLTRAIN_LAUNCH"

struct lock_owner {
    char host[OWNER_NAME];
    char machine[OWNER_WORD]; /* whose processes this one sees; tells hosts of one name apart */
    char boot[OWNER_WORD];    /* of the machine; another after each */
    int64_t pid, start;       /* start: of the process, in the system's ticks; -1: not known */
    char since[OWNER_WORD];   /* for people */
    char job[OWNER_WORD];     /* of Slurm, or else LOCK_OWNER_JOB; "": none */
};

/* This process. */
void lock_owner_init(struct lock_owner *owner);

/* As one line of text, to be freed; NULL when there is no memory. */
char *lock_owner_write(const struct lock_owner *owner);

/* Returns -1 where the text is none that lock_owner_write has made, or not all of it. */
int lock_owner_read(struct lock_owner *owner, const char *text);

/* May who is `mine` take the lock of `other`? HELD: no, that process lives. UNSEEN: it is none of
 * this machine. */
enum lock_state { LOCK_LEFT, LOCK_HELD, LOCK_UNSEEN };
enum lock_state lock_owner_state(const struct lock_owner *other, const struct lock_owner *mine);
