/* measures_json.h - the measures and tables of the last validation, as logs and files of results
 * have them. */
#pragma once
#include "train/replica.h"

#include <jansson.h>

/* {measure: value, table: [[..]]}, for the caller to release; what is not finite is null.
 *   errors  gets the standard error of each measure that has one */
json_t *measures_json(const struct replica *r, json_t *errors);
