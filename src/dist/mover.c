#include "dist/mover.h"

#include "core/base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* Between two rounds: other threads of the rank want the locks as well. */
static const struct timespec pause_between = {.tv_nsec = 20000};

struct mover_task {
    bool (*move)(void *context);
    void *context;
};

struct mover {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct mover_task *task; /* [n] */
    int n;
    bool awake, ends;
    struct trace *trace; /* NULL: nobody looks */
};

/* Until there is something to move; false: the end. */
static bool sleep_on(struct mover *m) {
    pthread_mutex_lock(&m->mutex);
    while (!m->awake && !m->ends)
        pthread_cond_wait(&m->cond, &m->mutex);
    const bool goes_on = !m->ends;
    m->awake = false; /* who wakes it from now on has more */
    pthread_mutex_unlock(&m->mutex);
    return goes_on;
}

static void *run(void *context) {
    struct mover *m = context;

    while (sleep_on(m)) {
        const double begin = clock_now();
        for (bool moves = true; moves;) {
            moves = false;
            for (int i = 0; i < m->n; i++)
                moves = m->task[i].move(m->task[i].context) || moves;
            if (moves)
                nanosleep(&pause_between, NULL);
        }
        trace_add(m->trace,
                  &(struct trace_event){TRACE_MOVE, TRACE_MOVER, 0, 0, begin, clock_now()});
    }
    return NULL;
}

int mover_new(struct mover **out, struct comm *comm, struct err *err) {
    struct mover *m = NULL;

    if (comm_share_calls(comm, err))
        return -1;
    m = calloc(1, sizeof *m);
    if (!m)
        return err_set(err, ERR_IO, "out of memory");
    pthread_mutex_init(&m->mutex, NULL);
    pthread_cond_init(&m->cond, NULL);
    if (pthread_create(&m->thread, NULL, run, m)) {
        free(m);
        return err_set(err, ERR_IO, "the system gives no thread to move messages");
    }
    *out = m;
    return 0;
}

void mover_free(struct mover *m) {
    if (!m)
        return;
    pthread_mutex_lock(&m->mutex);
    m->ends = true;
    pthread_cond_signal(&m->cond);
    pthread_mutex_unlock(&m->mutex);
    pthread_join(m->thread, NULL);
    pthread_mutex_destroy(&m->mutex);
    pthread_cond_destroy(&m->cond);
    free(m->task);
    free(m);
}

int mover_add(struct mover *m, bool (*move)(void *context), void *context, struct err *err) {
    struct mover_task *task = realloc(m->task, ((size_t)m->n + 1) * sizeof *task);

    if (!task)
        return err_set(err, ERR_IO, "out of memory");
    m->task = task;
    m->task[m->n++] = (struct mover_task){move, context};
    return 0;
}

void mover_trace(struct mover *m, struct trace *trace) {
    m->trace = trace;
}

void mover_wake(struct mover *m) {
    pthread_mutex_lock(&m->mutex);
    if (!m->awake) {
        m->awake = true;
        pthread_cond_signal(&m->cond);
    }
    pthread_mutex_unlock(&m->mutex);
}
