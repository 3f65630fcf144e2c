/* imported.h - imports for tests of what they make, and of what they refuse. */
#pragma once
#include "io/scratch.h"
#include "io/dataset/dataset.h"
#include "io/import/import.h"

static struct import_result result; /* of the last import */

static inline struct dataset *imported(const char *importer, const char *source,
                                       struct import_options options, const char *split) {
    const char *target = in_scratch("out.h5");
    char spec[600];
    struct dataset *ds = NULL;
    struct err err = {0};

    result = (struct import_result){0};
    options.threads = 1;
    if (importer_find(importer)->run(source, target, &options, &result, &err))
        fail_msg("%s", err.msg);
    snprintf(spec, sizeof spec, "%s:%s", target, split);
    if (dataset_open(&ds, spec, DATASET_CACHE_BYTES, &err))
        fail_msg("%s", err.msg);
    return ds;
}

static inline void refused(const char *importer, const char *source, struct import_options options,
                           enum err_kind kind, const char *message) {
    struct err err = {0};

    result = (struct import_result){0};
    options.threads = 1;
    if (!importer_find(importer)->run(source, in_scratch("no.h5"), &options, &result, &err))
        fail_msg("expected '%s'", message);
    assert_contains(err.msg, message);
    assert_int_equal(err.kind, kind);
    assert_int_equal(access(in_scratch("no.h5"), F_OK), -1);
}

static inline void read_rows(struct dataset *ds, const char *field, int64_t n, void *out) {
    int64_t rows[16];
    struct err err = {0};

    for (int64_t i = 0; i < n; i++)
        rows[i] = i;
    if (dataset_read(ds, dataset_find_field(ds, field), rows, n, out, &err))
        fail_msg("%s", err.msg);
}
