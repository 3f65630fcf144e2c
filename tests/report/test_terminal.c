/* What is printed of events, on a terminal and elsewhere. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "report/terminal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/*   moves  it is a terminal, of so many columns; seconds: since the last line of progress */
static struct terminal open_terminal(FILE *out, bool moves, int columns, double seconds) {
    struct terminal t;

    terminal_init(&t);
    t.out = out;
    t.moves = moves;
    t.columns = columns;
    t.last -= seconds;
    return t;
}

static void tell(struct terminal *t, const struct event *e) {
    t->sink.kind->take(&t->sink, e);
}

/* Two steps in the middle of epoch 2 of 4, of which the generator has not run yet. */
static void tell_step(struct terminal *t) {
    static const double loss[] = {0.5, NAN}, lr[] = {0.1, 0.2};
    static struct job job = {.n_steps = 2};
    static const struct progress progress = {.step = 15, .steps_per_epoch = 10, .total_steps = 40};

    job.step[0].name = "critic", job.step[1].name = "generator";
    tell(t, &(struct event){
                .kind = EVENT_STEP,
                .job = &job,
                .progress = &progress,
                .step = {.loss = loss, .lr = lr, .img_per_s = 123.4, .left_s = 2 * 3600 + 62}});
}

#define LINE "epoch 1.50/4  step 15/40  critic loss 0.5000  lr 0.1  123 images/s  2:01:02 left"

static void expect(bool moves, int columns, double seconds, const char *expected) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    struct terminal t = open_terminal(out, moves, columns, seconds);
    tell_step(&t);
    tell_step(&t); /* too soon for another */
    tell(&t, &(struct event){.kind = EVENT_NOTE, .text = "100 % of it"});
    tell(&t, &(struct event){.kind = EVENT_WARNING, .text = "no"});
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void a_terminal_has_one_line_that_moves(void **state) {
    (void)state;
    expect(true, 100, 1, "\r\033[K" LINE "\r\033[K100 % of it\nwarning: no\n");
}

/* One that the terminal breaks cannot be taken back; the last column stays free. */
static void a_line_that_moves_is_cut_to_the_terminal(void **state) {
    (void)state;
    expect(true, 30, 1, "\r\033[Kepoch 1.50/4  step 15/40  cri\r\033[K100 % of it\nwarning: no\n");
}

/* The program's own message follows on stderr. */
static void an_open_line_is_ended_before_an_error(void **state) {
    const struct err err = {.kind = ERR_DATA, .msg = "broken"};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    struct terminal t = open_terminal(out, true, 100, 1);
    tell_step(&t);
    tell(&t, &(struct event){.kind = EVENT_END, .end = {.err = &err}});
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "\r\033[K" LINE "\n");
    free(text);
}

static void elsewhere_lines_stay(void **state) {
    (void)state;
    expect(false, 0, 11, LINE "\n100 % of it\nwarning: no\n");
    expect(false, 0, 1, "100 % of it\nwarning: no\n");
}

static void a_run_that_fails_has_no_result(void **state) {
    const struct err err = {.kind = ERR_DATA, .msg = "broken"};
    struct terminal t = open_terminal(NULL, false, 0, 0);

    (void)state;
    tell(&t, &(struct event){.kind = EVENT_END, .end = {.err = &err}});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_has_one_line_that_moves),
        cmocka_unit_test(a_line_that_moves_is_cut_to_the_terminal),
        cmocka_unit_test(an_open_line_is_ended_before_an_error),
        cmocka_unit_test(elsewhere_lines_stay),
        cmocka_unit_test(a_run_that_fails_has_no_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
