#include "train/stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static const long long SAME_REQUEST_NS = 200000000;

/* When this rank was asked; 0: it was not. Written by the handler, on whatever thread. */
static atomic_llong asked_ns;

static void take_request(int signal) {
    static const char message[] =
        "dltrain: ended at once by a second signal; what was saved before is whole\n";
    struct timespec now;
    long long first = 0;

    (void)signal;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const long long now_ns = 1000000000LL * now.tv_sec + now.tv_nsec;
    if (atomic_compare_exchange_strong(&asked_ns, &first, now_ns) ||
        now_ns - first < SAME_REQUEST_NS)
        return;
    const ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    (void)written; /* where nobody listens, nobody is told */
    _exit(ERR_STOPPED);
}

void stop_catch_signals(void) {
    static const int signals[] = {SIGUSR1, SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = take_request, .sa_flags = SA_RESTART};

    signal(SIGPIPE, SIG_IGN); /* whoever read what is printed may leave; the run goes on */
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

bool stop_requested(void) {
    return atomic_load(&asked_ns) != 0;
}

int stop_check(struct comm *comm, struct err *err) {
    if (comm_max_double(comm, stop_requested()) <= 0)
        return 0;
    return err_set(err, ERR_STOPPED,
                   "stopped on request before a step was done; the same command starts again");
}
