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
    t.screen = (struct screen){.moves = moves};
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
    expect(true, 101, 1, "\r\033[K 37%  [###.......]  " LINE "\r\033[K100 % of it\nwarning: no\n");
}

/* One that the terminal breaks cannot be taken back; the last column stays free. */
static void a_line_that_moves_fits_the_terminal(void **state) {
    (void)state;
    expect(true, 80, 1,
           "\r\033[K 37%  [###......]  epoch 1.50/4  critic loss 0.5000  123 images/s  2:01:02 left"
           "\r\033[K100 % of it\nwarning: no\n");
    expect(true, 40, 1,
           "\r\033[K 37%  critic loss 0.5000  2:01:02 left\r\033[K100 % of it\nwarning: no\n");
    expect(true, 4, 1, "\r\033[K 37\r\033[K100 % of it\nwarning: no\n");
}

/* The loss so far is drawn beside it; what a terminal cannot show is not sent. */
static void colours_and_blocks_are_for_terminals_that_have_them(void **state) {
    static const struct progress progress = {.step = 2, .steps_per_epoch = 2, .total_steps = 4};
    static struct job job = {.n_steps = 1};
    static const double lr = 0.1;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    job.step[0].name = "";
    struct terminal t = open_terminal(out, true, 120, 0);
    t.screen.colour = t.screen.utf8 = true;
    for (int i = 8; i > 0; i--) {
        const double loss = i;
        t.last -= i == 1 ? 1 : 0;
        tell(&t, &(struct event){.kind = EVENT_STEP,
                                 .job = &job,
                                 .progress = &progress,
                                 .step = {.loss = &loss, .lr = &lr}});
    }
    tell(&t, &(struct event){.kind = EVENT_WARNING, .text = "no"});
    assert_int_equal(fclose(out), 0);
    assert_string_equal(
        text, "\r\033[K 50%  \033[36m|██████████████              |\033[0m  epoch 1.00/2  "
              "step 2/4  loss 1.0000  \033[36m█▇▆▅▄▃▂▁\033[0m  lr 0.1  "
              "0 images/s  0:00:00 left"
              "\r\033[K\033[33mwarning: no\033[0m\n");
    free(text);
}

static void a_pass_over_data_moves_on_terminals_and_is_gone_at_its_end(void **state) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    for (int moves = 1; moves >= 0; moves--) {
        struct terminal t = open_terminal(out, moves, 42, 11);
        for (int64_t i = 1; i <= 3; i++)
            tell(&t, &(struct event){.kind = EVENT_PASS, .pass = {"validation", i, 3}});
    }
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "\r\033[K 33%  [###.......]  validation  batch 1/3\r\033[K");
    free(text);
}

/* The program's own message follows on stderr. */
static void an_open_line_is_ended_before_an_error(void **state) {
    const struct err err = {.kind = ERR_DATA, .msg = "broken"};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    struct terminal t = open_terminal(out, true, 101, 1);
    tell_step(&t);
    tell(&t, &(struct event){.kind = EVENT_END, .end = {.err = &err}});
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "\r\033[K 37%  [###.......]  " LINE "\n");
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
        cmocka_unit_test(a_line_that_moves_fits_the_terminal),
        cmocka_unit_test(colours_and_blocks_are_for_terminals_that_have_them),
        cmocka_unit_test(a_pass_over_data_moves_on_terminals_and_is_gone_at_its_end),
        cmocka_unit_test(an_open_line_is_ended_before_an_error),
        cmocka_unit_test(elsewhere_lines_stay),
        cmocka_unit_test(a_run_that_fails_has_no_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
