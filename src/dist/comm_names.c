/* Names of shared memory. MPI gives its own back where it ends well; of processes that are killed
 * they stay in /dev/shm, some MB each, until a host has no memory left. Once all ranks of a host
 * have it mapped nobody asks for a name again, and memory without one goes with those who hold it.
 */
#include "dist/comm_mpi.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { LINE = PATH_MAX + 128 };

struct comm_names {
    int n;
    char **name; /* [n], those that this process has removed */
};

/* The next name of shared memory in a list of what a process maps; NULL at the end. */
static const char *next_name(FILE *maps, char line[LINE]) {
    while (fgets(line, LINE, maps)) {
        const char *name = strstr(line, "/dev/shm/");

        line[strcspn(line, "\n")] = 0;
        if (name && !strstr(name, " (deleted)"))
            return name;
    }
    return NULL;
}

static void add(struct comm_names *names, const char *name) {
    char **more = realloc(names->name, (size_t)(names->n + 1) * sizeof *more);

    if (more)
        names->name = more;
    if (more && (more[names->n] = strdup(name)))
        names->n++;
}

/* What this process maps, and one number for all of it. */
static uint64_t list(struct comm_names *names) {
    FILE *maps = fopen("/proc/self/maps", "re");
    uint64_t sum = 0;
    char line[LINE];

    for (const char *name; maps && (name = next_name(maps, line));) {
        sum += XXH3_64bits(name, strlen(name));
        add(names, name);
    }
    if (maps)
        fclose(maps);
    return sum;
}

struct comm_names *comm_names_forget(MPI_Comm world) {
    struct comm_names *names = calloc(1, sizeof *names);
    const uint64_t sum = names ? list(names) : 0;
    uint64_t least[2] = {sum, ~sum};
    MPI_Comm host;
    int rank = 1;

    if (MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host) == MPI_SUCCESS) {
        if (MPI_Allreduce(MPI_IN_PLACE, least, 2, MPI_UINT64_T, MPI_MIN, host) == MPI_SUCCESS &&
            least[0] == ~least[1])
            MPI_Comm_rank(host, &rank);
        MPI_Comm_free(&host);
    }
    for (int i = 0; names && i < names->n; i++)
        if (rank || unlink(names->name[i])) /* the first of a host removes them, if anybody */
            *names->name[i] = 0;
    return names;
}

void comm_names_restore(struct comm_names *names) {
    for (int i = 0; names && i < names->n; i++) {
        const int fd =
            *names->name[i] ? open(names->name[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;

        if (fd >= 0)
            close(fd);
        free(names->name[i]);
    }
    if (names)
        free(names->name);
    free(names);
}
