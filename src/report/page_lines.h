/* page_lines.h - the files of a run's folder that hold one JSON object a line, as they are while
 * somebody still writes them; and texts as JSON. */
#pragma once
#include "core/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Give every line to `take`, which borrows it. A file that is not there has none. A last line
 * without an end is being written, and passed over.
 *   step  must every line have a whole number "step"?
 * Errors: ERR_IO naming the file; ERR_DATA "FILE:LINE: ..." for a line that is no JSON object or
 * lacks its step; those of take. */
int page_lines_read(const char *path, bool step,
                    int (*take)(void *context, json_t *line, struct err *err), void *context,
                    struct err *err);

/* A whole file as text, for the caller to free; NULL in *text where there is no file. Errors:
 * ERR_IO. */
int page_file_read(const char *path, char **text, size_t *len, struct err *err);

/* The JSON object that a whole file holds; NULL in *out where there is no file. Errors: ERR_IO,
 * ERR_DATA naming file and line. */
int page_object_read(const char *path, json_t **out, struct err *err);

/* A text as JSON, which is UTF-8: of one in another encoding, what is not ASCII becomes '?'. */
json_t *page_text(const char *text);
