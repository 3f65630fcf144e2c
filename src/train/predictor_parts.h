/* predictor_parts.h - how a predictor is built: private to predictor*.c. */
#pragma once
#include "train/predictor.h"

/* Build the graph and find the node, its kind and its classes: graph, node, kind, binary, classes,
 * picture, what. Errors: those of predictor_init. */
int predictor_find(struct predictor *p, const struct replica_config *c, const char *output,
                   struct err *err);

/* Turned copies of n samples [n, shape], number `turn` of them, 0 being the samples themselves; and
 * what was predicted for them, turned back and added. Dimensions of shape are [.., h, w, c],
 * without c where `maps`. */
int predictor_n_turns(enum predictor_turns turns, const struct shape *shape, bool maps);
void predictor_turn(enum predictor_turns turns, int turn, const struct shape *shape, bool maps,
                    int64_t n, const float *in, float *out);
void predictor_turn_back(enum predictor_turns turns, int turn, const struct shape *shape, bool maps,
                         int64_t n, const float *in, float *sum);
