/* trainer_trace.c - what every thread of every rank does in some steps. */
#include "core/base/clock.h"
#include "dist/clocks.h"
#include "dist/gather.h"
#include "train/trainer_parts.h"

#include <inttypes.h>
#include <stdlib.h>

/* Events of a step: of each operator, of each bucket, of each worker, and others. */
enum { OF_NODE = 2, OF_BUCKET = 4, OF_WORKER = 32, OF_STEP = 256 };

static const int64_t most_events = 1 << 20; /* of a rank: 40 MiB */

void trainer_trace(struct trainer *t, enum trace_kind kind, double began) {
    if (kind == TRACE_VALIDATE)
        t->spent.validate_s += clock_now() - began;
    if (kind == TRACE_SAVE)
        t->spent.save_s += clock_now() - began;
    if (trace_wants(t->trace))
        trace_add(t->trace,
                  &(struct trace_event){(int32_t)kind, TRACE_MAIN, (int32_t)t->progress.step, 0,
                                        began, clock_now()});
}

static int64_t events_of_step(const struct trainer *t) {
    const int64_t parts = t->job->accumulate > t->job->shards ? t->job->accumulate : t->job->shards;
    int64_t n = OF_STEP + OF_WORKER * (int64_t)loader_n_workers(t->data.train.loader);

    for (int i = 0; i < t->replica.n_steps; i++)
        n += OF_BUCKET * reducer_n_buckets(t->stepper.reducer[i]) +
             OF_NODE * (parts + 1) * t->replica.step[i].graph->n_nodes;
    return n;
}

int trainer_plan_trace(struct trainer *t, struct err *err) {
    const int64_t steps = t->job->trace.last - t->job->trace.first + 1;

    if (!t->job->trace.first)
        return 0;
    if (t->job->trace.first > t->progress.total_steps)
        sinks_warn(t->sinks,
                   "[log] trace = %" PRId64 "..%" PRId64 " begins after the last step, %" PRId64
                   ": there will be no trace.json",
                   t->job->trace.first, t->job->trace.last, t->progress.total_steps);
    const int64_t each = events_of_step(t);
    const int64_t n = steps < most_events / each ? steps * each : most_events;
    t->trace = trace_new(n);
    if (!t->trace)
        return err_set(err, ERR_IO, "no memory for the %" PRId64 " events of [log] trace", n);
    loader_trace(t->data.train.loader, t->trace);
    stepper_trace(&t->stepper, t->trace);
    return 0;
}

void trainer_begin_trace(struct trainer *t) {
    const struct job_span *span = &t->job->trace;
    const int64_t number = t->progress.step + 1;

    if (t->trace && number >= span->first && number <= span->last)
        trace_begin(t->trace);
}

/* Everything is at rank 0. */
static void tell(struct trainer *t, const struct gather *all, const struct clock_offset *clock,
                 int64_t dropped) {
    const int n = comm_size(t->comm);
    const struct trace_event *first = (const struct trace_event *)(const void *)all->bytes;
    struct event e = trainer_event_of(t, EVENT_TRACE);
    struct event_rank_trace *rank = calloc((size_t)n, sizeof *rank);

    for (int r = 0; rank && r < n; r++) {
        const int64_t count = all->lens[r] / (int64_t)sizeof *first;
        rank[r] = (struct event_rank_trace){.host = t->places->rank[r].host,
                                            .event = first,
                                            .n = count,
                                            .ahead_s = clock[r].offset_s,
                                            .error_s = clock[r].error_s};
        first += count;
    }
    e.trace = (struct event_trace){rank, n, dropped};
    if (rank)
        sinks_tell(t->sinks, &e);
    else
        sinks_warn(t->sinks, "no memory for the traces of all ranks; training goes on");
    free(rank);
}

/* A trace that cannot be collected is no reason to stop. */
static int collect(struct trainer *t, struct clock_offset *clock, struct err *err) {
    int64_t n, dropped;
    const struct trace_event *events = trace_events(t->trace, &n, &dropped);
    double all_dropped = (double)dropped;
    struct gather all = {0};
    struct err why = {0};

    comm_sum_doubles(t->comm, &all_dropped, 1);
    if (clocks_compare(t->comm, clock, err))
        return -1;
    if (gather_init(&all, t->comm, &why) ||
        gather_bytes(&all, events, (size_t)n * sizeof *events, &why))
        sinks_warn(t->sinks, "the trace is lost: %s; training goes on", why.msg);
    else if (comm_rank(t->comm) == 0)
        tell(t, &all, clock, (int64_t)all_dropped);
    gather_release(&all);
    return 0;
}

int trainer_end_trace(struct trainer *t, struct err *err) {
    const size_t n = (size_t)comm_size(t->comm);
    struct pool pool = {0};

    if (!trace_wants(t->trace) ||
        (t->progress.step < t->job->trace.last && !t->control.finish && !t->control.stop))
        return 0;
    stepper_settle(&t->stepper);
    trace_end(t->trace);
    const int rc = collect(t, pool_take(&pool, n * sizeof(struct clock_offset)), err);
    pool_release(&pool);
    return rc;
}
