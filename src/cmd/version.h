/* version.h - of what this program was made. */
#pragma once

/* From the file that the build writes beside this one: the commit, "" where the sources are none,
 * with "-dirty" where they have been changed since; its day, "2026-01-31". */
extern const char version_commit[], version_day[];

/* "dltrain 0.1.0 (68c44025f1b2)" and an end of line. */
void version_print(void);
