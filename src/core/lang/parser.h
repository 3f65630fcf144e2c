/* parser.h - what the parser gives to the rest of lang, besides expr_parse. Internal to lang. */
#pragma once
#include "core/lang/syntax.h"

/* Parse a section header into kind, name, params, header and pos of *out.
 *   text  "[kind NAME(params)]", terminated, without comment
 *   pos   of its first character
 * Nodes belong to *memory. Errors: ERR_CONFIG at the place. */
int header_parse(void **memory, const char *text, struct pos pos, struct section *out,
                 struct err *err);
