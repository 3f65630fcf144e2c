/* printed_json.h - what a command prints for programs. */
#pragma once
#include "cmd/printed.h"

#include <jansson.h>

/* Run it, expect it to succeed and to print JSON, which the caller decref's. */
static inline json_t *printed_json(const char *command) {
    char *out = printed(command);
    json_error_t error;
    json_t *json = json_loads(out, 0, &error);

    if (!json)
        fail_msg("%s: %s\n%s", command, error.text, out);
    free(out);
    return json;
}

static inline double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);

    if (!json_is_number(value))
        fail_msg("no number %s", key);
    return json_number_value(value);
}
