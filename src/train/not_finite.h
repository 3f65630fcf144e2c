/* not_finite.h - measures of a validation that are no numbers, and what in the data may be why. */
#pragma once
#include "dist/comm.h"
#include "train/event.h"
#include "train/feed.h"

/* After an evaluation: warn of measures that are no numbers, and name the first number of the data
 * that is not finite, as the networks see it: "after step 3: [validate] loss is not a number:
 * field image of sample 3 of a.h5:bad is nan at [0, 0, 0]".
 *   when  "after step 3: ", or ""
 *   feed  this rank's share, to be sought anew afterwards; NULL on ranks that have none
 * Collective. Cost: nothing where all are numbers, else one pass over the data. */
void not_finite_warn(const struct replica *r, struct feed *feed, struct comm *comm,
                     const char *when, const struct sinks *sinks);
