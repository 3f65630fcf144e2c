/* Who gets colours and letters beyond ASCII: by the environment, and on terminals alone. */
#define _XOPEN_SOURCE 700 /* posix_openpt */
#include "report/screen.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* A terminal in the place of this program's stderr, whose name it is asked for. */
static struct screen on_terminal(const char *term, const char *no_color, const char *locale) {
    const int master = posix_openpt(O_RDWR | O_NOCTTY), saved = dup(STDERR_FILENO);

    assert_true(master >= 0 && !grantpt(master) && !unlockpt(master));
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0 && dup2(slave, STDERR_FILENO) >= 0);
    setenv("TERM", term, 1);
    setenv("NO_COLOR", no_color, 1);
    setenv("LC_ALL", "", 1);
    setenv("LC_CTYPE", locale, 1);
    const struct screen screen = screen_of(STDERR_FILENO);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(slave);
    close(master);
    return screen;
}

static void terminals_have_colours_unless_asked(void **state) {
    (void)state;
    struct screen s = on_terminal("xterm", "", "en_GB.UTF-8");
    assert_true(s.moves && s.colour && s.utf8);
    assert_string_equal(screen_ink(&s, INK_WARNING), "\033[33m");
    assert_string_equal(screen_plain(&s), "\033[0m");
    s = on_terminal("xterm", "1", "C");
    assert_true(s.moves && !s.colour && !s.utf8);
    assert_string_equal(screen_ink(&s, INK_WARNING), "");
    assert_string_equal(screen_plain(&s), "");
    s = on_terminal("dumb", "", "C.utf8");
    assert_true(!s.moves && !s.colour && s.utf8);
}

static void what_is_no_terminal_has_none(void **state) {
    int ends[2];
    int columns, rows;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    const struct screen s = screen_of(ends[1]);
    assert_true(!s.moves && !s.colour);
    setenv("COLUMNS", "33", 1);
    setenv("LINES", "nonsense", 1);
    screen_size(ends[1], &columns, &rows);
    assert_int_equal(columns, 33);
    assert_int_equal(rows, 24);
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminals_have_colours_unless_asked),
        cmocka_unit_test(what_is_no_terminal_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
