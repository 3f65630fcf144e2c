#include "train/guesses.h"

#include <string.h>

/* Is the line one of the lines of text? */
static bool has_line(const char *text, const char *line, size_t len) {
    for (const char *at = text; (at = strstr(at, line)); at++)
        if ((at == text || at[-1] == '\n') && (at[len] == '\n' || !at[len]))
            return true;
    return false;
}

void guesses_tell(const struct dataset *ds, const struct dataset *told, const struct sinks *sinks) {
    const char *said = told ? dataset_guesses(told) : "";
    struct pool pool = {0};

    for (const char *at = dataset_guesses(ds); *at; at += *at == '\n') {
        const size_t len = strcspn(at, "\n");
        const char *line = pool_print(&pool, "%.*s", (int)len, at);

        if (!has_line(said, line, len))
            sinks_note(sinks, "%s: %s", dataset_name(ds), line);
        at += len;
    }
    if (*dataset_ignored(ds) && strcmp(dataset_ignored(ds), told ? dataset_ignored(told) : "") != 0)
        sinks_note(sinks, "%s: left out, as no fields of samples: %s", dataset_name(ds),
                   dataset_ignored(ds));
    pool_release(&pool);
}

void guesses_tell_all(const struct feeds *feeds, const struct sinks *sinks) {
    guesses_tell(feeds->train.dataset, NULL, sinks);
    if (feeds->validate.dataset)
        guesses_tell(feeds->validate.dataset, feeds->train.dataset, sinks);
}
