#include "io/import/import_counts.h"

static int64_t of_class(const struct import_counts *c, int class) {
    int64_t n = 0;

    for (int i = 0; i < c->n_splits; i++)
        n += c->n[(int64_t)i * c->n_classes + class];
    return n;
}

static int64_t of_split(const struct import_counts *c, int split) {
    int64_t n = 0;

    for (int k = 0; k < c->n_classes; k++)
        n += c->n[(int64_t)split * c->n_classes + k];
    return n;
}

void import_counts_note(const struct import_counts *c, struct import_result *result) {
    struct import_names empty = {0};

    for (int i = 0; i < c->n_splits && c->n_splits > 1; i++)
        import_note(result, "%s: %lld images", c->split_name[i], (long long)of_split(c, i));
    for (int k = 0; k < c->n_classes; k++)
        if (!of_class(c, k))
            import_names_add(&empty, c->class_name[k]);
    if (empty.n)
        import_note(result, "classes of which there are no images, with numbers all the same: %s",
                    empty.text);
    for (int i = 0; i < c->n_splits && c->n_splits > 1; i++) {
        struct import_names missing = {0};

        for (int k = 0; k < c->n_classes; k++)
            if (!c->n[(int64_t)i * c->n_classes + k] && of_class(c, k))
                import_names_add(&missing, c->class_name[k]);
        if (missing.n)
            import_note(result, "classes of which %s has no images: %s", c->split_name[i],
                        missing.text);
    }
}
