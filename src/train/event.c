#include "train/event.h"

#include <stdarg.h>
#include <stdio.h>

int sinks_start(const struct sinks *sinks, const struct event *start, struct err *err) {
    for (int i = 0; i < sinks->n; i++)
        if (sinks->sink[i]->kind->open && sinks->sink[i]->kind->open(sinks->sink[i], start, err))
            return -1;
    sinks_tell(sinks, start);
    return 0;
}

void sinks_tell(const struct sinks *sinks, const struct event *event) {
    for (int i = 0; i < sinks->n; i++)
        sinks->sink[i]->kind->take(sinks->sink[i], event);
}

static void tell_text(const struct sinks *sinks, enum event_kind kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void tell_text(const struct sinks *sinks, enum event_kind kind, const char *fmt,
                      va_list ap) {
    struct pool pool = {0};
    va_list again;

    va_copy(again, ap);
    const int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *text = pool_take(&pool, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, ap);
    sinks_tell(sinks, &(struct event){.kind = kind, .text = text});
    pool_release(&pool);
}

void sinks_note(const struct sinks *sinks, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    tell_text(sinks, EVENT_NOTE, fmt, ap);
    va_end(ap);
}

void sinks_warn(const struct sinks *sinks, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    tell_text(sinks, EVENT_WARNING, fmt, ap);
    va_end(ap);
}
