/* import_rows.h - samples that are made one by one, dealt to splits and written: what the importers
 * of tables, arrays, series, texts, sounds and volumes end with. */
#pragma once
#include "io/dataset/dataset_writer.h"
#include "io/import/import.h"

struct rows_source {
    const char *name; /* for messages */
    const char *what; /* the samples are: "rows", "sounds"; static */
    void *context;
    int64_t n;
    int n_fields;
    const struct writer_field *field; /* [n_fields] */
    const int32_t *label;             /* [n] drawn from in proportion; NULL: none */
    const int32_t *group;             /* [n] samples of one number stay together; NULL: none */
    bool ordered;                     /* what is held out is the end, not drawn */
    int64_t apart;                    /* where ordered: samples between it and the others */
    /* The splits that it has itself, [n_splits] groups and [n] which; n_splits 0: it has none. */
    int n_splits;
    const char *const *split_name;
    const int32_t *split_of;
    /* The file of sample i, for messages; NULL: samples have none of their own. */
    const char *(*file_of)(const void *context, int64_t i);
    /* Make field `field` of sample i as dataset_writer_add takes it. Errors: ERR_DATA, ERR_IO. */
    int (*make)(void *context, int64_t i, int field, void *out, struct err *err);
    /* Called at the end of each split, for attributes of its fields; or NULL. */
    int (*describe)(void *context, struct dataset_writer *writer, struct err *err);
    /* Told which samples are the first split, before any is made; or NULL. */
    int (*trained)(void *context, const bool *trained, struct err *err);
};

/* Write all samples in their order; mean and std are those of the first split. Adds to result.
 * Errors: the source's, the writer's; ERR_DATA naming a sample of reals that are not finite;
 * ERR_USAGE where options->split cannot be. */
int import_rows(const struct rows_source *source, const char *target,
                const struct import_options *options, struct import_result *result,
                struct err *err);
