#include "job/signals.h"
#include "job/kind.h"

#include <signal.h>
#include <string.h>

/* What batch systems, launchers and shells send to those who may still do something. */
static const struct job_signal signals[] = {{"USR1", SIGUSR1}, {"USR2", SIGUSR2},
                                            {"TERM", SIGTERM}, {"INT", SIGINT},
                                            {"HUP", SIGHUP},   {"XCPU", SIGXCPU}};

enum { N_SIGNALS = sizeof signals / sizeof *signals };

const struct job_signal *job_signal_at(int i) {
    return i < N_SIGNALS ? &signals[i] : NULL;
}

/* "USR1" or "SIGUSR1"; -1: none of those. */
static int find(const char *name, size_t len) {
    const size_t prefix = len > 3 && !strncmp(name, "SIG", 3) ? 3 : 0;

    for (int i = 0; i < N_SIGNALS; i++)
        if (strlen(signals[i].name) == len - prefix &&
            !strncmp(signals[i].name, name + prefix, len - prefix))
            return i;
    return -1;
}

static const char *all_names(struct pool *pool) {
    const char *names = "";

    for (int i = 0; i < N_SIGNALS; i++)
        names = pool_print(pool, "%s%s%s", names, i ? " " : "", signals[i].name);
    return names;
}

static int read_signals(struct job *job, const struct key *key, const struct entry *entry, void *at,
                        struct err *err) {
    static const char blanks[] = " \t,";
    unsigned bits = 0;

    for (const char *word = entry->value; *(word += strspn(word, blanks));) {
        const size_t len = strcspn(word, blanks);
        const int i = find(word, len);

        if (i < 0 && strcmp(entry->value, "none") != 0)
            return pos_error(err, entry->pos, "%s: found '%.*s', expected some of %s, or none",
                             key->name, (int)len, word, all_names(&job->pool));
        bits |= i < 0 ? 0 : 1U << i;
        word += len;
    }
    *(unsigned *)at = bits;
    return 0;
}

const struct kind kind_signals = {
    .name = "signals",
    .form = "some of USR1, USR2, TERM, INT, HUP and XCPU, as in `USR1 TERM`, or `none`",
    .read = read_signals,
};
