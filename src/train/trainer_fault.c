/* trainer_fault.c - why a run ended before its time, on a page in its folder: by whom what is not
 * finite began, and what else there is to know. */
#include "dist/agree.h"
#include "train/crash.h"
#include "train/culprit.h"
#include "train/fault_state.h"
#include "train/trainer_parts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A step that is computed again. */
struct fault_search {
    struct trainer *t;
    struct pool pool;
    const struct step_fault *step;
    struct feed_batch batch;
    struct probe_config probe;
    struct probe_hit hit;
    double *totals; /* nan: backward was not come to */
};

/* How all ranks are, of those that answer soon. */
static void ask_ranks(struct trainer *t, struct fault *f, struct pool *pool) {
    const double patience_s = 2;
    struct watchdog_rank *all = pool_take(pool, (size_t)comm_size(t->comm) * sizeof *all);

    if (watchdog_collect(t->watchdog, patience_s, all) > 0) {
        f->ranks = all;
        f->n_ranks = comm_size(t->comm);
    }
}

static const char *path_of(struct fault_search *s, const char *name) {
    return pool_print(&s->pool, "%s/%s", s->t->folder.path, name);
}

/* All ranks hear of the fault that the lowest of them has seen. False: none has. Collective. */
static bool agree_on_step(struct trainer *t) {
    struct step_fault *f = &t->stepper.fault;
    const int size = comm_size(t->comm);
    const bool here = f->of && (f->here || f->of != STEP_LOSS);
    const int lowest = size - (int)comm_max_double(t->comm, f->of ? size - comm_rank(t->comm) : 0);
    struct step_fault said = *f;

    if (lowest == size)
        return false;
    comm_bcast(t->comm, &said, sizeof said, lowest);
    said.here = here;
    said.moved = comm_max_double(t->comm, f->moved) > 0;
    *f = said;
    return true;
}

/* The same samples, as they are read: nothing is read ahead then, and names can be. Collective. */
static int read_again(struct fault_search *s, struct err *err) {
    struct feed *feed = &s->t->data.train;

    feed_seek(feed, s->step->step, s->step->step + 1);
    return agree(s->t->comm, feed_next(feed, &s->batch, err), err);
}

static int compute_again(struct fault_search *s, struct err *err) {
    struct trainer *t = s->t;
    struct probe_cut *cut;
    const int which = s->step->which, n_leaves = t->replica.step[which].plan->n_leaves;

    s->totals = pool_take(&s->pool, (size_t)(n_leaves + 1) * sizeof *s->totals);
    s->totals[0] = -1;
    s->probe = (struct probe_config){.replica = &t->replica,
                                     .comm = t->comm,
                                     .which = which,
                                     .seed = t->job->seed,
                                     .step = s->step->step,
                                     .batch = &s->batch,
                                     .found_totals = s->totals};
    s->probe.n_cuts = stepper_cuts(&t->stepper, which, &s->batch, &s->pool, &cut);
    s->probe.cut = cut;
    return probe_run(&s->probe, &s->hit, err);
}

/* The lowest rank that found it; else that whose own loss was none; else the first. Collective. */
static int find_teller(struct fault_search *s) {
    struct comm *comm = s->t->comm;
    const int rank = comm_rank(comm), size = comm_size(comm);
    const int found = size - (int)comm_max_double(comm, s->hit.found ? size - rank : 0);
    const int seen = size - (int)comm_max_double(comm, s->step->here ? size - rank : 0);

    return found < size ? found : seen < size ? seen : 0;
}

static const char **name_batch(struct fault_search *s) {
    struct dataset *ds = s->t->data.train.dataset;
    const char **name = pool_take(&s->pool, (size_t)(s->batch.data.n + 1) * sizeof *name);
    char text[DATASET_ROW_TEXT];

    for (int64_t i = 0; i < s->batch.data.n; i++) {
        const int64_t row = loader_batch_row(&s->batch.data, 0, i);
        name[i] = pool_print(&s->pool, "%s", dataset_row_text(ds, 0, row, text));
    }
    return name;
}

/* What cannot be written is said on the page. */
static const char *write_state(struct fault_search *s, const struct culprit *c) {
    struct trainer *t = s->t;
    const struct fault_state state = {.identity = &t->identity,
                                      .replica = &t->replica,
                                      .progress = &t->progress,
                                      .probe = &s->probe,
                                      .totals = s->totals[0] < 0 ? NULL : s->totals,
                                      .rank = comm_rank(t->comm),
                                      .size = comm_size(t->comm),
                                      .host = comm_host(t->comm),
                                      .exact = !s->step->moved,
                                      .message = c->fault.message,
                                      .node = c->fault.node ? c->fault.node : "",
                                      .sample = name_batch(s)};
    const char *file = path_of(s, "fault.h5");
    struct err err = {0};

    if (!access(path_of(s, "fault.txt"), F_OK))
        return "";
    if (fault_state_write(file, &state, &err))
        return pool_print(&s->pool, "The step cannot be computed again later: %s.", err.msg);
    return pool_print(&s->pool, "Samples and weights of the step are in %s.", file);
}

/* Behind the message: where it began, and where more is said. */
static void add(struct err *err, const char *text) {
    const size_t len = strlen(err->msg);

    if (text[0])
        snprintf(err->msg + len, sizeof err->msg - len, "; %s", text);
}

/* Ranks word an error with their number and host: "rank 3 on node2: ..." Where it is another that
 * began, only that one is named. */
static void forget_rank(struct err *err) {
    const char *at = strstr(err->msg, ": ");

    if (!strncmp(err->msg, "rank ", strlen("rank ")) && at)
        memmove(err->msg, at + 2, strlen(at + 2) + 1);
}

static void tell(struct fault_search *s, struct err *err) {
    struct trainer *t = s->t;
    const struct step_fault *f = s->step;
    const struct culprit_case about = {.replica = &t->replica,
                                       .feed = &t->data.train,
                                       .batch = &s->batch,
                                       .fault = f,
                                       .hit = &s->hit,
                                       .losses = &t->losses[f->which],
                                       .lr = t->stepper.update[f->which].lr,
                                       .is_first = f->step == t->first_step,
                                       .size = comm_size(t->comm)};
    struct culprit c;
    char where[FAULT_PATH];

    culprit_find(&c, &about, &s->pool);
    if (c.said[0] && comm_size(t->comm) > 1) {
        forget_rank(err);
        c.said = pool_print(&s->pool, "%s on rank %d on %s", c.said, comm_rank(t->comm),
                            comm_host(t->comm));
    }
    add(err, c.said);
    c.fault.message = pool_print(&s->pool, "%s", err->msg);
    c.fault.rank = comm_rank(t->comm);
    c.fault.host = comm_host(t->comm);
    c.fault.names = &t->names;
    ask_ranks(t, &c.fault, &s->pool);
    if (c.fault.n_lines < CULPRIT_LINES)
        c.line[c.fault.n_lines++] = write_state(s, &c);
    if (fault_write(t->folder.path, &c.fault, where) >= 0)
        add(err, pool_print(&s->pool, "see %s", where));
}

/* Gradients may be seen only after the next forward. */
static void forget_later(struct culprit_losses *losses, int64_t n_steps) {
    if (n_steps > 0 && n_steps < losses->n)
        losses->n -= (int)n_steps;
}

/* Collective. */
static void tell_not_finite(struct trainer *t, struct err *err) {
    struct fault_search s = {.t = t, .step = &t->stepper.fault};
    struct err again = {0};

    forget_later(&t->losses[s.step->which], t->progress.step - s.step->step - 1);
    if (s.step->of == STEP_LOSS)
        culprit_losses_add(&t->losses[s.step->which], s.step->value);
    if (!read_again(&s, &again) && !compute_again(&s, &again)) {
        const int teller = find_teller(&s);
        if (comm_rank(t->comm) == teller)
            tell(&s, err);
        comm_bcast(t->comm, err, sizeof *err, teller);
    } else {
        add(err, pool_print(&s.pool, "it cannot be computed again: %s", again.msg));
    }
    pool_release(&s.pool);
}

/* "weights of model, fc.weight", of replicas that differ in it; NULL: they do not, or nobody knows.
 */
static const char *unlike_tensor(const struct trainer *t, struct pool *pool) {
    const struct audit_item *item = t->unlike ? t->alike.differs : NULL;

    if (!item)
        return NULL;
    return item->tensor ? pool_print(pool, "%s, %s", item->span, item->tensor) : item->span;
}

/* On rank 0: what all know; but nothing in a folder that somebody else has now. */
static void tell_other(struct trainer *t, struct err *err) {
    if (t->folder.lost)
        return;
    struct pool pool = {0};
    const char *weight = err->kind == ERR_DATA ? culprit_weight(&t->replica, &pool) : NULL;
    const char *line = weight ? pool_print(&pool, "%s.", weight) : NULL;
    struct fault f = {.kind = t->unlike               ? FAULT_UNLIKE
                              : weight                ? FAULT_NOT_FINITE
                              : err->kind == ERR_DATA ? FAULT_DATA
                                                      : FAULT_IO,
                      .message = pool_print(&pool, "%s", err->msg),
                      .rank = err->of_rank - 1,
                      .host = err->of_rank ? t->places->rank[err->of_rank - 1].host : NULL,
                      .size = comm_size(t->comm),
                      .step = t->progress.step + !(t->unlike || weight),
                      .tensor = unlike_tensor(t, &pool),
                      .line = &line,
                      .n_lines = weight != NULL,
                      .names = &t->names};
    char where[FAULT_PATH];

    ask_ranks(t, &f, &pool);
    if (fault_write(t->folder.path, &f, where) >= 0)
        add(err, pool_print(&pool, "see %s", where));
    pool_release(&pool);
}

void trainer_tell_fault(struct trainer *t, struct err *err) {
    if (err->kind == ERR_STOPPED || err->kind == ERR_CONFIG)
        return;
    if (agree_on_step(t))
        tell_not_finite(t, err);
    else if (comm_rank(t->comm) == 0)
        tell_other(t, err);
}

void trainer_watch_crashes(const struct trainer *t, const char *folder) {
    crash_watch(&(struct crash_place){.folder = folder,
                                      .rank = comm_rank(t->comm),
                                      .size = comm_size(t->comm),
                                      .host = comm_host(t->comm),
                                      .pulse = t->pulse,
                                      .names = &t->names});
}
