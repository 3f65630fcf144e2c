/* trainer_looks.c - what is read of a step while it is computed. */
#include "core/base/clock.h"
#include "train/trainer_parts.h"

/* The time since the last call is that of the phase. */
static void keep_phase(struct trainer *t, int which, int node, enum run_phase phase) {
    const double now = clock_now();
    const int32_t kind = phase == RUN_FORWARD ? TRACE_FORWARD : TRACE_BACKWARD;

    if (phase != RUN_OTHER && t->replica.step[which].graph->nodes[node].op)
        trace_add(t->trace, &(struct trace_event){kind, TRACE_MAIN, which, node, t->watched, now});
    t->watched = now;
}

static void watch(void *context, int which, int node, enum run_phase phase) {
    struct trainer *t = context;

    keep_phase(t, which, node, phase);
    if (phase == RUN_FORWARD && t->stepper.see) {
        histograms_see_node(t->histograms, which, node);
        t->watched = clock_now();
    }
}

static void see(void *context, int which, const struct reducer_piece *piece) {
    const struct trainer *t = context;

    histograms_see_gradient(t->histograms, which, piece);
}

bool trainer_looks_into(const struct trainer *t, int64_t step) {
    struct progress p = t->progress;

    p.step = step;
    return interval_due(&t->job->histograms, &p);
}

void trainer_begin_looking(struct trainer *t, const struct feed_batch *batch) {
    struct stepper *s = &t->stepper;
    const bool looks = trainer_looks_into(t, t->progress.step + 1), counts = looks && t->histograms;

    if (looks)
        stepper_settle(s);
    if (counts) {
        histograms_begin(t->histograms);
        if (batch)
            histograms_compute(t->histograms, batch, t->job->seed, t->progress.step);
    }
    s->watch = counts || trace_wants(t->trace) ? watch : NULL;
    s->watch_whole = true;
    s->see = counts ? see : NULL;
    s->watch_context = t;
}

void trainer_end_looking(struct trainer *t) {
    struct event e = trainer_event_of(t, EVENT_TENSORS);

    if (!trainer_looks_into(t, t->progress.step))
        return;
    stepper_settle(&t->stepper);
    if (!t->histograms)
        return;
    e.tensors = histograms_end(t->histograms);
    trainer_tell(t, &e);
}
