#include "core/lang/job_files.h"

static const char resnet[] = "; a network as in the manual\n"
                             "[block bottleneck(x, width, stride=1)]\n"
                             "y   = x | conv(width, 1) | bn\n"
                             "out = y + x | relu\n"
                             "\n"
                             "[net resnet(image, classes=[10, 5])]\n"
                             "layer1 = image\n"
                             "    | bottleneck(64)^3   ; three of them\n"
                             "# a remark between\n"
                             "\n"
                             "    | bottleneck(128, stride=2)\n"
                             "fc = layer1 | arch(\"C64 ;B\")\n";
static const char job[] = "[job]\n"
                          "include = sub/resnet.ini ; and more\n"
                          "model   = resnet(classes=10)\n"
                          "[let]\n"
                          "lr = 0.1\n"
                          "[data]\n"
                          "train = data/cifar10.h5:train\n";

/* The value of a key, or NULL. */
static const char *value(const struct source *s, const char *kind, const char *name,
                         const char *key) {
    const struct section *section = source_find(s, kind, name);
    const struct entry *entry = section ? section_find(section, key) : NULL;

    return entry ? entry->value : NULL;
}

static void refused(struct job_files *files, const char *text, enum err_kind kind,
                    const char *message) {
    struct source s;
    struct err err = {0};

    assert_int_equal(source_read(&s, job_file(files, "a.ini", text), NULL, 0, NULL, &err), -1);
    check_message(files, err.msg, message);
    assert_int_equal(err.kind, kind);
    assert_null(s.pool.first);
}

static void values_are_joined_and_freed_of_comments(void **state) {
    struct source s;

    job_file(*state, "sub/resnet.ini", resnet);
    job_read(&s, job_file(*state, "a.ini", job), NULL, 0);
    assert_string_equal(value(&s, "net", "resnet", "layer1"),
                        "image | bottleneck(64)^3 | bottleneck(128, stride=2)");
    assert_string_equal(value(&s, "net", "resnet", "fc"), "layer1 | arch(\"C64 ;B\")");
    assert_string_equal(value(&s, "data", NULL, "train"), "data/cifar10.h5:train");
    assert_null(value(&s, "job", "", "include"));
    source_release(&s);
    source_release(&s);
}

static void headers_give_inputs_and_defaults(void **state) {
    struct source s;

    job_read(&s, job_file(*state, "a.ini", resnet), NULL, 0);
    const struct section *block = source_find(&s, "block", "bottleneck");
    const struct section *net = source_find(&s, "net", "resnet");
    assert_int_equal(block->n_params, 3);
    assert_string_equal(block->params[1].name, "width");
    assert_null(block->params[1].fallback);
    assert_true(block->params[2].fallback->number == 1);
    assert_int_equal(block->params[2].pos.column, 29);
    assert_int_equal(net->pos.line, 6);
    assert_int_equal(net->params[1].fallback->kind, EXPR_LIST);
    assert_int_equal(source_find(&s, "net", "resnet")->n_entries, 2);
    assert_null(source_find(&s, "net", "bottleneck"));
    source_release(&s);
}

static void including_file_wins_key_by_key_but_net_by_net(void **state) {
    struct source s;

    job_file(*state, "b.ini",
             "[step]\nloss = a\ntrain = m\n[net m(x)]\ny = x\nz = y\n[let]\nk = 1\n");
    job_read(
        &s,
        job_file(*state, "a.ini",
                 "[net m(x, n=2)]\nz = x\n[job]\ninclude = b.ini\n[step]\nloss = b\nnew = c\n"),
        NULL, 0);
    assert_int_equal(s.n_sections, 4);
    assert_string_equal(s.sections[0].kind, "step"); /* in the place of the included one */
    assert_string_equal(s.sections[0].entries[0].value, "b");
    assert_string_equal(s.sections[0].entries[1].value, "m");
    assert_string_equal(s.sections[0].entries[2].value, "c");
    assert_int_equal(s.sections[1].n_params, 2);
    assert_null(value(&s, "net", "m", "y"));
    assert_string_equal(value(&s, "let", "", "k"), "1");
    source_release(&s);
}

static void file_included_twice_is_read_once(void **state) {
    struct source s;

    job_file(*state, "sub/base.ini", "[let]\nk = 1\nm = 1\n");
    job_file(*state, "sub/b.ini", "[job]\ninclude = base.ini\n[let]\nk = 2\n");
    job_file(*state, "sub/c.ini", "[job]\ninclude = ../sub/base.ini\n[let]\nm = 3\n");
    job_read(&s, job_file(*state, "a.ini", "[job]\ninclude = sub/b.ini\n  sub/c.ini\n"), NULL, 0);
    assert_string_equal(value(&s, "let", "", "k"), "2"); /* base.ini read again would give 1 */
    assert_string_equal(value(&s, "let", "", "m"), "3");
    source_release(&s);
}

static void include_cycle_is_named_in_full(void **state) {
    job_file(*state, "b.ini", "[job]\ninclude = c.ini\n");
    job_file(*state, "c.ini", "[job]\ninclude =\n   b.ini\n");
    refused(*state, "[job]\ninclude = b.ini\n", ERR_CONFIG,
            "DIR/c.ini:3:4: include cycle: DIR/b.ini -> DIR/c.ini -> DIR/b.ini");
    refused(*state, "[job]\ninclude = a.ini\n", ERR_CONFIG,
            "DIR/a.ini:2:11: include cycle: DIR/a.ini -> DIR/a.ini");
}

/* The user may never have seen the file with the mistake. */
static void errors_in_an_included_file_say_who_includes_it(void **state) {
    job_file(*state, "b.ini", "[job]\ninclude = c.ini\n");
    job_file(*state, "c.ini", "[let]\nx-y = 1\n");
    refused(*state, "[job]\n\ninclude = b.ini\n", ERR_CONFIG,
            "DIR/c.ini:2:1: found 'x-y', expected a key of letters, digits and _ before '=' "
            "(included by "
            "DIR/b.ini:2) (included by DIR/a.ini:3)");
}

static void missing_files_name_the_place_of_the_include(void **state) {
    struct source s;
    struct err err = {0};

    job_file(*state, "b.ini", "");
    refused(*state, "[job]\nname = x\ninclude = b.ini   none.ini\n", ERR_IO,
            "DIR/a.ini:3:19: cannot open 'DIR/none.ini': No such file or directory");
    assert_int_equal(source_read(&s, "/none/such.ini", NULL, 0, NULL, &err), -1);
    assert_string_equal(err.msg, "/none/such.ini: cannot open: No such file or directory");
    assert_int_equal(err.kind, ERR_IO);
}

static void folder_is_not_a_job(void **state) {
    struct job_files *files = *state;
    struct source s;
    struct err err = {0};

    assert_int_equal(source_read(&s, files->dir, NULL, 0, NULL, &err), -1);
    check_message(files, err.msg, "DIR: cannot open: it is a folder");
    assert_int_equal(err.kind, ERR_IO);
}

static void second_key_or_section_names_the_first(void **state) {
    refused(
        *state, "[let]\nlr = 1\n lr = 2\nlr = 3\n", ERR_CONFIG,
        "DIR/a.ini:4:1: found a second 'lr' in [let], expected one; the first is at DIR/a.ini:2:1");
    refused(*state, "[step]\na = 1\n[let]\n[step]\nb = 1\n", ERR_CONFIG,
            "DIR/a.ini:4:1: found a second [step], expected one; the first is at DIR/a.ini:1:1");
    refused(*state, "[net f(x)]\n[net  f(y)]\n", ERR_CONFIG,
            "DIR/a.ini:2:1: found a second [net f], expected one; the first is at DIR/a.ini:1:1");
}

static void malformed_lines_are_refused(void **state) {
    refused(*state, "[let]\nlr\n", ERR_CONFIG,
            "DIR/a.ini:2:1: found 'lr', expected KEY = VALUE or [SECTION]");
    refused(*state, "[let]\nlr ; = 3", ERR_CONFIG,
            "DIR/a.ini:2:1: found 'lr', expected KEY = VALUE or [SECTION]");
    refused(*state, "[let]\nlr : 3\nx = 1", ERR_CONFIG,
            "DIR/a.ini:2:1: found 'lr : 3', expected KEY = VALUE or [SECTION]");
    refused(
        *state, "[let]\nlearning rate = 3\n", ERR_CONFIG,
        "DIR/a.ini:2:1: found 'learning rate', expected a key of letters, digits and _ before '='");
    refused(*state, "[let]\n= 3\n", ERR_CONFIG,
            "DIR/a.ini:2:1: found '', expected a key of letters, digits and _ before '='");
    refused(*state, "\nlr = 3\n", ERR_CONFIG,
            "DIR/a.ini:2:1: found 'lr', expected a [SECTION] before the first key");
    refused(*state, "[let\nlr = 3\n", ERR_CONFIG,
            "DIR/a.ini:1:5: found end of line, expected ']' to close '[' at column 1");
    refused(*state, "[let] lr = 3\n", ERR_CONFIG,
            "DIR/a.ini:1:7: found 'lr', expected end of line after ']'");
    refused(*state, "[net f(x, y]\n", ERR_CONFIG,
            "DIR/a.ini:1:12: found ']', expected ',' or ')' to close '(' at column 7");
    refused(*state, "[net f(x, x)]\n", ERR_CONFIG,
            "DIR/a.ini:1:11: found a second 'x', expected one; the first is at column 8");
    refused(*state, "[net]\n", ERR_CONFIG,
            "DIR/a.ini:1:5: found ']', expected the name of the net or block");
    refused(*state, "[step f(x)]\n", ERR_CONFIG,
            "DIR/a.ini:1:8: found '(', expected ']' to close '[' at column 1");
    refused(*state, "[]\n", ERR_CONFIG,
            "DIR/a.ini:1:2: found ']', expected a section's name, such as job or net");
}

/* A line of `before`, n letters and a line end. */
static const char *long_line(char text[1024], const char *before, int n) {
    strcpy(text, before);
    memset(text + strlen(before), 'a', (size_t)n + 1);
    strcpy(text + strlen(before) + n, "\n");
    return text;
}

/* 199 and 49 are where Debian's inih cuts lines, and section names and keys. */
static void long_lines_and_names_are_never_cut(void **state) {
    char text[1024], key[128];
    struct source s;

    refused(*state, long_line(text, "[job]\nname = ", 193), ERR_CONFIG,
            "DIR/a.ini:2:200: line of 200 characters, expected at most 199");
    refused(*state, long_line(text, "[job]\nname =\n ", 299), ERR_CONFIG,
            "DIR/a.ini:3:200: line of 300 characters, expected at most 199");
    refused(*state, long_line(text, "[job]\n; ", 198), ERR_CONFIG,
            "DIR/a.ini:2:200: line of 200 characters, expected at most 199");
    job_read(&s, job_file(*state, "a.ini", long_line(text, "[job]\nname = ", 192)), NULL, 0);
    assert_int_equal(strlen(value(&s, "job", "", "name")), 192);
    source_release(&s);
    memset(key, 'k', 100);
    key[100] = '\0';
    snprintf(text, sizeof text, "[step %s]\n%s = 1\n  + 2\n%s2 = 3\n", key, key, key);
    job_read(&s, job_file(*state, "a.ini", text), NULL, 0);
    assert_string_equal(value(&s, "step", key, key), "1 + 2");
    assert_int_equal(source_find(&s, "step", key)->n_entries, 2);
    source_release(&s);
}

static void byte_order_mark_and_carriage_returns_are_accepted(void **state) {
    struct source s;

    job_read(&s, job_file(*state, "a.ini", "\xef\xbb\xbf[job]\r\nname = x\r\n  y\r\nseed = 3"),
             NULL, 0);
    assert_string_equal(value(&s, "job", "", "name"), "x y");
    assert_string_equal(value(&s, "job", "", "seed"), "3");
    source_release(&s);
}

static void sets_override_constants_keys_and_sections(void **state) {
    const char *sets[] = {"lr=0.4",      "steps = 7",           "model=m(a=1)", "data.batch=64",
                          "log.every=3", "net.resnet.fc=\"=\"", "lr=0.5",       "data.train="};
    struct source s;

    job_file(*state, "sub/resnet.ini", resnet);
    job_read(&s, job_file(*state, "a.ini", job), sets, 8);
    assert_string_equal(value(&s, "let", "", "lr"), "0.5");
    assert_null(value(&s, "job", "", "lr"));
    assert_string_equal(value(&s, "job", "", "steps"), "7");
    assert_string_equal(value(&s, "job", "", "model"), "m(a=1)");
    assert_string_equal(value(&s, "data", "", "batch"), "64");
    assert_string_equal(value(&s, "data", "", "train"), "");
    assert_string_equal(value(&s, "log", "", "every"), "3");
    assert_string_equal(value(&s, "net", "resnet", "fc"), "\"=\"");
    const struct entry *steps = section_find(source_find(&s, "job", ""), "steps");
    assert_string_equal(steps->pos.file, "--set");
    assert_int_equal(steps->pos.line, 2);
    assert_int_equal(steps->pos.column, 9);
    source_release(&s);
}

static void known_job_key_is_set_without_a_job_section(void **state) {
    const char *sets[] = {"epochs=3"};
    struct source s;

    job_read(&s, job_file(*state, "a.ini", "[let]\nx = 1\n"), sets, 1);
    assert_string_equal(value(&s, "job", "", "epochs"), "3");
    source_release(&s);
}

static void wrong_sets_are_usage_errors(void **state) {
    static const struct {
        const char *set, *message;
    } cases[] = {
        {"epoch=3", "--set: nothing is called 'epoch'; did you mean epochs=VALUE?"},
        {"lrr=3", "--set: nothing is called 'lrr'; did you mean lr?"},
        {"batch=3", "--set: nothing is called 'batch'; did you mean data.batch=VALUE or "
                    "validate.batch=VALUE?"},
        {"batch_size=3", "--set: nothing is called 'batch_size'; did you mean data.batch=VALUE or "
                         "validate.batch=VALUE?"},
        {"rate=3",
         "--set: nothing is called 'rate'; did you mean step.optimizer=WORD(rate=VALUE)?"},
        {"max_epochs=3", "--set: nothing is called 'max_epochs'; did you mean epochs=VALUE?"},
        {"nothing=3", "--set: nothing is called 'nothing', expected a constant of [let], a key of "
                      "[job] or SECTION.KEY"},
        {"lr", "--set: found 'lr', expected NAME=VALUE"},
        {"=3", "--set: found '' before '=', expected NAME, SECTION.KEY or SECTION.NAME.KEY"},
        {" =3", "--set: found ' ' before '=', expected NAME, SECTION.KEY or SECTION.NAME.KEY"},
        {"a.b.c.d=3",
         "--set: found 'a.b.c.d' before '=', expected NAME, SECTION.KEY or SECTION.NAME.KEY"},
        {"data.=3",
         "--set: found 'data.' before '=', expected NAME, SECTION.KEY or SECTION.NAME.KEY"},
        {"net.resnt.fc=3", "--set: there is no [net resnt]; did you mean net.resnet?"},
        {"step.fake.loss=3", "--set: there is no [step fake]"},
        {"lr=3 ; why", "--set: found a ';' after a blank in 'lr=3 ; why', expected no comment"},
        {"lr=3\n4", "--set: found the control character 10 in 'lr=3?4', expected plain text"},
        {"include=b.ini",
         "--set: found 'include', expected a key other than that: files are read before"},
    };
    struct source s;

    job_file(*state, "sub/resnet.ini", resnet);
    const char *path = job_file(*state, "a.ini", job);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        assert_int_equal(source_read(&s, path, &cases[i].set, 1, job_keys, &err), -1);
        assert_string_equal(err.msg, cases[i].message);
        assert_int_equal(err.kind, ERR_USAGE);
    }
}

/* The printed text reads back as the same job, and prints the same. */
static void check_round_trip(struct job_files *files, const struct source *s) {
    struct source again;
    char *text = source_print(s);

    assert_non_null(text);
    job_read(&again, job_file(files, "printed.ini", text), NULL, 0);
    for (int i = 0; i < s->n_sections; i++) {
        const struct section *a = &s->sections[i], *b = source_find(&again, a->kind, a->name);
        assert_non_null(b);
        assert_int_equal(a->n_params, b->n_params);
        assert_int_equal(a->n_entries, b->n_entries);
        for (int j = 0; j < a->n_entries; j++) {
            assert_string_equal(a->entries[j].key, b->entries[j].key);
            assert_string_equal(a->entries[j].value, b->entries[j].value);
        }
    }
    assert_int_equal(s->n_sections, again.n_sections);
    char *twice = source_print(&again);
    assert_string_equal(text, twice);
    free(text), free(twice);
    source_release(&again);
}

static void job_prints_as_one_file(void **state) {
    const char *sets[] = {"lr=0.4"};
    struct source s;

    job_file(*state, "sub/resnet.ini", "[net m(x,  n=[1, 2])]\ny = x\n     | relu ; why\n");
    job_read(&s, job_file(*state, "a.ini", job), sets, 1);
    char *text = source_print(&s);
    assert_string_equal(text, "[job]\nmodel = resnet(classes=10)\n\n"
                              "[net m(x,  n=[1, 2])]\ny = x\n    | relu\n\n"
                              "[let]\nlr = 0.4\n\n"
                              "[data]\ntrain = data/cifar10.h5:train\n");
    free(text);
    check_round_trip(*state, &s);
    source_release(&s);
}

/* Lines that fit only without blanks, and values that begin like a comment. */
static void printed_lines_fit_the_reader(void **state) {
    char text[1024], set[256];
    const char *sets[] = {set};
    struct source s;

    long_line(text, "[job]\nname=", 194);
    long_line(text + strlen(text), "model =\n ", 198);
    long_line(text + strlen(text), "seed=#", 193);
    strcat(text, "output =\nthreads = # 3\n  ## 4\n  ;5\n");
    snprintf(set, sizeof set, "data.x=%0192d", 7);
    assert_int_equal(strlen(set), 199);
    job_read(&s, job_file(*state, "a.ini", text), sets, 1);
    assert_string_equal(value(&s, "job", "", "output"), "");
    assert_string_equal(value(&s, "job", "", "threads"), "# 3");
    check_round_trip(*state, &s);
    source_release(&s);
}

/* What --set gives may be longer than a line of a file, for it is printed as several. */
static void long_settings_are_printed_as_several_lines(void **state) {
    char set[1024] = "data.train=a.h5:x", text[600];
    const char *sets[] = {set};
    struct source s;
    struct err err = {0};

    for (int i = 0; i < 40; i++) /* breaks before a '#' would make a comment of it */
        strcat(set, i % 3 ? " + b/file.h5:y" : " #c.h5:y  z");
    job_read(&s, job_file(*state, "a.ini", "[data]\nbatch = 1\n"), sets, 1);
    assert_string_equal(value(&s, "data", "", "train"), strchr(set, '=') + 1);
    check_round_trip(*state, &s);
    source_release(&s);
    strcpy(set, "data.train=a ");
    memset(text, 'b', 199);
    strcpy(text + 199, " c");
    strcat(set, text);
    assert_int_not_equal(source_read(&s, job_file(*state, "a.ini", ""), sets, 1, NULL, &err), 0);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(strstr(err.msg, "expected"), "expected a blank after at most 198");
    source_release(&s);
}

/* However a job is cut off or one of its characters changed, it is read or refused. */
static void damaged_jobs_give_an_error_and_no_harm(void **state) {
    static const char marks[] = "\n ;#\"[](),=|^.-\\1a";
    char text[sizeof resnet];
    int n_refused = 0;

    for (size_t len = 0; len < sizeof resnet - 1; len++)
        for (size_t m = 0; m < sizeof marks; m++) { /* the last one cuts the text */
            struct source s;
            struct err err = {0};
            memcpy(text, resnet, sizeof resnet);
            text[len] = marks[m];
            if (source_read(&s, job_file(*state, "a.ini", text), NULL, 0, NULL, &err)) {
                assert_int_equal(err.kind, ERR_CONFIG);
                assert_null(strchr(err.msg, '\n'));
                n_refused++;
                continue;
            }
            for (int i = 0; i < s.n_sections; i++)
                for (int j = 0; j < s.sections[i].n_entries; j++) {
                    struct expr *e = NULL;
                    struct err parse_err = {0};
                    int status = expr_parse(&s, &s.sections[i].entries[j], &e, &parse_err);
                    assert_true(status ? parse_err.kind == ERR_CONFIG : e != NULL);
                }
            source_release(&s);
        }
    assert_true(n_refused > 100);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, job_files_setup, job_files_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(values_are_joined_and_freed_of_comments),
        TEST(headers_give_inputs_and_defaults),
        TEST(including_file_wins_key_by_key_but_net_by_net),
        TEST(file_included_twice_is_read_once),
        TEST(include_cycle_is_named_in_full),
        TEST(errors_in_an_included_file_say_who_includes_it),
        TEST(missing_files_name_the_place_of_the_include),
        TEST(folder_is_not_a_job),
        TEST(second_key_or_section_names_the_first),
        TEST(malformed_lines_are_refused),
        TEST(long_lines_and_names_are_never_cut),
        TEST(byte_order_mark_and_carriage_returns_are_accepted),
        TEST(sets_override_constants_keys_and_sections),
        TEST(known_job_key_is_set_without_a_job_section),
        TEST(wrong_sets_are_usage_errors),
        TEST(job_prints_as_one_file),
        TEST(printed_lines_fit_the_reader),
        TEST(long_settings_are_printed_as_several_lines),
        TEST(damaged_jobs_give_an_error_and_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
