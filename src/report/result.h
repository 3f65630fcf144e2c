/* result.h - the measures of the last validation in the line that ends a command, "result: top1=0.9
 * ... top1_stderr=0.003", which programs read: what is added comes behind what was there. */
#pragma once
#include "train/replica.h"

#include <stdio.h>

/* " NAME=VALUE" of each measure. */
void result_values(FILE *out, const struct replica *r);

/* " NAME_stderr=VALUE" of each that has a standard error. */
void result_errors(FILE *out, const struct replica *r);
