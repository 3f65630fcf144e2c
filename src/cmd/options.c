#include "cmd/options.h"
#include "core/base/nearest.h"
#include "job/key.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPTIONS = 48, MOST_KEYS = 256 };

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
        return s->read(to, value, err);
    }
    return -1;
}

static bool takes(const struct option_spec *specs, const char *name) {
    while (specs->name && strcmp(specs->name, name) != 0)
        specs++;
    return specs->name;
}

/* The option that somebody may have wanted to write: one of the command, or a key of the job where
 * the command takes --set. NULL: none. */
static const char *likely(struct pool *pool, const struct option_spec *specs, const char *name) {
    const char *const *keys = takes(specs, "set") ? job_all_keys(pool) : NULL;
    const char *names[MOST_OPTIONS + MOST_KEYS];
    int n_options = 0, n = 0;

    for (; specs[n].name && n < MOST_OPTIONS; n++)
        names[n] = specs[n].name;
    n_options = n;
    for (int k = 0; keys && keys[k] && n < MOST_OPTIONS + MOST_KEYS; k++)
        names[n++] = strrchr(keys[k], '.') + 1;
    const char *near = nearest(name, names, n);
    for (int i = 0; i < n_options; i++)
        if (near == names[i])
            return pool_print(pool, "--%s", near);
    for (int i = n_options; i < n; i++)
        if (near == names[i])
            return pool_print(pool, "--set '%s'", source_setting(pool, keys[i - n_options]));
    return NULL;
}

/* "--epochs" or "--epochs=3" is no option here. */
static int unknown(const struct option_spec *specs, const char *command, const char *found,
                   struct err *err) {
    struct pool pool = {0};
    const char *written = found + strspn(found, "-");
    const char *name = pool_copy(&pool, written, strcspn(written, "="));
    const char *near = likely(&pool, specs, name);

    if (near)
        err_set(err, ERR_USAGE, "found '%s', which is no option here; did you mean %s?", found,
                near);
    else
        err_set(err, ERR_USAGE, "found '%s', which is no option here; `dltrain help %s` lists them",
                found, command);
    pool_release(&pool);
    return -1;
}

/* "-o FILE": options of one letter; the option that c is. */
static int which_letter(const struct option_spec *specs, int c, int which) {
    for (int i = 0; c && specs[i].name; i++)
        if (specs[i].name[0] == c && !specs[i].name[1])
            return i;
    return which;
}

/*   order  "+:" where the first other argument ends the options, ":" where it does not */
static int read_options(void *to, const struct option_spec *specs, const char *command,
                        const char *order, int argc, char **argv, struct err *err) {
    struct option longs[MOST_OPTIONS + 1] = {{0}};
    char letters[2 * MOST_OPTIONS + 3] = "";
    int n = 0, which = 0, c;

    strcpy(letters, order);
    for (; specs[n].name && n < MOST_OPTIONS; n++) {
        const bool flag = specs[n].kind == OPTION_FLAG;

        if (!specs[n].name[1])
            strcat(strcat(letters, specs[n].name), flag ? "" : ":");
        longs[n] = (struct option){.name = specs[n].name,
                                   .has_arg = flag ? no_argument : required_argument};
    }
    optind = opterr = 0; /* begin anew, say nothing */
    while ((c = getopt_long(argc, argv, letters, longs, &which)) >= 0) {
        if (c == ':')
            return err_set(err, ERR_USAGE, "%s needs a value", argv[optind - 1]);
        if (c == '?')
            return unknown(specs, command, argv[optind - 1], err);
        which = which_letter(specs, c, which);
        if (take(to, &specs[which], optarg, err))
            return -1;
    }
    return optind;
}

int options_read(void *to, const struct option_spec *specs, const char *command, int argc,
                 char **argv, struct err *err) {
    return read_options(to, specs, command, ":", argc, argv, err);
}

int options_read_first(void *to, const struct option_spec *specs, const char *command, int argc,
                       char **argv, struct err *err) {
    return read_options(to, specs, command, "+:", argc, argv, err);
}
