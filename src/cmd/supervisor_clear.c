/* supervisor_clear.c - what a job has left on a host. */
#include "cmd/supervisor.h"
#include "io/file/lock_owner.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ENVIRONMENT = 1 << 20, TRIES = 500, PAUSE_NS = 10000000 };

/* Does the environment that a process was started with hold this setting? Of processes of others
 * it cannot be read, and of those that have ended it is empty. */
static bool holds(const char *pid, const char *setting, char *text) {
    struct pool pool = {0};
    const int fd = open(pool_print(&pool, "/proc/%s/environ", pid), O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n;
    bool found = false;

    while (fd >= 0 && len < MOST_ENVIRONMENT &&
           (n = read(fd, text + len, MOST_ENVIRONMENT - len)) > 0)
        len += (size_t)n;
    if (fd >= 0)
        close(fd);
    pool_release(&pool);
    text[len] = 0;
    for (const char *at = text; at < text + len && !found; at += strlen(at) + 1)
        found = !strcmp(at, setting);
    return found;
}

/* Kill them all but this one. Returns how many there are. */
static int kill_all(const char *setting, char *text) {
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    int n = 0;

    while (processes && (entry = readdir(processes))) {
        const int pid = atoi(entry->d_name);

        if (pid > 1 && pid != getpid() && holds(entry->d_name, setting, text))
            n += !kill(pid, SIGKILL);
    }
    if (processes)
        closedir(processes);
    return n;
}

int supervisor_clear(const char *id) {
    struct pool pool = {0};
    const char *setting = pool_print(&pool, "%s=%s", LOCK_OWNER_JOB, id);
    char *text = pool_take(&pool, MOST_ENVIRONMENT + 1);
    const int n = kill_all(setting, text);

    /* A start that follows needs their memory, and the lock of their folder. */
    for (int i = 0; i < TRIES && kill_all(setting, text); i++)
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    pool_release(&pool);
    return n;
}
