#include "train/guesses.h"

#include <string.h>

/* Is the line one of the lines of text? */
static bool has_line(const char *text, const char *line, size_t len) {
    for (const char *at = text; (at = strstr(at, line)); at++)
        if ((at == text || at[-1] == '\n') && (at[len] == '\n' || !at[len]))
            return true;
    return false;
}

static void tell(const struct dataset *ds, const char *said, const struct sinks *sinks) {
    struct pool pool = {0};

    for (const char *at = dataset_guesses(ds); *at; at += *at == '\n') {
        const size_t len = strcspn(at, "\n");
        const char *line = pool_print(&pool, "%.*s", (int)len, at);

        if (!has_line(said, line, len))
            sinks_note(sinks, "%s: %s", dataset_name(ds), line);
        at += len;
    }
    pool_release(&pool);
}

void guesses_tell(const struct feeds *feeds, const struct sinks *sinks) {
    tell(feeds->train.dataset, "", sinks);
    if (feeds->validate.dataset)
        tell(feeds->validate.dataset, dataset_guesses(feeds->train.dataset), sinks);
}
