/* trainer_pace.c - who is slow: all ranks tell rank 0 every some steps what their time went into.
 */
#include "core/base/clock.h"
#include "train/trainer_parts.h"

#include <math.h>
#include <string.h>

enum {
    EVERY = 50, /* steps, after which ranks tell */
    WARM_UP = 2 /* steps of a process, in which memory is touched for the first time */
};

static const double least_s = 2; /* of a window: in less, time slices of processors show */

void trainer_meet_pace(struct trainer *t) {
    const size_t size = (size_t)comm_size(t->comm);
    struct pool *pool = &t->replica.model.pool;

    if (size == 1)
        return;
    t->pace = (struct trainer_pace){.told = pool_take(pool, size * sizeof *t->pace.told),
                                    .sum = pool_take(pool, size * sizeof *t->pace.sum),
                                    .room = pool_take(pool, 2 * size * sizeof *t->pace.room),
                                    .from = t->progress.step};
}

static void add_time(struct straggler_time *sum, const struct straggler_time *t) {
    for (int k = 0; k < STRAGGLER_PARTS; k++)
        sum->part[k] += t->part[k];
    sum->wait_s += t->wait_s;
    sum->samples += t->samples;
}

static double computed(const struct step_times *t) {
    return t->forward + t->backward + t->optimizer;
}

/* What lies between: one step. */
static struct straggler_time between(const struct trainer_spent *then,
                                     const struct trainer_spent *now) {
    const double data_s = now->data_s - then->data_s;
    const double compute_s = computed(&now->step) - computed(&then->step);
    const double wait_s = now->step.exposed_comm - then->step.exposed_comm;
    const double all_s = now->total_s - then->total_s + now->told_s - then->told_s;

    return (struct straggler_time){
        {data_s, compute_s, fmax(all_s - data_s - compute_s - wait_s, 0)},
        wait_s,
        now->samples - then->samples};
}

/* On rank 0, which alone has something to say: a window is as long as it takes to mean something.
 */
static void judge(struct trainer *t) {
    struct trainer_pace *p = &t->pace;
    const int n = comm_size(t->comm);
    double all_s = p->sum[0].wait_s;
    char text[STRAGGLER_TEXT];
    const struct straggler_window w = {.time = p->sum,
                                       .host = t->ranks.host,
                                       .n = n,
                                       .from = p->from,
                                       .to = t->progress.step,
                                       .steps = p->steps};

    for (int k = 0; k < STRAGGLER_PARTS; k++)
        all_s += p->sum[0].part[k];
    if (all_s < least_s)
        return;
    if (stragglers_add(&p->said, &w, p->room, text))
        sinks_warn(t->sinks, "%s", text);
    else if (text[0])
        sinks_note(t->sinks, "%s", text);
    memset(p->sum, 0, (size_t)n * sizeof *p->sum);
    p->from = t->progress.step;
    p->steps = 0;
}

void trainer_watch_pace(struct trainer *t) {
    struct trainer_pace *p = &t->pace;
    const int64_t step = t->progress.step;

    if (!p->told)
        return;
    const struct straggler_time one = between(&p->last, &t->spent);
    if (step > t->first_step + WARM_UP && !trainer_looks_into(t, step)) {
        add_time(&p->mine, &one);
        p->steps++;
    }
    p->last = t->spent;
    if (step % EVERY)
        return;
    comm_all_gather(t->comm, &p->mine, p->told, sizeof p->mine);
    p->mine = (struct straggler_time){0};
    if (comm_rank(t->comm))
        return;
    for (int i = 0; i < comm_size(t->comm); i++)
        add_time(&p->sum[i], &p->told[i]);
    judge(t);
}
