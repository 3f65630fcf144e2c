/* What bash completes, by its own words: everything comes from the program's tables. */
#include "cmd/command.h"
#include "cmd/help_usage.h"
#include "printed.h"

#include <stdio.h>

/* `complete WORD...` prints, sorted, what the last word may become. */
static int setup(void **state) {
    if (program_setup(state))
        return -1;
    program_write("complete.sh", "source <($DLTRAIN help --completion bash)\n"
                                 "COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1))\n"
                                 "$(complete -p dltrain | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\n"
                                 "printf '%%s\\n' \"${COMPREPLY[@]}\" | sort | paste -sd' '\n");
    program_write("some.ini", "[let]\nrate = 1\n[data]\nbatch = 3\n");
    program_expect(0, NULL, "mkdir -p runs/one && touch runs/one/last.h5 notes.txt");
    return 0;
}

static void expect_words(const char *line, const char *expected) {
    char command[256];

    snprintf(command, sizeof command, "bash complete.sh %s", line);
    char *out = printed(command);
    out[strcspn(out, "\n")] = 0;
    if (strcmp(out, expected) != 0)
        fail_msg("%s\ncompletes\n%s\nexpected\n%s", line, out, expected);
    free(out);
}

static void commands_jobs_and_subcommands_are_completed(void **state) {
    (void)state;
    expect_words("dltrain tra", "train");
    expect_words("dltrain so", "some.ini");
    expect_words("dltrain data sp", "split");
    expect_words("dltrain data import ci", "cifar");
    expect_words("dltrain help global_m", "global_maxpool");
}

static void options_are_those_of_the_command(void **state) {
    (void)state;
    expect_words("dltrain train --",
                 "--dry-run --emulate-ranks --end --help --overfit --resume --set --until");
    expect_words("dltrain some.ini --r", "--resume");
    expect_words("dltrain data import --ori", "--orientation");
    expect_words("dltrain show --res", "");
}

static void keys_and_constants_follow_set(void **state) {
    (void)state;
    expect_words("dltrain train some.ini --set data.b", "data.batch=");
    expect_words("dltrain train some.ini --set ep", "epochs=");
    expect_words("dltrain train some.ini --set ra", "rate=");
    expect_words("dltrain train --set ra", "");
}

static void files_are_those_that_a_command_takes(void **state) {
    (void)state;
    expect_words("dltrain show \"\"", "runs some.ini");
    expect_words("dltrain eval runs/", "runs/one");
    expect_words("dltrain eval runs/one/", "runs/one/last.h5");
    expect_words("dltrain eval some.ini --weights not", "notes.txt");
}

static void every_option_of_every_command_is_completed(void **state) {
    struct usage_option o[USAGE_OPTIONS];
    char line[128], expected[64];

    (void)state;
    for (int i = 0; command_at(i); i++) {
        const int n = usage_options(command_at(i)->usage, o);
        snprintf(line, sizeof line, "bash complete.sh dltrain %s --", command_at(i)->name);
        char *out = printed(line);
        for (int k = 0; k < n; k++) {
            snprintf(expected, sizeof expected, "--%.31s", o[k].name);
            if (!strstr(out, expected))
                fail_msg("%s: no %s in %s", command_at(i)->name, expected, out);
        }
        free(out);
    }
}

static void the_script_of_zsh_is_one(void **state) {
    struct program_run run = program_run("command -v zsh");

    (void)state;
    if (run.code) /* the text is still made */
        expect_text("$DLTRAIN help --completion zsh", "#compdef dltrain\n");
    else
        program_expect(0, NULL, "$DLTRAIN help --completion zsh >_dltrain && zsh -n _dltrain");
    program_release(&run);
}

static void a_usage_is_taken_apart(void **state) {
    static const char usage[] = "dltrain x FILE [--seed N] [--json]\n"
                                "          [--set A=B]...\n"
                                "\n"
                                "  --seed N   of the draw,\n"
                                "             whatever --mpi it is\n"
                                "  --a, --b   both\n"
                                "dltrain x sub --like imagenet | --folds 5\n"
                                "  dltrain x FILE --mpi=1\n";
    static const char *const names[] = {"seed", "json", "set", "a", "b", "like", "folds"};
    static const char *const values[] = {"N", "", "A=B", "", "", "imagenet", "5"};
    const struct command command = {.name = "x", .usage = usage};
    struct usage_option o[USAGE_OPTIONS];
    char name[USAGE_NAME];

    (void)state;
    assert_int_equal(usage_options(usage, o), 7);
    for (int i = 0; i < 7; i++) {
        assert_string_equal(o[i].name, names[i]);
        assert_string_equal(o[i].value, values[i]);
    }
    assert_int_equal(o[0].help_len, strlen("of the draw,"));
    assert_memory_equal(o[3].help, "both", 4);
    assert_true(usage_subcommand(&command, 0, name));
    assert_string_equal(name, "sub");
    assert_false(usage_subcommand(&command, 1, name));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_jobs_and_subcommands_are_completed),
        cmocka_unit_test(options_are_those_of_the_command),
        cmocka_unit_test(keys_and_constants_follow_set),
        cmocka_unit_test(files_are_those_that_a_command_takes),
        cmocka_unit_test(every_option_of_every_command_is_completed),
        cmocka_unit_test(the_script_of_zsh_is_one),
        cmocka_unit_test(a_usage_is_taken_apart),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
