/* checkpoint_damage.c - which part of a damaged file it is, without the help of HDF5, which is not
 * made for files that are. */
#include "io/weights/checkpoint_private.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* Of the first version of HDF5's head: 8 bytes that say where the file ends. */
enum { HEAD = 48, END_OF_FILE = 40 };

/* The first `text` in bytes[len], or NULL. */
static const char *find(const char *bytes, size_t len, const char *text) {
    const size_t text_len = strlen(text);
    const char *at = bytes, *const end = bytes + len;

    while ((size_t)(end - at) >= text_len &&
           (at = memchr(at, text[0], (size_t)(end - at) - text_len + 1))) {
        if (!memcmp(at, text, text_len))
            return at;
        at++;
    }
    return NULL;
}

char *checkpoint_digits(char *bytes, size_t len) {
    const char *at = find(bytes, len, CHECKPOINT_MARK);
    const size_t place = at ? (size_t)(at - bytes) + strlen(CHECKPOINT_MARK) : 0;

    return at && len - place >= CHECKPOINT_DIGITS ? bytes + place : NULL;
}

void checkpoint_hash(const void *bytes, size_t len, char text[CHECKPOINT_DIGITS + 1]) {
    snprintf(text, CHECKPOINT_DIGITS + 1, "%016" PRIx64, (uint64_t)XXH3_64bits(bytes, len));
}

/* Is the dataset of a record not what it was? A record that cannot be read says nothing. */
static bool differs(const json_t *record, const char *bytes, size_t len,
                    char text[CHECKPOINT_DAMAGE]) {
    const char *hash = json_string_value(json_object_get(record, "xxh3_64"));
    const char *path = json_string_value(json_object_get(record, "path"));
    const json_int_t place = json_integer_value(json_object_get(record, "place"));
    const json_int_t n = json_integer_value(json_object_get(record, "bytes"));
    char found[CHECKPOINT_DIGITS + 1];

    if (!hash || !path || place < 0 || n < 0)
        return false;
    if ((uint64_t)place > len || (uint64_t)n > len - (uint64_t)place) {
        snprintf(text, CHECKPOINT_DAMAGE, "is cut off: it has %zu bytes, and %.300s ends at %lld",
                 len, path, (long long)place + (long long)n);
        return true;
    }
    checkpoint_hash(bytes + place, (size_t)n, found);
    if (!strcmp(found, hash))
        return false;
    snprintf(text, CHECKPOINT_DAMAGE, "is damaged: %.300s is not what was saved", path);
    return true;
}

static bool find_dataset(const char *bytes, size_t len, char text[CHECKPOINT_DAMAGE]) {
    const char *at = bytes, *const end = bytes + len;
    bool found = false;

    while (!found && (at = find(at, (size_t)(end - at), CHECKPOINT_RECORD))) {
        json_t *record = json_loadb(at, (size_t)(end - at), JSON_DISABLE_EOF_CHECK, NULL);

        found = record && differs(record, bytes, len, text);
        json_decref(record);
        at++;
    }
    return found;
}

void checkpoint_damage(const char *bytes, size_t len, char text[CHECKPOINT_DAMAGE]) {
    uint64_t whole = 0;

    if (find_dataset(bytes, len, text))
        return;
    for (int i = 7; i >= 0 && len >= HEAD; i--)
        whole = whole << 8 | (unsigned char)bytes[END_OF_FILE + i];
    if (!len)
        snprintf(text, CHECKPOINT_DAMAGE, "is empty");
    else if (whole > len && whole < INT64_MAX)
        snprintf(text, CHECKPOINT_DAMAGE, "is cut off: it has %zu bytes of %" PRIu64, len, whole);
    else
        snprintf(text, CHECKPOINT_DAMAGE,
                 "is damaged: its checksum does not match, its structure is not what was saved");
}
