#include "core/base/memory.h"
#include "core/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* The address sanitizer would end the program in place of the allocation. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

static void what_is_there_may_be_had(void **state) {
    struct err err = {0};

    (void)state;
    assert_int_equal(memory_probe(1 << 20, "a test", &err), 0);
    assert_int_equal(err.kind, 0);
    assert_int_equal(memory_probe(SIZE_MAX >> 1, "a test", &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(err.msg, "not enough memory: a test needs 8796093022207 MiB");
}

/* In a child; what it printed is in text[]. Returns its exit code, or 128 + the signal. */
static int code_of(void (*act)(void), char text[256]) {
    int fd[2], status;

    assert_int_equal(pipe(fd), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        dup2(fd[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(fd[1]);
    const ssize_t n = read(fd[0], text, 255);
    text[n > 0 ? n : 0] = 0;
    close(fd[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void take_too_much(void) {
    struct pool pool = {0};

    pool_take(&pool, SIZE_MAX >> 2);
}

static void a_pool_without_memory_ends_the_program(void **state) {
    char text[256];

    (void)state;
    assert_int_equal(code_of(take_too_much, text), ERR_IO);
    const char *line = strstr(text, "dltrain: "); /* a sanitizer warns before it */
    assert_non_null(line);
    assert_string_equal(line, "dltrain: not enough memory: 4611686018427387903 bytes are needed\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_may_be_had),
        cmocka_unit_test(a_pool_without_memory_ends_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
