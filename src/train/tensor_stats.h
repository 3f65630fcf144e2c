/* tensor_stats.h - what the numbers of a tensor are like: how they are spread, and which of them
 * are zero or not finite. */
#pragma once
#include "core/base/parallel.h"
#include "core/base/tensor.h"

enum { STATS_BINS = 64 };

struct tensor_stats {
    int64_t n, not_finite;
    double min, max, mean, std; /* of those that are finite; nan: none is */
    double zeros;               /* share of all that is exactly 0 */
    double dead;                /* share of channels that are 0 throughout, where 0 is the least
                                 * value and occurs, as behind relu; else nan */
    int64_t counts[STATS_BINS]; /* of the finite ones, in bins of equal width from min to max */
};

struct stats_room;

/* Room for tensors of at most so many channels. NULL: there is no memory. To be freed by
 * stats_room_free. */
struct stats_room *stats_room_new(int64_t channels);
void stats_room_free(struct stats_room *room);

/* Look at v[n], by all threads: the same on any number of them.
 *   channels  of the last dimension, for `dead`; 0: there are none to be told apart */
void tensor_stats_of(const float *v, int64_t n, int64_t channels, struct stats_room *room,
                     struct team *team, struct tensor_stats *out);
