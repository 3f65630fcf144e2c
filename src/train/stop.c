#include "train/stop.h"
#include "job/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static const long long SAME_REQUEST_NS = 200000000;

/* When this rank was asked; 0: it was not. Written by the handler, on whatever thread. */
static atomic_llong asked_ns;

/* The same of requests to save. */
static atomic_bool save_asked;

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

static void take_save_request(int signal) {
    (void)signal;
    atomic_store(&save_asked, true);
}

static void handle(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, now;

    sigemptyset(&action.sa_mask);
    if (number == SIGHUP && !sigaction(SIGHUP, NULL, &now) && now.sa_handler == SIG_IGN)
        return;
    sigaction(number, &action, NULL);
}

void stop_catch_signals(void) {
    static const int signals[] = {SIGUSR1, SIGTERM, SIGINT, SIGHUP};

    signal(SIGPIPE, SIG_IGN); /* whoever read what is printed may leave; the run goes on */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        handle(signals[i], take_request);
    handle(SIGUSR2, take_save_request); /* until a job is read, which may mean something else */
}

void stop_use_signals(unsigned stops, unsigned saves) {
    for (int i = 0; job_signal_at(i); i++)
        handle(job_signal_at(i)->number, stops & 1U << i   ? take_request
                                         : saves & 1U << i ? take_save_request
                                                           : SIG_DFL);
}

bool stop_requested(void) {
    return atomic_load(&asked_ns) != 0;
}

bool stop_save_requested(void) {
    return atomic_exchange(&save_asked, false);
}

int stop_check(struct comm *comm, struct err *err) {
    if (comm_max_double(comm, stop_requested()) <= 0)
        return 0;
    return err_set(err, ERR_STOPPED,
                   "stopped on request before a step was done; the same command starts again");
}
