/* Steps of a training as ranks with other work find them: two reducers share gradients in memory of
 * the host, sums are read during the next step, and every rank dawdles at times of its own. */
#include "support/mpi_main.h"

#include "dist/algorithm_args.h"

#include "core/base/rng.h"
#include "dist/reducer.h"

#include <mpi.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { LEN = 3001, BUCKET_BYTES = 2000, N_REDUCERS = 2, N_STEPS = 60, PART = 499 };

/* Of the calls of MPI that follow, another may not be under way in another thread of the rank. */
static atomic_int inside;

static void enter_mpi(void) {
    if (atomic_fetch_add(&inside, 1))
        comm_abort(comm, COMM_BUG, "two threads call MPI at a time");
}

static int leave_mpi(int rc) {
    atomic_fetch_sub(&inside, 1);
    return rc;
}

int MPI_Testsome(int n, MPI_Request requests[], int *n_done, int done[], MPI_Status status[]) {
    enter_mpi();
    return leave_mpi(PMPI_Testsome(n, requests, n_done, done, status));
}

int MPI_Comm_split(MPI_Comm whole_comm, int colour, int key, MPI_Comm *out) {
    enter_mpi();
    return leave_mpi(PMPI_Comm_split(whole_comm, colour, key, out));
}

int MPI_Win_allocate_shared(MPI_Aint size, int unit, MPI_Info info, MPI_Comm whole_comm, void *at,
                            MPI_Win *out) {
    enter_mpi();
    return leave_mpi(PMPI_Win_allocate_shared(size, unit, info, whole_comm, at, out));
}

int MPI_Win_free(MPI_Win *window) {
    enter_mpi();
    return leave_mpi(PMPI_Win_free(window));
}

/* One training. */
struct run {
    struct reducer *reducer[N_REDUCERS];
    bool active[N_REDUCERS];
    int step[N_REDUCERS];    /* that is under way */
    int64_t got[N_REDUCERS]; /* elements of it */
    real *gradient;          /* [LEN] of all reducers */
    uint64_t key, draw;
};

static real whole(int r, int64_t i, int step) {
    return (real)((i * 31 + r * r * 17 + r * i + (int64_t)step * 11) % 1009);
}

/* Mostly not, sometimes for as long as a step takes. */
static void dawdle(struct run *run) {
    const uint64_t us = rng_below(run->key, run->draw++, 40);
    const struct timespec pause = {.tv_nsec = (long)us * 5000};

    if (us > 35)
        nanosleep(&pause, NULL);
}

static void check_piece(struct run *run, int which, const struct reducer_piece *p) {
    for (int64_t i = 0; i < p->len; i++) {
        real sum = 0;
        for (int r = 0; r < comm_size(comm); r++)
            sum += whole(r, p->begin + i, run->step[which]);
        if (!(p->sum[i] == sum))
            fail_msg("rank %d: step %d, element %lld is %g, not %g", comm_rank(comm),
                     run->step[which], (long long)(p->begin + i), (double)p->sum[i], (double)sum);
    }
    run->got[which] += p->len;
    dawdle(run); /* others are a step ahead, and must not write yet */
    for (int64_t i = 0; i<p->len; i += p->len> 1 ? p->len - 1 : 1) {
        real sum = 0;
        for (int r = 0; r < comm_size(comm); r++)
            sum += whole(r, p->begin + i, run->step[which]);
        assert_true(p->sum[i] == sum);
    }
}

static void end_if_done(struct run *run, int which) {
    if (!reducer_done(run->reducer[which]))
        return;
    reducer_progress(run->reducer[which]);
    assert_int_equal(run->got[which], LEN);
    run->active[which] = false;
}

static void arrived(struct run *run) {
    struct reducer_piece piece;

    for (int i = 0; i < N_REDUCERS; i++) {
        while (run->active[i] && reducer_poll(run->reducer[i], &piece))
            check_piece(run, i, &piece);
        if (run->active[i])
            end_if_done(run, i);
    }
}

/* Wait until elements from `begin` on have been summed. */
static void need(struct run *run, int64_t begin) {
    struct reducer_piece piece;

    for (int i = 0; i < N_REDUCERS; i++)
        while (run->active[i] && !reducer_returned(run->reducer[i], 0, begin, LEN - begin)) {
            if (reducer_next(run->reducer[i], &piece))
                check_piece(run, i, &piece);
            end_if_done(run, i);
        }
}

static void keep_moving(void *context) {
    struct run *run = context;

    for (int i = 0; i < N_REDUCERS; i++)
        if (run->active[i])
            reducer_progress(run->reducer[i]);
}

/* As the first of a normalisation over some ranks does. */
static void meet_some(int step) {
    struct comm *some = comm_split(comm, comm_rank(comm) / 2);
    double meets = step;

    comm_sum_doubles(some, &meets, 1);
    assert_true(meets == (double)step * comm_size(some));
    comm_free(some);
}

/* Forward needs what was summed, the first last, and meets other ranks in between; backward makes
 * gradients, the last first. */
static void one_step(struct run *run, int step) {
    const int which = step % 3 == 1;
    double meets = step;

    for (int64_t begin = 2 * LEN / 3; begin > 0; begin -= LEN / 3) {
        need(run, begin);
        dawdle(run);
        arrived(run);
        if (step % 20 == 2)
            meet_some(step);
        comm_sum_doubles(comm, &meets, 1);
        meets = step;
    }
    need(run, 0);
    assert_false(run->active[0] || run->active[1]);
    comm_sum_doubles(comm, &meets, 1);
    assert_true(meets == (double)step * comm_size(comm));
    for (int i = 0; i < N_REDUCERS; i++)
        reducer_wait_writable(run->reducer[i]);
    reducer_begin(run->reducer[which]);
    run->active[which] = true;
    run->step[which] = step;
    run->got[which] = 0;
    for (int64_t begin, end = LEN; end > 0; end = begin) {
        begin = end > PART ? end - PART : 0;
        for (int64_t i = begin; i < end; i++)
            run->gradient[i] = whole(comm_rank(comm), i, step);
        reducer_ready(run->reducer[which], 0, begin, end - begin);
        dawdle(run);
        if (begin % 2)
            arrived(run);
        else
            reducer_progress(run->reducer[which]);
    }
}

static void expect(struct reducer *r) {
    for (int64_t begin, end = LEN; end > 0; end = begin) {
        begin = end > PART ? end - PART : 0;
        reducer_expect(r, 0, begin, end - begin);
    }
}

/* With the algorithm, by a thread or not; sums wanted where gradients are or not. */
static void train(const struct applied *algorithm, const struct comm_shared *home, real *gradient,
                  bool by_thread, bool own) {
    const struct allreduce_vector span = {.v = gradient, .len = LEN, .home = home, .own = own};
    struct run run = {.gradient = gradient,
                      .key = rng_key(3, RNG_TEST, (uint64_t)comm_rank(comm), own)};
    struct mover *mover = NULL;
    struct err err = {0};

    if (by_thread && mover_new(&mover, comm, &err))
        fail_msg("%s", err.msg);
    for (int i = 0; i < N_REDUCERS; i++) {
        if (reducer_new(&run.reducer[i], comm, algorithm, &span, 1, BUCKET_BYTES, &err))
            fail_msg("%s", err.msg);
        expect(run.reducer[i]);
        if (by_thread && reducer_move_by(run.reducer[i], mover, &err))
            fail_msg("%s", err.msg);
    }
    comm_while_waiting(comm, keep_moving, &run);
    for (int step = 0; step < N_STEPS; step++)
        one_step(&run, step);
    need(&run, 0);
    comm_while_waiting(comm, NULL, NULL);
    mover_free(mover);
    for (int i = 0; i < N_REDUCERS; i++)
        reducer_free(run.reducer[i]);
}

static void no_rank_finds_what_is_of_another_step(void **state) {
    struct comm *host = comm_on_host(comm);
    struct comm_shared *shared = NULL;
    real *alone = calloc(LEN, sizeof *alone);
    struct err err = {0};
    const struct word *w;

    (void)state;
    if (comm_size(host) > 1 && !(shared = comm_shared_new(host, LEN * sizeof(real), &err)))
        fail_msg("%s", err.msg);
    real *gradient = shared ? comm_shared_of(shared, comm_rank(host)) : alone;
    for (int i = 0; (w = allreduce_word(i)); i++) {
        void *args = algorithm_args(w);
        const struct applied algorithm = {w, args};
        if (!comm_rank(comm))
            print_message("%s\n", w->name);
        for (int way = 0; way < 4; way++)
            train(&algorithm, shared, gradient, way % 2, way / 2);
        free(args);
    }
    free(alone);
    comm_shared_free(shared);
    comm_free(host);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(no_rank_finds_what_is_of_another_step),
};

MPI_MAIN(tests)
