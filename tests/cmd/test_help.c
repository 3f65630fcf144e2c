/* What help says comes from the tables by which the program reads; the pages in docs/ come from
 * help. */
#include "cmd/words.h"
#include "core/base/foreign.h"
#include "job/key.h"
#include "printed.h"

#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void help_explains_commands_words_and_keys(void **state) {
    (void)state;
    expect_text("$DLTRAIN help", "mpirun -np 16 dltrain JOB.ini");
    expect_text("$DLTRAIN --help", "mpirun -np 16 dltrain JOB.ini");
    expect_text("$DLTRAIN help train", "--resume");
    expect_text("$DLTRAIN bench --help", "dltrain bench JOB.ini [--steps N]");
    expect_text("$DLTRAIN data import -h", "dltrain data import IMPORTER SOURCE");
    expect_text("$DLTRAIN help conv", "conv(channels, kernel=3, stride=1, pad=same, dilation=1,");
    expect_text("$DLTRAIN help conv", "channels       of the output (required)");
    expect_text("$DLTRAIN help adam", "beta1=0.9");
    expect_text("$DLTRAIN help keys", "[checkpoint]");
    expect_text("$DLTRAIN help checkpoint", "how often last.h5 is replaced");
    expect_text("$DLTRAIN help language", "cross_entropy(");
    expect_text("$DLTRAIN --version", "dltrain 0.");
}

static void help_of_a_key_has_its_kind_range_unit_and_default(void **state) {
    (void)state;
    expect_text("$DLTRAIN help bucket", "bucket = 4 ");
    expect_text("$DLTRAIN help bucket", " number of MiB, 0.001 to 4096\n");
    expect_text("$DLTRAIN help seed", " whole number, at least 0\n");
    expect_text("$DLTRAIN help clip_norm", " number, above 0\n");
    expect_text("$DLTRAIN help sampling", " shuffle or balanced\n");
    expect_text("$DLTRAIN help last", "interval: 2 epochs, 0.5 epochs, 500 steps or never\n");
    expect_text("$DLTRAIN help optimizer", "optimizer (required) ");
    expect_text("$DLTRAIN help optimizer", "word: sgd, ");
    expect_text("$DLTRAIN help every", "[log]\n  every = 10 "); /* and those of other sections */
    expect_text("$DLTRAIN help every", "[step], [step NAME]\n  every = 1 ");
}

/* `data` is a command and a section. */
static void help_of_a_command_has_its_section(void **state) {
    (void)state;
    expect_text("$DLTRAIN help data", "dltrain data info FILE.h5");
    expect_text("$DLTRAIN help data", "  cache = 1024 ");
}

static void names_that_are_nearly_one_are_suggested(void **state) {
    (void)state;
    program_expect(64, "help: 'nonsense' is no command, word or section", "$DLTRAIN help nonsense");
    program_expect(64, "did you mean 'maxpool'?", "$DLTRAIN help maxpol");
    program_expect(64, "did you mean 'checkpoint'?", "$DLTRAIN help chekpoint");
    program_expect(64, "did you mean 'clip_norm'?", "$DLTRAIN help clip_nrm");
    program_expect(64, "did you mean 'bench'?", "$DLTRAIN help bensh");
    program_expect(64, "help: found 'bn' after 'conv', expected one word", "$DLTRAIN help conv bn");
}

static void help_knows_sections_keys_and_arguments_as_jobs_write_them(void **state) {
    (void)state;
    expect_text("$DLTRAIN help dist.audit", "[dist]\n  audit = 100 ");
    expect_text("$DLTRAIN help '[log]'", "[log]  what is written down");
    expect_text("$DLTRAIN help step.G.ema", "  ema = none ");
    expect_text("$DLTRAIN help LARS", "  lars(lr, momentum=0.9");
    expect_text("$DLTRAIN help lr", "Optimisers: lamb\n      lr ");
    program_expect(64, "'data.nonsense' is no command", "$DLTRAIN help data.nonsense");
}

static void help_knows_what_others_call_it(void **state) {
    (void)state;
    expect_text("$DLTRAIN help BatchNorm2d", "'BatchNorm2d' is called bn here\n\nOperators\n  bn(");
    expect_text("$DLTRAIN help CrossEntropyLoss", "  cross_entropy(");
    expect_text("$DLTRAIN help learning_rate", "called lr here\n\nOptimisers: sgd\n");
    expect_text("$DLTRAIN help batch_size", "[data]\n  batch = 128 ");
    expect_text("$DLTRAIN help Conv2d", "  conv(channels, kernel=3");
    expect_text("$DLTRAIN help MaxPool2d", "  maxpool(kernel=2");
    expect_text("$DLTRAIN help Dense", "  linear(");
}

/* Every translation is a command, word, section, key or argument. */
static void translations_exist(void **state) {
    const char *ours;
    char command[128];

    (void)state;
    for (int i = 0; (ours = foreign_at(i)); i++) {
        snprintf(command, sizeof command, "$DLTRAIN help %s", ours);
        program_expect(0, NULL, command);
    }
}

static void a_key_given_as_an_option_or_alone_is_named(void **state) {
    (void)state;
    program_expect(64,
                   "found '--epochs', which is no option here; did you mean --set 'epochs=VALUE'?",
                   "$DLTRAIN train none.ini --epochs 3");
    program_expect(64, "did you mean --set 'data.batch=VALUE'?",
                   "$DLTRAIN train none.ini --batch-size=3");
    program_expect(64, "did you mean --set 'step.optimizer=WORD(lr=VALUE)'?",
                   "$DLTRAIN train none.ini --lr 0.1");
    program_expect(64, "did you mean --resume?", "$DLTRAIN train none.ini --resme");
}

static void every_word_section_and_key_is_listed(void **state) {
    char *words = printed("$DLTRAIN help language"), *keys = printed("$DLTRAIN help keys");
    const struct job_section *s;
    const struct vocabulary *v;
    char text[128];
    struct word w;

    (void)state;
    for (int k = 0; (v = vocabulary_at(k)); k++)
        for (int i = 0; v->at(i, &w); i++) {
            snprintf(text, sizeof text, "\n  %s%s", w.name, w.args && w.args->name ? "(" : "\n");
            if (!strstr(words, text))
                fail_msg("%s: %s is not listed", v->title, w.name);
        }
    for (int i = 0; (s = job_section_at(i)); i++)
        for (const struct key *k = s->keys; k && k->name; k++) {
            snprintf(text, sizeof text, "\n  %s ", k->name);
            if (!strstr(keys, text))
                fail_msg("[%s] %s is not listed", s->kind, k->name);
        }
    free(words);
    free(keys);
}

/* In the manual and in messages. */
static void commands_that_are_named_exist(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN help > commands && home=$PWD && cd $CONFIGS/.. && "
                   "grep -rohP \"\\x60dltrain \\K[a-z][a-z_-]*(?=[ \\x60])\" README.md docs src | "
                   "sort -u > $home/named && cd $home && [ $(wc -l < named) -gt 10 ] && "
                   "while read -r name; do grep -q \"^  $name  *[a-z]\" commands || "
                   "{ echo $name; exit 1; }; done < named");
}

/* Where this fails, scripts/docs writes them anew. */
static void the_pages_are_what_the_program_prints(void **state) {
    (void)state;
    program_expect(0, NULL, "$DLTRAIN help keys --markdown | diff - $CONFIGS/../docs/keys.md");
    program_expect(0, NULL,
                   "$DLTRAIN help onnx --markdown | diff - $CONFIGS/../docs/onnx_operators.md");
    program_expect(0, NULL, "$DLTRAIN help language --markdown | diff - $CONFIGS/../docs/words.md");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_explains_commands_words_and_keys),
        cmocka_unit_test(help_of_a_key_has_its_kind_range_unit_and_default),
        cmocka_unit_test(help_of_a_command_has_its_section),
        cmocka_unit_test(names_that_are_nearly_one_are_suggested),
        cmocka_unit_test(help_knows_sections_keys_and_arguments_as_jobs_write_them),
        cmocka_unit_test(help_knows_what_others_call_it),
        cmocka_unit_test(translations_exist),
        cmocka_unit_test(a_key_given_as_an_option_or_alone_is_named),
        cmocka_unit_test(every_word_section_and_key_is_listed),
        cmocka_unit_test(commands_that_are_named_exist),
        cmocka_unit_test(the_pages_are_what_the_program_prints),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
