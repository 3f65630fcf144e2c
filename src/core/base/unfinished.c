#include "core/base/unfinished.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct unfinished {
    struct unfinished *next;
    pid_t owner; /* a child of this process has none */
    dev_t device;
    ino_t inode;
    char path[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct unfinished *first;

struct unfinished *unfinished_add(const char *path) {
    const size_t bytes = strlen(path) + 1;
    struct unfinished *u;
    struct stat st;

    if (stat(path, &st) || !(u = malloc(sizeof *u + bytes)))
        return NULL;
    *u = (struct unfinished){.owner = getpid(), .device = st.st_dev, .inode = st.st_ino};
    memcpy(u->path, path, bytes);
    pthread_mutex_lock(&lock);
    u->next = first;
    first = u;
    pthread_mutex_unlock(&lock);
    return u;
}

void unfinished_drop(struct unfinished *u) {
    if (!u)
        return;
    pthread_mutex_lock(&lock);
    for (struct unfinished **at = &first; *at; at = &(*at)->next)
        if (*at == u) {
            *at = u->next;
            break;
        }
    pthread_mutex_unlock(&lock);
    free(u);
}

void unfinished_remove(void) {
    struct stat st;

    pthread_mutex_lock(&lock);
    for (const struct unfinished *u = first; u; u = u->next)
        if (u->owner == getpid() && !stat(u->path, &st) && st.st_dev == u->device &&
            st.st_ino == u->inode)
            unlink(u->path);
    pthread_mutex_unlock(&lock);
}
