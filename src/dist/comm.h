/* comm.h - the ranks of a job and what they say to each other. The only room's door to MPI:
 * nothing else includes mpi.h. An MPI failure in any function below ends the job, naming rank
 * and host, so that none of them returns an error unless it says so. Not thread-safe: only the
 * thread that called comm_new may call, unless comm_share_calls allows more. With one rank nothing
 * is communicated. */
#pragma once
#include "core/base/err.h"
#include "core/base/pulse.h"
#include "core/base/tensor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct comm;
struct comm_shared;

/* Exit code of a job that ended because the program contradicts itself (sysexits.h). */
enum { COMM_BUG = 70 };

/* Start MPI and meet the other ranks. Without mpirun or srun: a job of one rank.
 *   out         owned by the caller, ended by comm_free; set on errors too where MPI runs, so that
 *               one rank says the error before MPI ends
 *   argc, argv  as main got them; MPI may take arguments of its own out
 * Collective; once in a process.
 * Errors, the same on all ranks: ERR_USAGE when a launcher started more processes than MPI sees
 * (see launch.h), or where ranks pretend other numbers of hosts; ERR_IO when MPI has no support for
 * threads beside the one that communicates. */
int comm_new(struct comm **out, int *argc, char ***argv, struct err *err);

/* End MPI, or a part of a comm, before that. NULL is fine. Collective over its ranks. */
void comm_free(struct comm *comm);

/* This rank, in [0, size). Local. */
int comm_rank(const struct comm *comm);

/* Number of ranks of the job. Local. */
int comm_size(const struct comm *comm);

/* This rank among those on the same host, and their number; to share out processors. Local. */
int comm_local_rank(const struct comm *comm);
int comm_local_size(const struct comm *comm);

/* Name of the host this rank is on; borrowed. Local. */
const char *comm_host(const struct comm *comm);

/* Print "dltrain: rank R on HOST: message" on stderr and end all ranks with exit_code. Local. */
_Noreturn void comm_abort(const struct comm *comm, int exit_code, const char *message);

/* From now on this process ends by itself with exit_code: after so many seconds, or as soon as it
 * crashes. Local. */
void comm_end_within(unsigned seconds, int exit_code);

/* End all ranks with exit_code, from any thread, whatever the others do: by MPI, and where that
 * takes long or crashes, this process alone; whoever started the ranks ends the others. Local. */
_Noreturn void comm_end_all(int exit_code);

/* Returns when every rank has called it. Collective. */
void comm_barrier(struct comm *comm);

/* Copy data[bytes] of rank root into that of every rank; any size, also beyond 2 GiB.
 * Collective; bytes and root equal on all ranks. */
void comm_bcast(struct comm *comm, void *data, size_t bytes, int root);

/* all[size][bytes]: mine[bytes] of every rank in order of rank. Collective; for small messages. */
void comm_all_gather(struct comm *comm, const void *mine, void *all, size_t bytes);

/* Sum v[n] over ranks, in place; every rank gets the same bits, from the same order of additions in
 * every call. Collective; any n, made for small ones, which take some microseconds within a host
 * and log2 of the number of hosts messages between them. */
void comm_sum_doubles(struct comm *comm, double *v, int n);

/* Likewise, but of the n_max numbers behind the n_sums the largest of all ranks. */
void comm_sum_and_max(struct comm *comm, double *v, int n_sums, int n_max);

/* The largest of all ranks' v. Collective. */
double comm_max_double(struct comm *comm, double v);

/* Call idle(context) again and again while comm_sum_doubles waits for others, of this comm or a
 * part of it; NULL: nobody. It may test messages, and must not wait. Local. */
void comm_while_waiting(struct comm *comm, void (*idle)(void *context), void *context);

/* From now on the calls above, of this comm and of its parts, say that they wait; to a pulse that
 * is borrowed until it is another. NULL: nobody looks. Local. */
void comm_say_to(struct comm *comm, struct pulse *pulse);
struct pulse *comm_pulse(const struct comm *comm);

/* Seconds that this rank has spent in the calls above, and in them of parts of the comm: waiting
 * for others, mostly; not what was done while waiting. Local. */
double comm_waited(const struct comm *comm);

/* A message on its way, which stays where it is until it has arrived. {0} is one that has. */
struct comm_request {
    bool active;
};

/* Send data[bytes], borrowed and not to be written before comm_test says so. Messages of one
 * tag from one rank arrive in the order sent. bytes < 2 GiB. Local. */
void comm_isend(struct comm *comm, const void *data, size_t bytes, int to, int tag,
                struct comm_request *request);

/* Receive exactly bytes into data, borrowed and not to be read before comm_test says so. Local. */
void comm_irecv(struct comm *comm, void *data, size_t bytes, int from, int tag,
                struct comm_request *request);

/* Whether the message has left (or arrived). Lets MPI do its work on all messages, but not more
 * often than every other microsecond: for many messages at once it is cheap. Local. */
bool comm_test(struct comm *comm, struct comm_request *request);

/* From now on another thread may call comm_isend, comm_irecv, comm_isum and comm_test, of messages
 * of its own, beside the first: one at a time calls MPI. Local. Errors: ERR_CONFIG where the MPI
 * library does not allow it. */
int comm_share_calls(struct comm *comm, struct err *err);

/* How often MPI was called for messages so far. Local. */
int64_t comm_n_calls(const struct comm *comm);

/* The first of n tags that nobody else uses. Local, but all ranks must call it in the same order.
 * Errors: ERR_IO when MPI has not so many tags. */
int comm_take_tags(struct comm *comm, int n, int *first, struct err *err);

/* The ranks that gave the same colour, in their order, as a comm of their own, owned by the caller;
 * NULL where it is below 0. Its tags are its own. Collective over comm. */
struct comm *comm_split(struct comm *comm, int colour);

/* Likewise the ranks on this host; and the first rank of each host, NULL on all others. Of the comm
 * that comm_new gave. The variable DLTRAIN_HOSTS of the environment pretends that the ranks are on
 * so many hosts, in blocks, for tests. */
struct comm *comm_on_host(struct comm *comm);
struct comm *comm_leaders(struct comm *comm);

/* Bytes that processors exchange at a time: memory that ranks share begins with such a line. */
enum { COMM_LINE = 64 };

/* Memory that all ranks of a host read and write: `bytes` of each, zeroed, at a line of its own.
 *   host  a comm of ranks of one host; borrowed
 * Collective over host. NULL, on all of its ranks, with err (ERR_IO) where there is not so much. */
struct comm_shared *comm_shared_new(struct comm *host, size_t bytes, struct err *err);

/* Likewise, but of rank 0 alone and with whatever is in it: what nobody writes to takes no memory.
 * Errors: also where /dev/shm has not so much left, which is looked for, as MPI may wait forever.
 */
struct comm_shared *comm_shared_reserve(struct comm *host, size_t bytes, struct err *err);

/* That of one rank, where this one sees it. Local. */
void *comm_shared_of(const struct comm_shared *shared, int rank);

/* NULL is fine. Collective over host. */
void comm_shared_free(struct comm_shared *shared);

/* Begin MPI's own sum of v[len] over all ranks, in place; borrowed until comm_test says that it is
 * done. All ranks start those of one comm in the same order. Local. */
void comm_isum(struct comm *comm, real *v, int64_t len, struct comm_request *request);

/* The MPI library, in its own words, and the standard that it follows, "3.1". May be called before
 * comm_new. Local. */
enum { COMM_TEXT = 256 };
void comm_library(char library[COMM_TEXT], char standard[COMM_TEXT]);
