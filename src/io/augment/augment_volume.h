/* augment_volume.h - what words do to volumes [d, h, w, c]. */
#pragma once
#include "io/augment/augment_parts.h"

/* c->out at the place (z, y, x) of c->in: between eight neighbours, or the nearest of a mask; what
 * comes in from beyond the edges is augment_fill.
 *   out  [c], one voxel */
void augment_volume_fetch(const struct augment_call *c, const double at[3], float *out);

/* Turn c->in about its centre, by degrees about the axes d, h and w, the last first. Voxels count
 * as cubes. */
void augment_volume_rotate(const struct augment_call *c, const double degrees[3]);

/* Exchange the ends of axis 0, 1 or 2 (d, h, w) of c->out. */
void augment_volume_flip(const struct augment_call *c, int axis);

/* elastic of volumes: three fields of moves, smoothed along three axes. */
int64_t augment_volume_elastic_scratch(const struct shape *in, double sigma);
void augment_volume_elastic(const struct augment_call *c, double alpha, double sigma);
