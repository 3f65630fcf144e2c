/* data_pace.h - what a terminal, or the log of a batch job, sees of commands that take long. */
#pragma once
#include "core/base/err.h"
#include "io/import/import.h"

#include <stdint.h>

/* On a terminal only: a percentage that overwrites itself; total 0: how many there are so far. */
void data_show_progress(void *context, int64_t done, int64_t total);

/* The same with rates and the time left; a line now and then where it is no terminal. */
void data_show_pace(void *context, const struct import_pace *pace);

/* From now on signals ask to stop, which progress->stopped tells; progress->pace shows images,
 * rates and the time left, on a terminal as one line, otherwise as a line now and then. */
void data_pace_begin(struct import_progress *progress);

/* "5 s", "12 min 5 s", "3 h 12 min". Returns text. */
enum { DATA_TIME_TEXT = 48 };
const char *data_time_text(double seconds, char text[DATA_TIME_TEXT]);

/* Write the lines as a text file. Errors: ERR_IO. */
int data_write_lines(const char *path, char *const *lines, int64_t n, struct err *err);
