#include "cmd/command.h"
#include "core/base/nearest.h"
#include "core/lang/syntax.h"
#include "report/screen.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COMMAND(name) extern const struct command command_##name;
#include "cmd/commands.def"
#undef COMMAND

static const struct command *const table[] = {
#define COMMAND(name) &command_##name,
#include "cmd/commands.def"
#undef COMMAND
};

enum { N_COMMANDS = sizeof table / sizeof *table };

const struct command *command_find(const char *name) {
    for (int i = 0; i < N_COMMANDS; i++)
        if (!strcmp(table[i]->name, name))
            return table[i];
    return NULL;
}

const struct command *command_at(int i) {
    return i < N_COMMANDS ? table[i] : NULL;
}

static bool names_job(const char *word) {
    const size_t len = strlen(word);

    return len > 4 && !strcmp(word + len - 4, ".ini");
}

bool command_is_job(int argc, char **argv) {
    int i = 1;

    if (argc > 1 && argv[1][0] != '-') /* `trian job.ini` is a slip, and not two jobs */
        return names_job(argv[1]);
    while (i < argc && !names_job(argv[i]))
        i++;
    return i < argc;
}

int command_unknown(const char *word, struct err *err) {
    const char *names[N_COMMANDS];

    if (!word)
        return err_set(err, ERR_USAGE,
                       "found no command, expected `dltrain JOB.ini` or a command; "
                       "`dltrain help` lists them");
    for (int i = 0; i < N_COMMANDS; i++)
        names[i] = table[i]->name;
    const char *near = nearest(word, names, N_COMMANDS);
    if (near)
        return err_set(err, ERR_USAGE,
                       "'%s' is no command and no job (JOB.ini); did you mean '%s'?", word, near);
    return err_set(err, ERR_USAGE,
                   "'%s' is no command and no job (JOB.ini); `dltrain help` lists "
                   "the commands",
                   word);
}

void command_say_error(const struct err *err) {
    char line[sizeof err->msg + 32]; /* one write, so that lines of several processes do not mix */
    const struct screen screen = screen_of(STDERR_FILENO);

    if (!err->msg[0])
        return;
    snprintf(line, sizeof line, "%sdltrain: %s%s\n", screen_ink(&screen, INK_ERROR), err->msg,
             screen_plain(&screen));
    fputs(line, stderr);
    fflush(stderr);
}

const char *command_program(struct pool *pool, struct err *err) {
    char path[PATH_MAX];
    const ssize_t len = readlink("/proc/self/exe", path, sizeof path);

    if (len > 0)
        return pool_copy(pool, path, (size_t)len);
    err_set(err, ERR_IO, "/proc/self/exe: cannot be read: %s", strerror(errno));
    return NULL;
}

int command_words(struct pool *pool, const char *text, const char **argv, int n, int most) {
    for (; *text && n < most; text += strcspn(text, " ")) {
        text += strspn(text, " ");
        if (*text)
            argv[n++] = pool_copy(pool, text, strcspn(text, " "));
    }
    return n;
}
