/* fuzz.h - bytes of strangers for those who read files. Each fuzz_NAME.c hands any bytes to one
 * reader, which takes or refuses them: without a fault, in bounded time and memory, with a message
 * of its own. scripts/fuzz builds it with libFuzzer, which looks for bytes that reach new code; in
 * the suite replay.c gives it the files of corpus/NAME. */
#pragma once
#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* One run, of which nothing stays. Returns 0. The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Abort unless `holds`, saying what should: a rule that inputs must not break. */
void fuzz_check(int holds, const char *what);

/* Abort with the message of what must not fail and did. */
void fuzz_must(int rc, const struct err *err);

/* An error must be of one of the kinds and say something. */
void fuzz_check_error(const struct err *err);

/* The bytes as a text: heap, for the caller to free. */
char *fuzz_text(const uint8_t *bytes, size_t len);

/* A path for files of this process, in $TMPDIR or /tmp, removed at its end; valid until the next
 * call of the same name. */
const char *fuzz_path(const char *name);

/* The bytes as the file of that path. */
const char *fuzz_file(const char *name, const uint8_t *bytes, size_t len);
