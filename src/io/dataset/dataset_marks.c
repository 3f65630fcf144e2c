#include "io/dataset/dataset_marks.h"

#include <stdio.h>
#include <string.h>

/* Boxes, or numbers that are called so and look like them. */
static bool are_boxes(const struct dataset_field *f) {
    return f->boxes || (!strcmp(f->name, "boxes") && f->kind == DATASET_REALS &&
                        f->sample.rank == 2 && f->sample.dim[1] == MARK_TRUTH);
}

int dataset_find_boxes(const struct dataset *ds) {
    int found = -1;

    for (int i = 0; i < dataset_n_fields(ds); i++) {
        const struct dataset_field *f = dataset_field(ds, i);
        if (!are_boxes(f) || f->unpaired || !strcmp(f->name, "proposals"))
            continue;
        if (found < 0 || !strcmp(f->name, "boxes"))
            found = i;
    }
    return found;
}

const char *dataset_mark_name(const void *ds, int class, char number[MARK_NUMBER]) {
    const int field = ds ? dataset_find_boxes(ds) : -1;

    if (field >= 0 && class >= 0 && class < dataset_field_classes(ds, field))
        return dataset_class_name(ds, field, class);
    snprintf(number, MARK_NUMBER, "%d", class);
    return number;
}
