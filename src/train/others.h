/* others.h - the other checkpoints of a run, for when the last one is damaged. */
#pragma once
#include "core/base/err.h"

/* Say in err, the error of a checkpoint that is damaged (ERR_DATA; others are left as they are),
 * which of the files in its folder are whole and can be resumed from, with their epochs, and how.
 */
void others_name(const char *folder, const char *file, struct err *err);
