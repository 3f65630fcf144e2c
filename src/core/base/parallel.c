#define _GNU_SOURCE /* processor affinity */
#include "core/base/parallel.h"
#include "core/base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A loop is cut into so many pieces for each thread, since processors are not equally fast at any
 * moment. Each takes its own first, neighbours in memory, and then what others have left: at the
 * borders of pieces threads disturb each other's caches. */
enum { PIECES_PER_THREAD = 32 };

struct share {
    atomic_llong next; /* piece that nobody has taken yet */
    int64_t end;
};

/* Loops of a network follow each other within microseconds; sleeping and waking costs about ten
 * times more. So everybody spins for a moment before going to sleep. */
enum { SPINS_PER_LOOK = 64 };
static const double SPIN_S = 50e-6;

struct worker {
    struct team *team;
    int index; /* 1 .. n_threads - 1; the caller is 0 */
    pthread_t thread;
};

struct team {
    int n_threads, n_started; /* n_started: workers that run */
    struct worker *workers;   /* [n_threads - 1] */

    void (*task)(void *context, int slot, int64_t begin, int64_t end);
    void *context;
    int64_t n, n_pieces;
    bool stop;
    struct share *shares; /* [n_threads], the first n_shares in use */
    int n_shares;

    atomic_uint round;     /* rises by one when the fields above hold a new loop */
    atomic_int n_running;  /* workers not yet done with this round */
    atomic_int n_sleepers; /* threads, the caller included, that wait on cond */
    atomic_bool busy;      /* a loop is running: loops inside it run on their own thread */
    pthread_mutex_t mutex;
    pthread_cond_t cond;
};

static void spin_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

typedef bool condition(struct team *team, unsigned seen);

static bool new_round(struct team *team, unsigned seen) {
    return atomic_load(&team->round) != seen;
}

static bool all_done(struct team *team, unsigned seen) {
    (void)seen;
    return atomic_load(&team->n_running) == 0;
}

static void wait_for(struct team *team, condition *holds, unsigned seen) {
    const double end = clock_now() + SPIN_S;

    do {
        for (int i = 0; i < SPINS_PER_LOOK; i++) {
            if (holds(team, seen))
                return;
            spin_pause();
        }
    } while (clock_now() < end);
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->n_sleepers, 1); /* before looking again: see wake() */
    while (!holds(team, seen))
        pthread_cond_wait(&team->cond, &team->mutex);
    atomic_fetch_sub(&team->n_sleepers, 1);
    pthread_mutex_unlock(&team->mutex);
}

/* After a condition came true. Either the waker sees the sleeper here, or the sleeper saw the
 * condition: both sides write first and read then, in one total order. */
static void wake(struct team *team) {
    if (atomic_load(&team->n_sleepers) == 0)
        return;
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&team->cond);
    pthread_mutex_unlock(&team->mutex);
}

static void run_share(struct team *team, int index, struct share *share) {
    for (;;) {
        const int64_t i = atomic_fetch_add(&share->next, 1);

        if (i >= share->end)
            return;
        team->task(team->context, index, team->n * i / team->n_pieces,
                   team->n * (i + 1) / team->n_pieces);
    }
}

static void run_pieces(struct team *team, int index) {
    for (int i = 0; index < team->n_shares && i < team->n_shares; i++)
        run_share(team, index, &team->shares[(index + i) % team->n_shares]);
}

static void deal_pieces(struct team *team, int64_t n, int n_slots) {
    team->n = n;
    team->n_pieces = (int64_t)team->n_threads * PIECES_PER_THREAD;
    if (team->n_pieces > n)
        team->n_pieces = n;
    team->n_shares = n_slots < team->n_threads ? n_slots : team->n_threads;
    for (int i = 0; i < team->n_shares; i++) {
        atomic_store(&team->shares[i].next, team->n_pieces * i / team->n_shares);
        team->shares[i].end = team->n_pieces * (i + 1) / team->n_shares;
    }
}

static void *work(void *arg) {
    const struct worker *w = arg;
    struct team *team = w->team;

    for (unsigned seen = 0;; seen++) {
        wait_for(team, new_round, seen);
        if (team->stop)
            return NULL;
        run_pieces(team, w->index);
        if (atomic_fetch_sub(&team->n_running, 1) == 1)
            wake(team);
    }
}

static void start_round(struct team *team) {
    atomic_store(&team->n_running, team->n_started);
    atomic_fetch_add(&team->round, 1);
    wake(team);
}

int team_new(struct team **out, int n_threads, struct err *err) {
    struct team *team;

    *out = NULL;
    if (n_threads <= 1)
        return 0;
    team = calloc(1, sizeof *team);
    if (!team)
        return err_set(err, ERR_IO, "threads: no memory");
    team->n_threads = n_threads;
    team->workers = calloc((size_t)n_threads - 1, sizeof *team->workers);
    team->shares = calloc((size_t)n_threads, sizeof *team->shares);
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->cond, NULL);
    for (int i = 1; i < n_threads; i++) {
        struct worker *w = team->workers && team->shares ? &team->workers[i - 1] : NULL;
        int code = ENOMEM;

        if (w) {
            *w = (struct worker){.team = team, .index = i};
            code = pthread_create(&w->thread, NULL, work, w);
        }
        if (code) {
            err_set(err, ERR_IO, "threads: the system gives %d of %d: %s", i, n_threads,
                    strerror(code));
            team_free(team);
            return -1;
        }
        team->n_started = i;
    }
    *out = team;
    return 0;
}

void team_pin(struct team *team, const struct core_set *core, int n) {
    if (!team || n != team->n_threads)
        return;
    for (int i = 1; i < n; i++) {
        cpu_set_t processors;
        CPU_ZERO(&processors);
        for (int p = 0; p < CORE_SET_MOST; p++)
            if (core_set_has(&core[i], p))
                CPU_SET((size_t)p, &processors);
        pthread_setaffinity_np(team->workers[i - 1].thread, sizeof processors, &processors);
    }
}

void team_free(struct team *team) {
    if (!team)
        return;
    team->stop = true;
    start_round(team);
    for (int i = 0; i < team->n_started; i++)
        pthread_join(team->workers[i].thread, NULL);
    pthread_cond_destroy(&team->cond);
    pthread_mutex_destroy(&team->mutex);
    free(team->workers);
    free(team->shares);
    free(team);
}

int team_size(const struct team *team) {
    return team ? team->n_threads : 1;
}

void team_run_slots(struct team *team, int64_t n, int n_slots,
                    void (*task)(void *context, int slot, int64_t begin, int64_t end),
                    void *context) {
    if (n <= 0)
        return;
    if (!team || n == 1 || n_slots == 1 || atomic_exchange(&team->busy, true)) {
        task(context, 0, 0, n);
        return;
    }
    team->task = task;
    team->context = context;
    deal_pieces(team, n, n_slots);
    start_round(team);
    run_pieces(team, 0);
    wait_for(team, all_done, 0);
    atomic_store(&team->busy, false);
}

struct plain {
    void (*task)(void *context, int64_t begin, int64_t end);
    void *context;
};

static void run_plain(void *context, int slot, int64_t begin, int64_t end) {
    const struct plain *p = context;

    (void)slot;
    p->task(p->context, begin, end);
}

void team_run(struct team *team, int64_t n, void (*task)(void *context, int64_t begin, int64_t end),
              void *context) {
    struct plain plain = {task, context};

    team_run_slots(team, n, team_size(team), run_plain, &plain);
}
