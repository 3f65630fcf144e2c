#include "cmd/command.h"
#include "cmd/help_text.h"
#include "cmd/words.h"
#include "core/base/fold.h"
#include "core/base/foreign.h"
#include "core/base/nearest.h"
#include "job/key.h"

#include <stdio.h>
#include <string.h>

enum { MOST_NAMES = 2048 };

/* Pages that are more than one word, and the files in docs/ that hold them. */
struct help_page {
    const char *name;
    void (*print)(void), (*markdown)(void);
};

static const struct help_page pages[] = {
    {"language", help_words, help_words_markdown},
    {"keys", help_keys, help_keys_markdown},
    {"onnx", help_onnx, help_onnx_markdown},
};

enum { N_PAGES = sizeof pages / sizeof *pages };

static const struct help_page *find_page(const char *name) {
    for (int i = 0; i < N_PAGES; i++)
        if (!strcmp(pages[i].name, name))
            return &pages[i];
    return NULL;
}

/* Adds a name to names[n], if there is room; returns the new n. */
static int add_name(const char **names, int n, const char *name) {
    if (n < MOST_NAMES)
        names[n++] = name;
    return n;
}

/* Whatever help can be asked for. */
static int known_names(const char **names) {
    const struct job_section *s;
    const struct vocabulary *v;
    struct word w;
    int n = 0;

    for (int i = 0; i < N_PAGES; i++)
        n = add_name(names, n, pages[i].name);
    for (int i = 0; command_at(i); i++)
        n = add_name(names, n, command_at(i)->name);
    for (int k = 0; (v = vocabulary_at(k)); k++)
        for (int i = 0; v->at(i, &w); i++) {
            n = add_name(names, n, w.name);
            for (const struct arg_spec *a = w.args; a && a->name; a++)
                n = add_name(names, n, a->name);
        }
    for (int i = 0; (s = job_section_at(i)); i++) {
        n = add_name(names, n, s->kind);
        for (const struct key *k = s->keys; k && k->name; k++)
            n = add_name(names, n, k->name);
    }
    return n;
}

static int unknown(const char *name, const char *near, struct err *err) {
    if (near)
        return err_set(err, ERR_USAGE,
                       "help: '%s' is no command, word or section, nor a key of one; did you mean "
                       "'%s'?",
                       name, near);
    return err_set(err, ERR_USAGE,
                   "help: '%s' is no command, word or section, nor a key of one; "
                   "`dltrain help` says what there is",
                   name);
}

/* What a command does, and the section of a job of the same name. */
static void explain_command(const struct command *command) {
    printf("%s\n\n%s", command->summary, command->usage);
    if (!job_section_find(command->name))
        return;
    printf("\nIn a job\n");
    help_section(command->name);
}

/* All that goes by that name: a word, a section, a key and an argument of words may share one. */
static bool explain_any(const char *name) {
    const bool word = help_word(name), section = help_section(name);

    return help_key(NULL, name) || word || section || help_argument(name);
}

/* What others call so, each meaning once. Returns whether there is one. */
static bool explain_foreign(const char *name) {
    const char *ours, *told = NULL;

    for (int i = 0; (ours = foreign_meaning(name, i)); i++) {
        if (told && !strcmp(told, ours))
            continue;
        printf("%s'%s' is called %s here\n\n", told ? "\n" : "", name, ours);
        if (command_find(ours))
            explain_command(command_find(ours));
        else
            explain_any(ours);
        told = ours;
    }
    return told;
}

/* "[log]" and "log", "dist.audit" and "--set" are written in jobs and messages: section and key of
 * what was asked, in text. */
static const char *take_apart(const char *asked, char text[HELP_TEXT], const char **section) {
    char *dot, *name = text;

    snprintf(text, HELP_TEXT, "%s", asked);
    text[strcspn(text, "]")] = 0;
    name += strspn(name, "[-");
    dot = strrchr(name, '.');
    *section = dot ? name : NULL;
    if (!dot)
        return name;
    name[strcspn(name, ".")] = 0; /* step.D.every: the keys of all steps are the same */
    *dot = 0;
    return dot + 1;
}

/* Is it that word but for case, separators and a dimension: Conv2d? */
static bool is_spelling(const char *name, const char *word) {
    char a[FOLD_TEXT], b[FOLD_TEXT];

    fold(name, a);
    fold(word, b);
    if (strcmp(a, b) != 0)
        a[fold_plain_len(a)] = 0;
    return !strcmp(a, b);
}

/* A command, or all that goes by that name. */
static int explain(const char *asked, struct err *err) {
    char text[HELP_TEXT];
    const char *section, *name = take_apart(asked, text, &section);
    const struct command *command = section ? NULL : command_find(name);

    if (command) {
        explain_command(command);
        return 0;
    }
    if (section ? help_key(section, name) : explain_any(name))
        return 0;
    if (explain_foreign(name))
        return 0;
    const char *names[MOST_NAMES], *near = nearest(name, names, known_names(names));
    if (!near || !is_spelling(name, near))
        return unknown(asked, near, err);
    explain_any(near);
    return 0;
}

static void overview(void) {
    printf("dltrain trains networks described in text, data-parallel over MPI.\n\n"
           "  dltrain JOB.ini                one process\n"
           "  mpirun -np 16 dltrain JOB.ini  16 ranks\n\nCommands\n");
    for (int i = 0; command_at(i); i++)
        printf("  %-10s %s\n", command_at(i)->name, command_at(i)->summary);
    printf("\n  dltrain help COMMAND    options and examples\n"
           "  dltrain help language   every operator, loss, optimiser, schedule, augmentation\n"
           "  dltrain help keys       every section and key of a job\n"
           "  dltrain help WORD       one of them: a word, a section, a key, an argument, or what\n"
           "                          others call it: BatchNorm2d, batch_size, Dense\n");
}

/* What installing makes of the tables: `dltrain help --man dltrain`. */
static const struct help_document {
    const char *option, *name;
    void (*print)(void);
} documents[] = {
    {"--man", "dltrain", help_man_program},
    {"--man", "dltrain-job", help_man_job},
    {"--completion", "bash", help_complete_bash},
    {"--completion", "zsh", help_complete_zsh},
};

enum { N_DOCUMENTS = sizeof documents / sizeof *documents };

static bool is_document(const char *option) {
    for (int i = 0; i < N_DOCUMENTS; i++)
        if (!strcmp(documents[i].option, option))
            return true;
    return false;
}

static int print_document(int argc, char **argv, struct err *err) {
    struct pool pool = {0};
    const char *expected = NULL;

    for (int i = 0; i < N_DOCUMENTS; i++) {
        if (strcmp(documents[i].option, argv[1]) != 0)
            continue;
        if (argc == 3 && !strcmp(documents[i].name, argv[2])) {
            documents[i].print();
            pool_release(&pool);
            return 0;
        }
        expected = expected ? pool_print(&pool, "%s or %s", expected, documents[i].name)
                            : documents[i].name;
    }
    err_set(err, ERR_USAGE, "help: found '%s' after %s, expected %s",
            argc > 2 ? argv[argc > 3 ? 3 : 2] : "nothing", argv[1], expected);
    pool_release(&pool);
    return -1;
}

static int run(int argc, char **argv, struct err *err) {
    const char *name = argc > 1 ? argv[1] : NULL;
    const struct help_page *page = name ? find_page(name) : NULL;
    const bool markdown = page && argc == 3 && !strcmp(argv[2], "--markdown");

    if (name && is_document(name))
        return print_document(argc, argv, err);
    if (argc > 2 && !markdown)
        return err_set(err, ERR_USAGE,
                       "help: found '%s' after '%s', expected one word, or --markdown after "
                       "language or keys",
                       argv[2], name);
    if (markdown)
        page->markdown();
    else if (page)
        page->print();
    else if (name)
        return explain(name, err);
    else
        overview();
    return 0;
}

const struct command command_help = {
    .name = "help",
    .summary = "list commands, words and keys, or explain one",
    .usage =
        "dltrain help [COMMAND | language | keys | WORD | SECTION | KEY]\n"
        "dltrain help --man PAGE | --completion SHELL\n"
        "\n"
        "  dltrain help train\n"
        "  dltrain help conv\n"
        "  dltrain help data\n"
        "  dltrain help dist.audit\n"
        "  dltrain help CrossEntropyLoss\n"
        "\n"
        "  --markdown          after language or keys: print docs/words.md or docs/keys.md\n"
        "  --man PAGE          print the manual page dltrain or dltrain-job, for man -l\n"
        "  --completion SHELL  print what bash or zsh completes by; installed ones are found\n"
        "                      by themselves, else: source <(dltrain help --completion bash)\n",
    .alone = true,
    .run = run,
};
