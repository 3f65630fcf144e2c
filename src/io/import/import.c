#include "io/import/import.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct importer *const importers[] = {
    &import_imagefolder, &import_segmentation, &import_pairs,   &import_unpaired,
    &import_idx,         &import_cifar,        &import_csv,     &import_npy,
    &import_wav,         &import_text,         &import_volumes, &import_voc};

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

void import_result_release(struct import_result *result) {
    for (int64_t i = 0; result->skipped && i < result->n_skipped; i++)
        free(result->skipped[i]);
    free(result->skipped);
    result->skipped = NULL;
}

void import_note(struct import_result *result, const char *fmt, ...) {
    size_t used = strlen(result->note);
    va_list ap;

    if (used && used + 1 < sizeof result->note)
        result->note[used++] = '\n';
    va_start(ap, fmt);
    vsnprintf(result->note + used, sizeof result->note - used, fmt, ap);
    va_end(ap);
}

void import_names_add(struct import_names *names, const char *name) {
    enum { SHOWN = 6, MORE = 24 }; /* room for "and N more" */
    const size_t room = sizeof names->text - MORE - names->len;

    names->n++;
    if (names->n_shown == names->n - 1 && names->n_shown < SHOWN && strlen(name) + 2 < room) {
        names->len +=
            (size_t)snprintf(names->text + names->len, room, "%s%s", names->len ? ", " : "", name);
        names->n_shown++;
    } else {
        snprintf(names->text + names->len, MORE, " and %d more", names->n - names->n_shown);
    }
}
