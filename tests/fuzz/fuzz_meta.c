/* The JSON text of a checkpoint: how far a run was, of what, on which classes. */
#include "fuzz/fuzz.h"
#include "train/meta.h"

#include <stdlib.h>

static void look(const struct meta *m) {
    static const char *const paths[] = {"data.train.file", "data.train.samples",
                                        "best.name",       "updates",
                                        "fields.0",        "measures.values.step"};
    struct progress progress = {0};
    struct replica replica = {0};
    struct feed_classes *classes;
    struct pool pool = {0};
    struct err err = {0};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        fuzz_check(meta_string(m, paths[i]) != NULL, "an absent text is empty");
        meta_whole(m, paths[i]);
    }
    fuzz_check(meta_job(m) && meta_name(m), "a checkpoint has a job and a name");
    fuzz_check(meta_step(m) >= 0, "steps are counted from 0");
    meta_epoch(m);
    if (meta_progress(m, true, &replica, &progress, &err))
        fuzz_check_error(&err);
    const int n = meta_classes(m, &pool, &classes);
    for (int i = 0; i < n; i++)
        fuzz_check(classes[i].field && classes[i].n > 0, "a field of classes has some");
    progress_release(&progress);
    pool_release(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    char *text = fuzz_text(bytes, len);
    struct err err = {0};
    struct meta meta;

    if (meta_read(&meta, "x.h5", text, &err))
        fuzz_check_error(&err);
    else
        look(&meta);
    meta_release(&meta);
    free(text);
    return 0;
}
