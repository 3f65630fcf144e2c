#include "cmd/command.h"
#include "cmd/help_text.h"
#include "cmd/words.h"
#include "core/base/nearest.h"
#include "job/key.h"

#include <stdio.h>
#include <string.h>

enum { MOST_NAMES = 512 };

/* Pages that are more than one word, and the files in docs/ that hold them. */
struct help_page {
    const char *name;
    void (*print)(void), (*markdown)(void);
};

static const struct help_page pages[] = {
    {"language", help_words, help_words_markdown},
    {"keys", help_keys, help_keys_markdown},
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
        for (int i = 0; v->at(i, &w); i++)
            n = add_name(names, n, w.name);
    for (int i = 0; (s = job_section_at(i)); i++) {
        n = add_name(names, n, s->kind);
        for (const struct key *k = s->keys; k && k->name; k++)
            n = add_name(names, n, k->name);
    }
    return n;
}

static int unknown(const char *name, struct err *err) {
    const char *names[MOST_NAMES];
    const char *near = nearest(name, names, known_names(names));

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

/* A command, or all that goes by that name: a word, a section and a key may share one. */
static int explain(const char *name, struct err *err) {
    const struct command *command = command_find(name);

    if (command) {
        explain_command(command);
        return 0;
    }
    const bool word = help_word(name), section = help_section(name);
    return help_key(name) || word || section ? 0 : unknown(name, err);
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
           "  dltrain help WORD       one of them: a word, a section, a key\n");
}

static int run(int argc, char **argv, struct err *err) {
    const char *name = argc > 1 ? argv[1] : NULL;
    const struct help_page *page = name ? find_page(name) : NULL;
    const bool markdown = page && argc == 3 && !strcmp(argv[2], "--markdown");

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
    .usage = "dltrain help [COMMAND | language | keys | WORD | SECTION | KEY]\n"
             "\n"
             "  dltrain help train\n"
             "  dltrain help conv\n"
             "  dltrain help data\n"
             "\n"
             "  --markdown    after language or keys: print docs/words.md or docs/keys.md\n",
    .run = run,
};
