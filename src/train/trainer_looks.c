/* trainer_looks.c - what is read of a step while it is computed. */
#include "train/trainer_parts.h"

static void watch(void *context, int which, int node, enum run_phase phase) {
    const struct trainer *t = context;

    if (phase == RUN_FORWARD)
        histograms_see_node(t->histograms, which, node);
}

static void see(void *context, int which, const struct reducer_piece *piece) {
    const struct trainer *t = context;

    histograms_see_gradient(t->histograms, which, piece);
}

/* Is the step that is number `step` when it is done one of the histograms'? */
static bool has_histograms(const struct trainer *t, int64_t step) {
    struct progress p = t->progress;

    p.step = step;
    return interval_due(&t->job->histograms, &p);
}

void trainer_begin_looking(struct trainer *t) {
    struct stepper *s = &t->stepper;

    s->watch = NULL;
    s->see = NULL;
    if (!t->histograms || !has_histograms(t, t->progress.step + 1))
        return;
    histograms_begin(t->histograms);
    s->watch = watch;
    s->watch_whole = true;
    s->see = see;
    s->watch_context = t;
}

void trainer_end_looking(struct trainer *t) {
    struct event e = trainer_event_of(t, EVENT_TENSORS);

    if (!has_histograms(t, t->progress.step))
        return;
    stepper_settle(&t->stepper);
    if (!t->histograms)
        return;
    e.tensors = histograms_end(t->histograms);
    sinks_tell(t->sinks, &e);
}
