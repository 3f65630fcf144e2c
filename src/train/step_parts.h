/* step_parts.h - what the files of a step share: private to step*.c. */
#pragma once
#include "train/step.h"

/* What rides on the first sum of a step over ranks: whether a rank could not read its batch or was
 * asked to stop, and rank 0's plan, to which the others add 0. */
enum { SAY_UNREAD, SAY_STOP, SAY_CONTROL, SAY_LEN = SAY_CONTROL + CONTROL_NUMBERS };

/* v[n] becomes the sum over all ranks, and *out what they say; there is room for SAY_LEN behind v.
 * Collective. Errors, the same on all ranks: a batch could not be read. */
int step_sum(struct stepper *s, const struct step_input *in, double *v, int n,
             struct step_output *out, struct err *err);

/* The losses of the whole batch, once this rank's sums are in s->sums: they become those of all.
 * Collective. Errors: those of step_sum; a loss is not finite. */
int step_find_loss(struct stepper *s, int which, const struct step_input *in,
                   struct step_output *out, struct err *err);
