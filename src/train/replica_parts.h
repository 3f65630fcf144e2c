/* replica_parts.h - building a replica piece by piece: private to replica.c, classes.c, measures.c,
 * spans.c, update.c, values.c. */
#pragma once
#include "train/replica.h"

/* What a section's graph is built from. */
struct graph_config replica_graph_config(struct replica *r, const struct replica_config *c,
                                         const struct section *section, const char *const *plain,
                                         int64_t batch);

/* What the networks are trained on. */
static inline struct replica_data replica_train_data(const struct replica_config *c) {
    return (struct replica_data){c->data_name, c->fields, c->n_fields, c->dataset};
}

/* Every field that the graph reads is one of the data, which may lack some of training's. Errors:
 * ERR_DATA, with the place. */
int replica_check_fields(const struct graph *g, const struct replica_data *data, struct err *err);

/* Labels must be below the number of channels that they choose from. Errors: ERR_DATA. */
int replica_check_classes(const struct graph *g, const struct replica_data *data, struct err *err);

/* A step as it is written, where the job looks into it and fusion would hide something: its graph;
 * once all nets are known, its plan. */
int replica_build_seen(struct replica *r, const struct graph_config *gc, struct replica_step *s,
                       struct err *err);
int replica_plan_seen(struct replica_step *s, struct err *err);

/* [validate]: its graph; once all nets are known, its plan. */
int replica_build_validate(struct replica *r, const struct replica_config *c, struct err *err);
int replica_plan_validate(struct replica *r, const struct replica_config *c, struct err *err);

/* Likewise the [picture] of that number. */
int replica_build_picture(struct replica *r, const struct replica_config *c, int which,
                          struct err *err);
int replica_plan_picture(struct replica *r, int which, struct err *err);

/* Once groups of ranks have met: more than one value stands behind each statistic of a batch, in
 * every part of every full step on every rank. Errors: ERR_CONFIG, with the place. */
int replica_check_values(const struct replica_step *s, const struct replica_config *c,
                         struct err *err);

/* Which weights of the step's net number `net` an optimiser treats alike. */
void replica_find_runs(struct replica *r, struct replica_step *s, int net);

/* The list of spans, once all is planned; their places, once the arena is there: moments get theirs
 * in it. */
void replica_list_spans(struct replica *r);
void replica_place_spans(struct replica *r);
