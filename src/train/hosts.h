/* hosts.h - what a run is told of the hosts that it runs on, before it begins. */
#pragma once
#include "dist/link.h"
#include "dist/place.h"
#include "train/event.h"

/* Draw where ranks are in notes, and warn of what is wrong with it. Local: nothing to do where
 * nobody listens. */
void hosts_tell(struct places *p, const struct sinks *sinks);

/* Measure the links between hosts and their memory, for about a second, and say what they are;
 * warn of pairs and hosts of less than half of what is usual. Of a job on one host, whatever
 * DLTRAIN_HOSTS pretends, nothing is measured or said.
 * Collective. Errors: those of link_survey. */
int hosts_test(struct comm *comm, const struct places *p, const struct sinks *sinks,
               struct err *err);

/* What a survey shows, as hosts_test says it. Local. */
void hosts_tell_links(const struct link_survey *survey, const struct sinks *sinks);
