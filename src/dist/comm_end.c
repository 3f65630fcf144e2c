/* comm_end.c - ends that cannot wait. */
#include "core/base/memory.h"
#include "core/base/unfinished.h"
#include "dist/comm_mpi.h"
#include "dist/launch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t code; /* that the process ends with */

static void leave(int signal) {
    (void)signal;
    _exit(code);
}

void comm_end_within(unsigned seconds, int exit_code) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGALRM};

    code = exit_code;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], leave);
    alarm(seconds);
}

_Noreturn void comm_end_all(int exit_code) {
    const unsigned patience_s = 5;
    int started = 0, ended = 0;

    comm_end_within(patience_s, exit_code);
    MPI_Initialized(&started);
    MPI_Finalized(&ended);
    if (started && !ended)
        MPI_Abort(MPI_COMM_WORLD, exit_code);
    _exit(exit_code);
}

/* That of one rank is the end of all. MPI without memory may crash on the way out. */
_Noreturn void memory_end(size_t bytes) {
    fprintf(stderr, "dltrain: rank %d: not enough memory: %zu bytes are needed\n",
            launch_rank(getenv), bytes);
    unfinished_remove();
    comm_end_all(ERR_IO);
}
