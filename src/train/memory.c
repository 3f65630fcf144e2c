#include "train/memory.h"

#include <stdio.h>
#include <string.h>

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

/* Control groups of version 2. */
double memory_left(void) {
    const double host = read_number("/proc/meminfo", "MemAvailable:") * 1024; /* in KiB */
    const double limit = read_number("/sys/fs/cgroup/memory.max", "");
    const double used = read_number("/sys/fs/cgroup/memory.current", "");

    if (limit >= 0 && used >= 0 && (host < 0 || limit - used < host))
        return limit > used ? limit - used : 0;
    return host;
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
