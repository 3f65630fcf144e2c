/* utf8.h - texts that are UTF-8, and those that are not. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>

/* Bytes of the character at `at`, of which `left` are there; 0: it is none of UTF-8, or cut off. */
size_t utf8_len(const char *at, size_t left);

/* Is all of text[len] UTF-8, without zeros? what: for messages.
 * Errors: ERR_DATA naming the line and byte, and what would make UTF-8 of it. */
int utf8_check(const char *text, size_t len, const char *what, struct err *err);

/* Bytes of the byte order mark that a text begins with, which is none of it: 3 or 0. */
size_t utf8_mark(const char *text, size_t len);
