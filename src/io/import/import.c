#include "io/import/import.h"

#include <stddef.h>
#include <string.h>

static const struct importer *const importers[] = {&import_imagefolder, &import_segmentation,
                                                   &import_pairs,       &import_unpaired,
                                                   &import_idx,         &import_cifar};

enum { N_IMPORTERS = sizeof importers / sizeof *importers };

const struct importer *importer_find(const char *name) {
    for (int i = 0; i < N_IMPORTERS; i++)
        if (strcmp(importers[i]->name, name) == 0)
            return importers[i];
    return NULL;
}

const struct importer *const *importer_table(int *n) {
    *n = N_IMPORTERS;
    return importers;
}
