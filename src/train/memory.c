#include "train/memory.h"

#include <stdio.h>
#include <string.h>

enum { GROUP_PATH = 4096, FILE_PATH = GROUP_PATH + 128 };

/* The number behind `name` in a file, or alone in it where name is ""; -1 where there is none. */
static double read_number(const char *path, const char *name) {
    char line[256];
    double value = -1;
    FILE *file = fopen(path, "r");

    while (file && value < 0 && fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name)) && sscanf(line + strlen(name), "%lf", &value) != 1)
            value = -1;
    if (file)
        fclose(file);
    return value;
}

/* How a version of control groups calls things. */
static const struct control {
    const char *entry; /* in /proc/self/cgroup, before the path of the group */
    const char *root;
    const char *limit, *used;
    const char *cached[2]; /* in memory.stat: copies of files, which make room where it is needed */
} controls[] = {
    {"::", "/sys/fs/cgroup", "memory.max", "memory.current", {"active_file ", "inactive_file "}},
    {":memory:",
     "/sys/fs/cgroup/memory",
     "memory.limit_in_bytes",
     "memory.usage_in_bytes",
     {"total_active_file ", "total_inactive_file "}},
};

static double read_of(const struct control *c, const char *group, const char *file,
                      const char *name) {
    char path[FILE_PATH];

    snprintf(path, sizeof path, "%s%s/%s", c->root, group, file);
    return read_number(path, name);
}

/* What is left in one group; -1: it has no limit. */
static double group_left(const struct control *c, const char *group) {
    const double limit = read_of(c, group, c->limit, ""), used = read_of(c, group, c->used, "");
    double left = limit - used;

    if (limit < 0 || used < 0)
        return -1;
    for (int k = 0; k < 2; k++) {
        const double cached = read_of(c, group, "memory.stat", c->cached[k]);
        left += cached > 0 ? cached : 0;
    }
    return left > 0 ? left : 0;
}

static double lesser(double a, double b) {
    return b >= 0 && (a < 0 || b < a) ? b : a;
}

/* The group of this process to group[GROUP_PATH], "" where it is not told, or is the root. */
static void find_group(const struct control *c, char *group) {
    char line[GROUP_PATH];
    FILE *file = fopen("/proc/self/cgroup", "r");

    *group = 0;
    while (file && fgets(line, sizeof line, file)) {
        const char *at = strstr(line, c->entry);

        if (at)
            snprintf(group, GROUP_PATH, "%.*s", (int)strcspn(at + strlen(c->entry), "\n"),
                     at + strlen(c->entry));
    }
    if (file)
        fclose(file);
}

/* Limits hold of a group and of all around it. In a container the path may be the host's, and lead
 * nowhere; then the root is its own. */
double memory_left(void) {
    double left = read_number("/proc/meminfo", "MemAvailable:") * 1024; /* in KiB */
    char group[GROUP_PATH];

    for (size_t k = 0; k < sizeof controls / sizeof *controls; k++) {
        find_group(&controls[k], group);
        for (char *end = group + strlen(group); end; end = strrchr(group, '/')) {
            *end = 0;
            left = lesser(left, group_left(&controls[k], group));
        }
    }
    return left;
}

double memory_held(void) {
    const double shares = read_number("/proc/self/smaps_rollup", "Pss:") * 1024;

    return shares >= 0 ? shares : read_number("/proc/self/status", "VmRSS:") * 1024;
}

int memory_check(size_t bytes, int ranks_on_host, struct err *err) {
    const double left = memory_left(), needed = (double)bytes * ranks_on_host;
    const double mib = 1 << 20;

    if (left < 0 || needed <= left)
        return 0;
    return err_set(err, ERR_IO,
                   "not enough memory: %d rank%s of this host need %.0f MiB each, and %.0f MiB are "
                   "left; a smaller batch or more hosts may help",
                   ranks_on_host, ranks_on_host == 1 ? "" : "s", (double)bytes / mib, left / mib);
}
