#include "io/file/lock_owner.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

/* The first line of a file of the system; "" where there is none. */
static void read_line(const char *path, char *line, size_t size) {
    FILE *file = fopen(path, "r");

    line[0] = 0;
    if (file && fgets(line, (int)size, file))
        line[strcspn(line, "\n")] = 0;
    if (file)
        fclose(file);
}

/* State and start of a process. Source: proc(5), /proc/PID/stat: the fields 3 and 22; the name
 * before them is in brackets and may hold anything. Returns -1 where they cannot be read. */
static int read_process(int64_t pid, char *state, int64_t *start) {
    char path[64], line[1024];

    snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    read_line(path, line, sizeof line);
    const char *at = strrchr(line, ')');
    if (!at || sscanf(at + 1, " %c", state) != 1)
        return -1;
    for (int field = 2; field < 22 && at; field++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, "%" SCNd64, start) == 1 ? 0 : -1;
}

/* A hash of the machine's own number and of the space of its processes, which containers have of
 * their own. */
static void find_machine(char *machine) {
    char text[512] = "";

    read_line("/etc/machine-id", text, sizeof text / 2);
    const size_t used = strlen(text);
    const ssize_t len = readlink("/proc/self/ns/pid", text + used, sizeof text - used - 1);
    snprintf(machine, OWNER_WORD, "%016" PRIx64,
             XXH3_64bits(text, used + (len > 0 ? (size_t)len : 0)));
}

void lock_owner_init(struct lock_owner *owner) {
    const time_t now = time(NULL);
    const char *job = getenv("SLURM_JOB_ID"), *launched = getenv(LOCK_OWNER_JOB);
    char state, host[sizeof owner->host] = "";
    struct tm tm;

    *owner = (struct lock_owner){.pid = getpid(), .start = -1};
    if (gethostname(host, sizeof host - 1))
        strcpy(host, "a host without a name");
    memcpy(owner->host, host, sizeof host);
    find_machine(owner->machine);
    read_line("/proc/sys/kernel/random/boot_id", owner->boot, sizeof owner->boot);
    if (read_process(owner->pid, &state, &owner->start))
        owner->start = -1;
    if (gmtime_r(&now, &tm))
        strftime(owner->since, sizeof owner->since, "%Y-%m-%d %H:%M:%S UTC", &tm);
    snprintf(owner->job, sizeof owner->job, "%s", job ? job : launched ? launched : "");
}

char *lock_owner_write(const struct lock_owner *o) {
    json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s}", "host", o->host, "machine",
                               o->machine, "boot", o->boot, "pid", (json_int_t)o->pid, "start",
                               (json_int_t)o->start, "since", o->since, "slurm_job", o->job);
    char *text = object ? json_dumps(object, 0) : NULL;

    json_decref(object);
    return text;
}

int lock_owner_read(struct lock_owner *o, const char *text) {
    const char *host, *machine, *boot, *since, *job;
    json_t *object = json_loads(text, 0, NULL);
    json_int_t pid, start;
    int rc = json_unpack(object, "{s:s, s:s, s:s, s:I, s:I, s:s, s:s}", "host", &host, "machine",
                         &machine, "boot", &boot, "pid", &pid, "start", &start, "since", &since,
                         "slurm_job", &job);

    if (!rc) {
        *o = (struct lock_owner){.pid = pid, .start = start};
        snprintf(o->host, sizeof o->host, "%s", host);
        snprintf(o->machine, sizeof o->machine, "%s", machine);
        snprintf(o->boot, sizeof o->boot, "%s", boot);
        snprintf(o->since, sizeof o->since, "%s", since);
        snprintf(o->job, sizeof o->job, "%s", job);
    }
    json_decref(object);
    return rc;
}

/* Numbers of processes are used again: it is the same one if it has started at the same time. One
 * that has ended, and that nobody has asked how, is dead. */
static bool lives(const struct lock_owner *o) {
    int64_t start;
    char state;

    if (o->pid <= 0 || (kill((pid_t)o->pid, 0) && errno == ESRCH))
        return false;
    if (read_process(o->pid, &state, &start))
        return true;
    return state != 'Z' && state != 'X' && (o->start < 0 || o->start == start);
}

enum lock_state lock_owner_state(const struct lock_owner *other, const struct lock_owner *mine) {
    const bool here = !strcmp(other->host, mine->host) && !strcmp(other->machine, mine->machine);

    if (here)
        return !strcmp(other->boot, mine->boot) && lives(other) ? LOCK_HELD : LOCK_LEFT;
    return other->job[0] && !strcmp(other->job, mine->job) ? LOCK_LEFT : LOCK_UNSEEN;
}
