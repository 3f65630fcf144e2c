/* comm_end.c - ends that cannot wait. */
#include "core/base/memory.h"
#include "dist/comm_mpi.h"
#include "dist/launch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* That of one rank is the end of all. MPI without memory may crash on the way out: then this
 * process ends by itself, with the same code, and whoever started the ranks ends the others. */
static void leave(int signal) {
    (void)signal;
    _exit(ERR_IO);
}

_Noreturn void memory_end(size_t bytes) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGALRM};
    const unsigned patience_s = 5;
    int started = 0, ended = 0;

    fprintf(stderr, "dltrain: rank %d: not enough memory: %zu bytes are needed\n",
            launch_rank(getenv), bytes);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], leave);
    alarm(patience_s);
    MPI_Initialized(&started);
    MPI_Finalized(&ended);
    if (started && !ended)
        MPI_Abort(MPI_COMM_WORLD, ERR_IO);
    _exit(ERR_IO);
}
