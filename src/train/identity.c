#include "train/identity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Statements that a measure is made of, each once. */
struct statements {
    const struct job *job;
    struct pool *pool;
    const struct entry **entry;
    int n;
};

static void add(struct statements *s, const struct entry *entry) {
    for (int i = 0; i < s->n; i++)
        if (s->entry[i] == entry)
            return;
    s->entry = pool_grow(s->pool, s->entry, s->n, sizeof *s->entry);
    s->entry[s->n++] = entry;
}

/* What that name stands for: a statement of [validate], or a constant. */
static void add_name(struct statements *s, const char *name) {
    const struct section *let = source_find(&s->job->source, "let", "");
    const struct entry *entry = section_find(s->job->validate, name);

    if (!entry && let)
        entry = section_find(let, name);
    if (entry)
        add(s, entry);
}

static void add_names_in(struct statements *s, const char *text) {
    while (*text) {
        size_t len = 0;
        while (isalnum((unsigned char)text[len]) || text[len] == '_')
            len++;
        if (len)
            add_name(s, pool_copy(s->pool, text, len));
        text += len ? len : 1;
    }
}

/* "iou = mean_iou(c); c = confusion(model(image), mask)" */
static const char *statements_of(const struct job *job, const char *measure, struct pool *pool) {
    struct statements s = {.job = job, .pool = pool};
    const char *text = "";

    add_name(&s, measure);
    for (int i = 0; i < s.n; i++) {
        add_names_in(&s, s.entry[i]->value);
        text = pool_print(pool, "%s%s%s = %s", text, i ? "; " : "", s.entry[i]->key,
                          s.entry[i]->value);
    }
    return text;
}

int identity_init(struct identity *id, const struct job *job, const struct feed *train,
                  const struct feed *validate, const struct replica *r, struct pool *pool,
                  struct err *err) {
    char *text = source_print(&job->source);

    *id = (struct identity){.job = job, .train = train, .validate = validate};
    if (!text)
        return err_set(err, ERR_IO, "%s: no memory for the job's text", job->path);
    id->text = pool_print(pool, "%s", text);
    free(text);
    if (job->best && r->best >= 0) {
        id->measure = job->best;
        id->measured = statements_of(job, job->best, pool);
        id->maximise = r->maximise;
    }
    return 0;
}
