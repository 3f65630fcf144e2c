/* trainer_watch.c - a run in which a rank is stuck: who it is, and who waits for it. */
#include "dist/agree.h"
#include "train/fault_states.h"
#include "train/trainer_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "layer1.0.conv1"; "" where the beat says no operator. */
static const char *operator_of(const struct trainer *t, const struct pulse_beat *beat) {
    const char *name =
        atomic_load(&t->named) ? fault_node(&t->names, beat->which, beat->node) : NULL;

    return name ? name : "";
}

static void name(void *context, const struct pulse_beat *beat, char text[WATCHDOG_TEXT]) {
    snprintf(text, WATCHDOG_TEXT, "%s", operator_of(context, beat));
}

static const struct watchdog_rank *find(const struct watchdog_stall *stall, int rank) {
    for (int i = 0; i < stall->n; i++)
        if (stall->rank[i].rank == rank)
            return &stall->rank[i];
    return stall->rank;
}

/* A page in the folder; returns where it is, "" where it cannot be written. */
static const char *write_page(struct trainer *t, const struct watchdog_stall *stall,
                              const char *message, const char *const *line, int n_lines,
                              struct pool *pool) {
    const struct watchdog_rank *guilty = find(stall, stall->guilty);
    const struct pulse_beat *beat = &guilty->beat[PULSE_MAIN];
    const bool named = atomic_load(&t->named) && beat->which >= 0;
    char *where = pool_take(pool, FAULT_PATH);
    const struct fault fault = {
        .kind = FAULT_STALL,
        .message = message,
        .rank = stall->guilty,
        .size = comm_size(t->comm),
        .host = guilty->host,
        .step = beat->step + 1,
        .which = named && beat->which < t->names.n_steps ? t->names.step[beat->which] : "",
        .phase = pulse_name((enum pulse_phase)beat->phase),
        .node = operator_of(t, beat),
        .bucket = beat->bucket + 1,
        .line = line,
        .n_lines = n_lines,
        .names = atomic_load(&t->named) ? &t->names : NULL,
        .ranks = stall->rank,
        .n_ranks = stall->n,
    };

    if (!atomic_load(&t->locked) && !comm_rank(t->comm)) /* the folder is not this run's yet */
        return "";
    fault_write(t->folder.path, &fault, where);
    return where;
}

/* In one piece, and not by stdio, whose lock a stuck thread may hold. */
static void say(const char *text) {
    size_t left = strlen(text);

    while (left > 0) {
        const ssize_t n = write(STDERR_FILENO, text, left);
        if (n <= 0)
            return;
        text += n, left -= (size_t)n;
    }
}

static void stalled(void *context, const struct watchdog_stall *stall) {
    struct trainer *t = context;
    const struct watchdog_rank *guilty = find(stall, stall->guilty);
    const char *line[FAULT_STATES], *text = "";
    struct pool pool = {0};

    const char *message =
        pool_print(&pool, "rank %d on %s: %s", stall->guilty,
                   guilty->host[0] ? guilty->host : "a host that was never heard", stall->why);
    const int n = fault_states(stall->rank, stall->n, stall->guilty,
                               atomic_load(&t->named) ? &t->names : NULL, line, &pool);
    for (int i = 0; i < n; i++)
        text = pool_print(&pool, "%s  %s\n", text, line[i]);
    const char *page = write_page(t, stall, message, line, n, &pool);
    say(pool_print(&pool,
                   "%sdltrain: %s; the job ends, the last checkpoint is kept, --resume goes on%s%s"
                   "\n",
                   text, message, page[0] ? "; see " : "", page));
    pool_release(&pool);
}

/* The next start finds the folder free. */
static void leave(void *context) {
    struct trainer *t = context;

    atomic_store(&t->leaves, true);
    if (atomic_load(&t->locked))
        lock_drop(&t->folder.lock);
}

int trainer_watch(struct trainer *t, struct err *err) {
    const struct watchdog_config config = {.timeout_s = t->job->timeout_s,
                                           .pulse = t->pulse,
                                           .name = name,
                                           .stalled = stalled,
                                           .leave = leave,
                                           .context = t};

    if (agree(t->comm, t->pulse ? 0 : err_set(err, ERR_IO, "no memory for a pulse"), err) ||
        watchdog_new(&t->watchdog, t->comm, &config, err))
        return -1;
    if (watchdog_trouble(t->watchdog))
        sinks_warn(t->sinks, "each rank watches itself alone: %s; see [dist] timeout",
                   watchdog_trouble(t->watchdog));
    return 0;
}

void trainer_unwatch(struct trainer *t) {
    watchdog_free(t->watchdog);
    t->watchdog = NULL;
}
