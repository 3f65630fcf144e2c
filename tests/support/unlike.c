/* unlike.c - a host with other libraries: loaded with LD_PRELOAD, the one that UNLIKE names (mpi or
 * blas) says that it is another version. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool meant(const char *library) {
    const char *wanted = getenv("UNLIKE");

    return wanted && !strcmp(wanted, library);
}

/* The function of that name that this one stands before. */
static void real(const char *name, void *function) {
    void *found = dlsym(RTLD_NEXT, name);

    memcpy(function, &found, sizeof found);
}

int MPI_Get_library_version(char *version, int *len);

int MPI_Get_library_version(char *version, int *len) {
    int (*next)(char *, int *);

    real("MPI_Get_library_version", &next);
    if (!meant("mpi"))
        return next(version, len);
    *len = sprintf(version, "Other MPI v1.0");
    return 0;
}

char *openblas_get_config(void);

char *openblas_get_config(void) {
    static char other[] = "OpenBLAS 0.1.0 DYNAMIC_ARCH";
    char *(*next)(void);

    real("openblas_get_config", &next);
    return meant("blas") ? other : next();
}
