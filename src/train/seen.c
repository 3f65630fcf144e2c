/* seen.c - the forward of a step as it is written, for those who look at what fusion never writes.
 */
#include "train/replica_parts.h"

int replica_build_seen(struct replica *r, const struct graph_config *gc, struct replica_step *s,
                       struct err *err) {
    struct graph_config written = *gc;

    r->written = *gc->mode;
    r->written.fusion = false;
    written.mode = &r->written;
    if (graph_new(&s->written, &written, err))
        return -1;
    graph_freeze(s->written, s->freeze, s->n_freeze);
    return 0;
}

/* Forward alone: what backward would read takes no memory. */
int replica_plan_seen(struct replica_step *s, struct err *err) {
    const struct plan_config pc = {
        .graph = s->written, .outputs = &s->loss, .n_outputs = 1, .loss = -1, .training = true};

    return plan_new(&s->seen, &pc, err);
}
