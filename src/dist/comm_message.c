/* Messages that are under way while the caller computes. MPI moves them only while it is called,
 * and a call that finds nothing costs as much as one that does: whoever asks about a message asks
 * MPI about all of them at once, and not again within some microseconds. */
#include "core/base/clock.h"
#include "dist/comm_mpi.h"

#include <stdlib.h>

/* Between two questions: less than a message takes between hosts. Who waits for one or two does not
 * wait for that. */
static const double patience_s = 2e-6;
enum { FEW = 4 };

struct comm_messages {
    MPI_Request *mpi;              /* [n] */
    struct comm_request **request; /* [n] whose they are */
    int *done;                     /* room for MPI's answer: */
    MPI_Status *status; /* not MPI_STATUSES_IGNORE, which gcc takes for an array in MPICH */
    int n, room;
    double asked; /* when MPI was last asked */
    int64_t n_calls;
};

struct comm_messages *comm_messages_new(void) {
    return calloc(1, sizeof(struct comm_messages));
}

void comm_messages_free(struct comm_messages *m) {
    if (!m)
        return;
    free(m->mpi);
    free(m->request);
    free(m->done);
    free(m->status);
    free(m);
}

/* Room for one more; there is after the first steps. */
static void grow(const struct comm *comm, struct comm_messages *m) {
    const int room = m->room ? 2 * m->room : 64;
    MPI_Request *mpi = realloc(m->mpi, (size_t)room * sizeof(MPI_Request));
    struct comm_request **request =
        mpi ? realloc(m->request, (size_t)room * sizeof(struct comm_request *)) : NULL;
    int *done = request ? realloc(m->done, (size_t)room * sizeof *done) : NULL;
    MPI_Status *status = done ? realloc(m->status, (size_t)room * sizeof *status) : NULL;

    if (!status)
        comm_abort(comm, ERR_IO, "out of memory");
    m->mpi = mpi, m->request = request, m->done = done, m->status = status;
    m->room = room;
}

/* Where MPI puts its handle of a new message. Between comm_enter and comm_leave. */
static MPI_Request *add(const struct comm *comm, struct comm_request *request) {
    struct comm_messages *m = comm_messages_of(comm);

    if (m->n == m->room)
        grow(comm, m);
    request->active = true;
    m->request[m->n] = request;
    m->n_calls++;
    return &m->mpi[m->n++];
}

void comm_isend(struct comm *comm, const void *data, size_t bytes, int to, int tag,
                struct comm_request *request) {
    comm_enter(comm);
    comm_check(comm,
               MPI_Isend(data, (int)bytes, MPI_BYTE, to, tag, comm_mpi(comm), add(comm, request)),
               "MPI_Isend");
    comm_leave(comm);
}

void comm_irecv(struct comm *comm, void *data, size_t bytes, int from, int tag,
                struct comm_request *request) {
    comm_enter(comm);
    comm_check(comm,
               MPI_Irecv(data, (int)bytes, MPI_BYTE, from, tag, comm_mpi(comm), add(comm, request)),
               "MPI_Irecv");
    comm_leave(comm);
}

void comm_isum(struct comm *comm, real *v, int64_t len, struct comm_request *request) {
    const MPI_Datatype type = sizeof(real) == sizeof(float) ? MPI_FLOAT : MPI_DOUBLE;

    comm_enter(comm);
    comm_check(comm,
               MPI_Iallreduce(MPI_IN_PLACE, v, (int)len, type, MPI_SUM, comm_mpi(comm),
                              add(comm, request)),
               "MPI_Iallreduce");
    comm_leave(comm);
}

/* Those that have arrived leave the list. */
static void leave(struct comm_messages *m, int n_done) {
    int n = 0;

    for (int i = 0; i < n_done; i++) {
        m->request[m->done[i]]->active = false;
        m->request[m->done[i]] = NULL;
    }
    for (int i = 0; i < m->n; i++)
        if (m->request[i])
            m->request[n] = m->request[i], m->mpi[n++] = m->mpi[i];
    m->n = n;
}

static void ask(const struct comm *comm, struct comm_messages *m) {
    const double now = clock_now();
    int n_done;

    if (m->n > FEW && now - m->asked < patience_s)
        return;
    m->asked = now;
    m->n_calls++;
    comm_check(comm, MPI_Testsome(m->n, m->mpi, &n_done, m->done, m->status),
               "a message between ranks");
    if (n_done > 0)
        leave(m, n_done);
}

bool comm_test(struct comm *comm, struct comm_request *request) {
    comm_enter(comm);
    if (request->active)
        ask(comm, comm_messages_of(comm));
    const bool arrived = !request->active;
    comm_leave(comm);
    return arrived;
}

int64_t comm_n_calls(const struct comm *comm) {
    comm_enter(comm);
    const int64_t n = comm_messages_of(comm)->n_calls;
    comm_leave(comm);
    return n;
}
