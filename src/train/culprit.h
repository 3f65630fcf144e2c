/* culprit.h - where a step that is not finite began: which rank, operator, tensor and samples, and
 * why, in words. */
#pragma once
#include "train/fault.h"
#include "train/probe.h"
#include "train/step.h"

enum { CULPRIT_LOSSES = 8, CULPRIT_LINES = 12 };

/* Losses of the last steps. */
struct culprit_losses {
    double v[CULPRIT_LOSSES]; /* the last one last */
    int n;
};
void culprit_losses_add(struct culprit_losses *losses, double loss);

/* What is known of a step that was computed again; everything borrowed. */
struct culprit_case {
    struct replica *replica;
    struct feed *feed; /* at rest: names of samples are read */
    const struct feed_batch *batch;
    const struct step_fault *fault;
    const struct probe_hit *hit;
    const struct culprit_losses *losses;
    double lr;     /* of the last update */
    bool is_first; /* step of this process */
    int size;
};

/* What to say of it. Texts are in the pool. */
struct culprit {
    struct fault fault; /* message, rank, host and names are left to the caller */
    const char *line[CULPRIT_LINES];
    const char *sample[PROBE_SAMPLES + 1];
    const char *said; /* for one line on standard error: "it begins in forward of conv1"; or "" */
};
void culprit_find(struct culprit *c, const struct culprit_case *k, struct pool *pool);

/* The first weight or running statistic that is not finite, "fc.weight[3, 5] of net c is nan", in
 * pool; NULL: all are. */
const char *culprit_weight(const struct replica *r, struct pool *pool);
