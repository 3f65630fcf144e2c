/* metrics.jsonl as a crash leaves it, when its run goes on: the first byte is the step that the run
 * has come to. What remains is whole lines of that step or earlier, and new ones fit behind it. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz/fuzz.h"
#include "io/runlog/runlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_lines(const char *path, int64_t step) {
    FILE *file = fopen(path, "r");
    size_t size = 0;
    char *line = NULL;

    fuzz_check(file != NULL, "the log is there");
    for (ssize_t len; (len = getline(&line, &size, file)) > 0;) {
        json_t *object = json_loadb(line, (size_t)len, 0, NULL);
        fuzz_check(json_is_object(object), "each line is an object");
        fuzz_check(json_number_value(json_object_get(object, "step")) <= (double)step,
                   "no line is of a later step");
        json_decref(object);
    }
    free(line);
    fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    const int64_t step = len ? 1 + bytes[0] : 1;
    json_t *object = json_pack("{s:i}", "step", (int)step);
    struct runlog *log = NULL;
    struct err err = {0};
    char folder[512];

    snprintf(folder, sizeof folder, "%s", fuzz_path("."));
    fuzz_file("metrics.jsonl", len ? bytes + 1 : bytes, len ? len - 1 : 0);
    if (runlog_open(&log, folder, "metrics", step, &err) || runlog_append(log, object, &err))
        fuzz_check_error(&err);
    else
        check_lines(fuzz_path("metrics.jsonl"), step);
    runlog_close(log);
    json_decref(object);
    return 0;
}
