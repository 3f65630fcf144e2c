#define _DEFAULT_SOURCE /* winsize */
#include "report/screen.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SCREEN_PATH = 64 };

/* mpirun is the parent of a rank on its own host, and of no other. "": no terminal. */
static const char *user_terminal(int fd, char path[SCREEN_PATH]) {
    char link[64], target[SCREEN_PATH];

    if (getenv("OMPI_COMM_WORLD_RANK"))
        snprintf(link, sizeof link, "/proc/%ld/fd/%d", (long)getppid(), fd);
    else
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, target, sizeof target - 1);
    target[len > 0 ? len : 0] = 0;
    if (strncmp(target, "/dev/pts/", 9) != 0 && strncmp(target, "/dev/tty", 8) != 0)
        target[0] = 0;
    memcpy(path, target, SCREEN_PATH);
    return path;
}

/* Source: locale(7): the first of these that is set and not empty. */
static bool locale_is_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]), *dot;
        if (!value || !*value)
            continue;
        dot = strrchr(value, '.');
        return dot && (!strncasecmp(dot, ".utf-8", 6) || !strncasecmp(dot, ".utf8", 5));
    }
    return false;
}

struct screen screen_of(int fd) {
    const char *term = getenv("TERM"), *refused = getenv("NO_COLOR");
    char path[SCREEN_PATH];
    const bool moves =
        isatty(fd) && *user_terminal(fd, path) && !(term && strcmp(term, "dumb") == 0);

    return (struct screen){
        .moves = moves, .colour = moves && !(refused && *refused), .utf8 = locale_is_utf8()};
}

static int number_in(const char *variable, int fallback) {
    const char *text = getenv(variable);

    return text && atoi(text) > 0 ? atoi(text) : fallback;
}

void screen_size(int fd, int *columns, int *rows) {
    struct winsize size = {0};
    char path[SCREEN_PATH];
    const int file = open(user_terminal(fd, path), O_RDONLY | O_NOCTTY | O_CLOEXEC);

    if (file >= 0) {
        (void)ioctl(file, TIOCGWINSZ, &size);
        close(file);
    }
    *columns = size.ws_col ? size.ws_col : number_in("COLUMNS", 80);
    *rows = size.ws_row ? size.ws_row : number_in("LINES", 24);
}

/* Colours of the terminal's own palette, which fit its background. Source: ECMA-48, 8.3.117. */
const char *screen_ink(const struct screen *s, enum ink ink) {
    static const char *const inks[] = {[INK_GOOD] = "\033[32m",
                                       [INK_WARNING] = "\033[33m",
                                       [INK_ERROR] = "\033[31m",
                                       [INK_BAR] = "\033[36m",
                                       [INK_DIM] = "\033[2m"};

    return s->colour ? inks[ink] : "";
}

const char *screen_plain(const struct screen *s) {
    return s->colour ? "\033[0m" : "";
}
