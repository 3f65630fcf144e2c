#include "dist/start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Open MPI 4.1 starts with 25 and 208. */
enum { FILES = 32, STACK_KIB = 256 };

/* Where the process makes its own folder for MPI, if mpirun has not. */
static int probe_folder(struct err *err) {
    const char *folder = getenv("TMPDIR");

    if (getenv("OMPI_COMM_WORLD_RANK"))
        return 0;
    folder = folder ? folder : "/tmp";
    if (!access(folder, W_OK) || errno == ENOENT)
        return 0;
    return err_set(
        err, ERR_IO,
        "%s: cannot be written: %s; MPI keeps files there while it runs: set TMPDIR to a "
        "folder where it can",
        folder, strerror(errno));
}

int start_probe(struct err *err) {
    struct rlimit files, stack;

    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < FILES)
        return err_set(err, ERR_IO,
                       "this process may have %llu files open at a time (ulimit -n), expected at "
                       "least %d: MPI does not start with less",
                       (unsigned long long)files.rlim_cur, FILES);
    if (!getrlimit(RLIMIT_STACK, &stack) && stack.rlim_cur < STACK_KIB << 10)
        return err_set(err, ERR_IO,
                       "the stack of this process may have %llu KiB (ulimit -s), expected at least "
                       "%d: MPI does not start with less",
                       (unsigned long long)stack.rlim_cur >> 10, STACK_KIB);
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 0);
    return probe_folder(err);
}
