#include "dist/comm.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "dist/agree.h"
#include "dist/comm_mpi.h"
#include "dist/launch.h"
#include "dist/same.h"
#include "dist/small.h"
#include "dist/spin.h"
#include "dist/start.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a comm and its parts have in common. */
struct comm_common {
    struct comm_messages *messages;
    struct comm_names *names;
    double waited_s; /* in blocking calls */
    void (*idle)(void *context);
    void *idle_context;
    double idle_s;       /* in idle */
    struct pulse *pulse; /* NULL: nobody looks */
    int level;           /* of threads, that MPI provides */
    bool shares_calls;
    pthread_mutex_t calls;
};

struct comm {
    MPI_Comm world; /* a duplicate: tags and collectives of our own */
    struct comm_common *common;
    struct small *small; /* for sums of a few numbers; NULL before the first */
    int rank, size;
    int local_rank, local_size;
    int first_local; /* rank of the first on this host, of all that MPI started */
    int n_tags, next_tag;
    int n_hosts; /* that each host pretends to be */
    bool part;   /* of another comm, which started MPI */
    char host[MPI_MAX_PROCESSOR_NAME];
};

enum {
    CHUNK = 1 << 30,    /* bytes; MPI counts in int */
    SMALL_BYTES = 65536 /* what MPI may send by its simplest means */
};

/* What Open MPI takes while it starts, with the libraries that it loads, and room beside. */
enum { START_MIB = 256 };

void comm_abort(const struct comm *comm, int exit_code, const char *message) {
    char line[2048]; /* one write, so that lines of several ranks do not mix */

    snprintf(line, sizeof line, "dltrain: rank %d on %s: %s\n", comm->rank, comm->host, message);
    fputs(line, stderr);
    fflush(stderr);
    comm_end_all(
        exit_code); /* its file must be linked wherever this one is: it has memory_end, too */
}

/* End the job unless rc says success. */
static void check(const struct comm *comm, int rc, const char *what) {
    char reason[MPI_MAX_ERROR_STRING] = "", message[MPI_MAX_ERROR_STRING + 128];
    int len;

    if (rc == MPI_SUCCESS)
        return;
    MPI_Error_string(rc, reason, &len);
    snprintf(message, sizeof message, "%s failed: %s", what, reason);
    comm_abort(comm, ERR_IO, message);
}

void comm_check(const struct comm *comm, int rc, const char *what) {
    check(comm, rc, what);
}

MPI_Comm comm_mpi(const struct comm *comm) {
    return comm->world;
}

struct comm_messages *comm_messages_of(const struct comm *comm) {
    return comm->common->messages;
}

double comm_waited(const struct comm *comm) {
    return comm->common->waited_s;
}

int comm_share_calls(struct comm *comm, struct err *err) {
    if (comm->common->level < MPI_THREAD_SERIALIZED)
        return err_set(err, ERR_CONFIG,
                       "this MPI library lets only one thread call it: it gives level %d, a second "
                       "one needs MPI_THREAD_SERIALIZED; use [dist] progress = operators",
                       comm->common->level);
    comm->common->shares_calls = true;
    return 0;
}

void comm_enter(const struct comm *comm) {
    if (comm->common->shares_calls)
        pthread_mutex_lock(&comm->common->calls);
}

void comm_leave(const struct comm *comm) {
    if (comm->common->shares_calls)
        pthread_mutex_unlock(&comm->common->calls);
}

void comm_while_waiting(struct comm *comm, void (*idle)(void *context), void *context) {
    comm->common->idle = idle;
    comm->common->idle_context = context;
}

void comm_idle(struct comm *comm) {
    struct comm_common *common = comm->common;

    if (!common->idle)
        return;
    const double began = clock_now();
    common->idle(common->idle_context);
    common->idle_s += clock_now() - began;
}

void comm_say_to(struct comm *comm, struct pulse *pulse) {
    comm->common->pulse = pulse;
}

struct pulse *comm_pulse(const struct comm *comm) {
    return comm->common->pulse;
}

/* A call that waits for others. */
struct waiting {
    struct pulse_beat was;
    double began;
};

static struct waiting begin_wait(const struct comm *comm) {
    return (struct waiting){pulse_pause(comm->common->pulse, PULSE_SUM), clock_now()};
}

static void end_wait(struct comm *comm, const struct waiting *w) {
    comm->common->waited_s += clock_now() - w->began;
    pulse_resume(comm->common->pulse, &w->was);
}

/* The ranks that share this host; or a pretended one, where there are as many in blocks of ranks.
 */
static MPI_Comm split_by_host(const struct comm *comm) {
    MPI_Comm host, part;

    check(comm,
          MPI_Comm_split_type(comm->world, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &host),
          "MPI_Comm_split_type");
    if (comm->n_hosts < 2)
        return host;
    const int block = (int)((int64_t)comm->rank * comm->n_hosts / comm->size);
    check(comm, MPI_Comm_split(host, block, comm->rank, &part), "MPI_Comm_split");
    MPI_Comm_free(&host);
    return part;
}

/* A world of our own, how many tags there are, and what this host is called. */
static void enter_world(struct comm *comm) {
    int len, found, *limit;

    MPI_Comm_rank(MPI_COMM_WORLD, &comm->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &comm->size);
    check(comm, MPI_Get_processor_name(comm->host, &len), "MPI_Get_processor_name");
    check(comm, MPI_Comm_dup(MPI_COMM_WORLD, &comm->world), "MPI_Comm_dup");
    check(comm, MPI_Comm_get_attr(comm->world, MPI_TAG_UB, &limit, &found), "MPI_Comm_get_attr");
    comm->n_tags = found ? *limit : 32767; /* the least that the MPI standard allows */
}

/* Which ranks share this host. */
static void look_around(struct comm *comm) {
    MPI_Comm local = split_by_host(comm);

    MPI_Comm_rank(local, &comm->local_rank);
    MPI_Comm_size(local, &comm->local_size);
    comm->first_local = comm->rank;
    check(comm, MPI_Bcast(&comm->first_local, 1, MPI_INT, 0, local), "MPI_Bcast");
    MPI_Comm_free(&local);
}

/* What the launchers of all ranks say. Hosts are pretended everywhere or nowhere: some ranks would
 * wait for the others to split. */
static int check_launch(struct comm *comm, struct err *err) {
    struct same list = {0};
    int n_hosts = 1;
    int rc = launch_check(getenv, comm->size, err) || launch_hosts(getenv, &n_hosts, err);

    if (agree(comm, rc, err))
        return -1;
    same_add(&list, "DLTRAIN_HOSTS", "%d", n_hosts);
    rc = same_check(comm, &list, ERR_USAGE, "set it for all ranks or for none", err);
    same_release(&list);
    comm->n_hosts = n_hosts;
    return rc;
}

int comm_new(struct comm **out, int *argc, char ***argv, struct err *err) {
    int provided;

    /* Libraries that MPI loads crash or hang without memory. */
    if (start_probe(err) || memory_probe((size_t)START_MIB << 20, "MPI", err))
        return -1;
    launch_tune();
    if (MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS)
        return err_set(err, ERR_IO, "MPI does not start");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (provided < MPI_THREAD_FUNNELED) {
        MPI_Finalize();
        return err_set(err, ERR_IO,
                       "this MPI library does not allow threads: it gives level %d, dltrain needs "
                       "MPI_THREAD_FUNNELED",
                       provided);
    }
    struct comm *comm = calloc(1, sizeof *comm);
    struct comm_common *common = calloc(1, sizeof *common);
    if (!comm || !common || !(common->messages = comm_messages_new())) {
        fputs("dltrain: out of memory\n", stderr);
        MPI_Abort(MPI_COMM_WORLD, ERR_IO); /* the other ranks would wait for this one */
        abort();
    }
    *out = comm;
    comm->common = common;
    common->level = provided;
    pthread_mutex_init(&common->calls, NULL);
    enter_world(comm);
    if (check_launch(comm, err))
        return -1;
    common->names = comm_names_forget(comm->world);
    look_around(comm);
    return 0;
}

void comm_free(struct comm *comm) {
    if (!comm)
        return;
    small_free(comm->small);
    comm_enter(comm);
    if (!comm->part) {
        comm_names_restore(comm->common->names);
        MPI_Barrier(comm->world);
    }
    MPI_Comm_free(&comm->world);
    comm_leave(comm);
    if (!comm->part) {
        MPI_Finalize();
        comm_messages_free(comm->common->messages);
        pthread_mutex_destroy(&comm->common->calls);
        free(comm->common);
    }
    free(comm);
}

int comm_rank(const struct comm *comm) {
    return comm->rank;
}

int comm_size(const struct comm *comm) {
    return comm->size;
}

int comm_local_rank(const struct comm *comm) {
    return comm->local_rank;
}

int comm_local_size(const struct comm *comm) {
    return comm->local_size;
}

const char *comm_host(const struct comm *comm) {
    return comm->host;
}

/* Wait for a call that others take part in. MPI spins where it waits by itself, MPICH without ever
 * letting others have the processor: then each message of more ranks than cores takes a time slice.
 */
static void finish(const struct comm *comm, MPI_Request *request, const char *what) {
    int done = 0, spins = 0;

    for (;;) {
        check(comm, MPI_Test(request, &done, MPI_STATUS_IGNORE), what);
        if (done)
            return;
        spin(&spins);
    }
}

static void meet(const struct comm *comm) {
    MPI_Request request;

    check(comm, MPI_Ibarrier(comm->world, &request), "MPI_Ibarrier");
    finish(comm, &request, "MPI_Ibarrier");
}

void comm_barrier(struct comm *comm) {
    const struct waiting wait = begin_wait(comm);

    comm_enter(comm);
    if (comm->size > 1)
        meet(comm);
    comm_leave(comm);
    end_wait(comm, &wait);
}

void comm_bcast(struct comm *comm, void *data, size_t bytes, int root) {
    char *p = data;

    if (comm->size == 1)
        return;
    const struct waiting wait = begin_wait(comm);
    comm_enter(comm);
    if (bytes <= SMALL_BYTES) {
        MPI_Request request;
        check(comm, MPI_Ibcast(p, (int)bytes, MPI_BYTE, root, comm->world, &request), "MPI_Ibcast");
        finish(comm, &request, "MPI_Ibcast");
        bytes = 0;
    } else {
        meet(comm); /* then nobody waits long */
    }
    while (bytes > 0) {
        const size_t n = bytes < CHUNK ? bytes : CHUNK;
        check(comm, MPI_Bcast(p, (int)n, MPI_BYTE, root, comm->world), "MPI_Bcast");
        p += n;
        bytes -= n;
    }
    comm_leave(comm);
    end_wait(comm, &wait);
}

void comm_all_gather(struct comm *comm, const void *mine, void *all, size_t bytes) {
    MPI_Request request;

    if (comm->size == 1) {
        memcpy(all, mine, bytes);
        return;
    }
    const struct waiting wait = begin_wait(comm);
    comm_enter(comm);
    check(comm,
          MPI_Iallgather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, comm->world,
                         &request),
          "MPI_Iallgather");
    finish(comm, &request, "MPI_Iallgather");
    comm_leave(comm);
    end_wait(comm, &wait);
}

void comm_sum_and_max(struct comm *comm, double *v, int n_sums, int n_max) {
    if (comm->size == 1)
        return;
    if (!comm->small)
        comm->small = small_new(comm, comm->first_local);
    struct waiting wait = begin_wait(comm);
    const double idle_before = comm->common->idle_s;
    small_sum(comm->small, v, n_sums + n_max, n_max);
    wait.began += comm->common->idle_s - idle_before;
    end_wait(comm, &wait);
}

void comm_sum_doubles(struct comm *comm, double *v, int n) {
    comm_sum_and_max(comm, v, n, 0);
}

double comm_max_double(struct comm *comm, double v) {
    const struct waiting wait = begin_wait(comm);
    double max = v;

    comm_enter(comm);
    if (comm->size > 1) {
        MPI_Request request;
        check(comm, MPI_Iallreduce(&v, &max, 1, MPI_DOUBLE, MPI_MAX, comm->world, &request),
              "MPI_Iallreduce");
        finish(comm, &request, "MPI_Iallreduce");
    }
    comm_leave(comm);
    end_wait(comm, &wait);
    return max;
}

int comm_take_tags(struct comm *comm, int n, int *first, struct err *err) {
    if (n > comm->n_tags - comm->next_tag)
        return err_set(
            err, ERR_IO,
            "this MPI library has %d message tags, %d of them in use; %d more are needed "
            "(larger buckets need fewer)",
            comm->n_tags, comm->next_tag, n);
    *first = comm->next_tag;
    comm->next_tag += n;
    return 0;
}

/* Those of `whole` that MPI put together with this rank. */
static struct comm *part_of(struct comm *whole, MPI_Comm part) {
    struct comm *comm = malloc(sizeof *comm);

    if (!comm)
        comm_abort(whole, ERR_IO, "out of memory");
    *comm = *whole;
    comm->world = part;
    comm->part = true;
    comm->small = NULL;
    comm->next_tag = 0;
    MPI_Comm_rank(part, &comm->rank);
    MPI_Comm_size(part, &comm->size);
    return comm;
}

struct comm *comm_split(struct comm *comm, int colour) {
    const struct waiting wait = begin_wait(comm);
    MPI_Comm part;

    comm_enter(comm);
    check(comm, MPI_Comm_split(comm->world, colour < 0 ? MPI_UNDEFINED : colour, comm->rank, &part),
          "MPI_Comm_split");
    comm_leave(comm);
    end_wait(comm, &wait);
    return part == MPI_COMM_NULL ? NULL : part_of(comm, part);
}

struct comm *comm_on_host(struct comm *comm) {
    const struct waiting wait = begin_wait(comm);

    comm_enter(comm);
    const MPI_Comm host = split_by_host(comm);
    comm_leave(comm);
    end_wait(comm, &wait);
    return part_of(comm, host);
}

struct comm *comm_leaders(struct comm *comm) {
    return comm_split(comm, comm->local_rank == 0 ? 0 : -1);
}
