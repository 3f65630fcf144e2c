#include "cmd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST_OPTIONS = 16 };

static int read_whole(const struct option_spec *s, const char *value, int64_t *out,
                      struct err *err) {
    char *end;

    errno = 0;
    const long long whole = strtoll(value, &end, 10);
    if (!errno && end != value && !*end && whole >= s->min && whole <= s->max) {
        *out = whole;
        return 0;
    }
    return err_set(err, ERR_USAGE, "--%s: found '%s', expected a whole number from %lld to %lld",
                   s->name, value, (long long)s->min, (long long)s->max);
}

static int take(void *to, const struct option_spec *s, const char *value, struct err *err) {
    void *place = (char *)to + s->offset;

    switch (s->kind) {
    case OPTION_FLAG:
        *(bool *)place = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)place = value;
        return 0;
    case OPTION_WHOLE:
        return read_whole(s, value, place, err);
    case OPTION_READ:
    case OPTION_CALL:
        return s->read(to, value, err);
    }
    return -1;
}

int options_read(void *to, const struct option_spec *specs, const char *command, int argc,
                 char **argv, struct err *err) {
    struct option longs[MOST_OPTIONS + 1] = {{0}};
    int n = 0, which = 0, c;

    for (; specs[n].name && n < MOST_OPTIONS; n++) {
        const enum option_kind kind = specs[n].kind;

        longs[n] = (struct option){.name = specs[n].name,
                                   .has_arg = kind == OPTION_FLAG || kind == OPTION_CALL
                                                  ? no_argument
                                                  : required_argument};
    }
    optind = opterr = 0; /* begin anew, say nothing */
    while ((c = getopt_long(argc, argv, ":", longs, &which)) >= 0) {
        if (c == ':')
            return err_set(err, ERR_USAGE, "%s needs a value", argv[optind - 1]);
        if (c == '?')
            return err_set(err, ERR_USAGE,
                           "found '%s', which is no option here; `dltrain help %s` lists them",
                           argv[optind - 1], command);
        if (take(to, &specs[which], optarg, err))
            return -1;
    }
    return optind;
}
