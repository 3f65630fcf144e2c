#include "cmd/command.h"
#include "core/graph/graph.h"
#include "core/learn/optim.h"
#include "core/learn/schedule.h"
#include "core/ops/parts/init.h"
#include "core/ops/op.h"
#include "io/augment/augment.h"
#include "job/job.h"

#include <stdio.h>
#include <string.h>

/* "kernel=3, pad=same" as an argument would be written. */
static void print_default(const struct arg_spec *a) {
    switch (a->kind) {
    case ARG_WORD:
    case ARG_INTS_OR_WORD:
        printf("%s=%s", a->name, a->words[(int)a->fallback]);
        return;
    case ARG_APPLIED:
        printf("%s", a->name);
        return;
    case ARG_INT:
    case ARG_REAL:
    case ARG_INTS:
    case ARG_REALS:
        printf(a->required ? "%s" : "%s=%g", a->name, a->fallback);
    }
}

static void print_word(const struct word *w) {
    printf("  %s", w->name);
    for (const struct arg_spec *a = w->args; a && a->name; a++) {
        printf(a == w->args ? "(" : ", ");
        print_default(a);
    }
    printf("%s\n      %s\n", w->args && w->args->name ? ")" : "", w->help ? w->help : "");
}

/* All that is known of one word. Returns whether it is that word. */
static bool explain(const struct word *w, const char *kind, const char *name) {
    if (strcmp(w->name, name))
        return false;
    printf("%s\n", kind);
    print_word(w);
    for (const struct arg_spec *a = w->args; a && a->name; a++) {
        printf("      %-14s %s%s", a->name, a->help ? a->help : "",
               a->required ? " (required)" : "");
        for (int i = 0; a->words && a->words[i]; i++)
            printf("%s%s", i ? " | " : "; one of ", a->words[i]);
        printf("\n");
    }
    return true;
}

/* Visit every word of the language: print it, or explain the one that is asked for. */
static bool visit(const struct word *w, const char *kind, const char **shown, const char *name) {
    if (name)
        return explain(w, kind, name);
    if (*shown != kind)
        printf("\n%s\n", kind);
    *shown = kind;
    print_word(w);
    return false;
}

static const char *const op_kinds[] = {"Operators", "Losses", "Metrics"};
enum { N_KINDS = 3 };

static int kind_of(const struct op *op) {
    return !op->count ? 0 : op->backward ? 1 : 2;
}

static bool visit_words(const char *name) {
    const char *shown = NULL;
    bool found = false;
    int n;

    const struct op *const *ops = op_table(&n);
    for (int k = 0; k < N_KINDS; k++)
        for (int i = 0; i < n; i++)
            if (kind_of(ops[i]) == k)
                found = visit(&ops[i]->word, op_kinds[k], &shown, name) || found;
    for (int i = 0; op_alias_at(i); i++)
        found = visit(op_alias_at(i), "Other names", &shown, name) || found;
    for (int i = 0; graph_word_at(i); i++)
        found = visit(graph_word_at(i), "Functions", &shown, name) || found;
    const struct init *const *inits = init_table(&n);
    for (int i = 0; i < n; i++)
        found = visit(&inits[i]->word, "Initialisers", &shown, name) || found;
    const struct optimizer *const *optims = optim_table(&n);
    for (int i = 0; i < n; i++)
        found = visit(&optims[i]->word, "Optimisers", &shown, name) || found;
    const struct schedule *const *schedules = schedule_table(&n);
    for (int i = 0; i < n; i++)
        found = visit(&schedules[i]->word, "Schedules", &shown, name) || found;
    const struct augment *const *augments = augment_table(&n);
    for (int i = 0; i < n; i++)
        found = visit(&augments[i]->word, "Augmentations", &shown, name) || found;
    return found;
}

static bool visit_keys(const char *section) {
    const char *shown = "";
    bool found = false;

    for (const struct job_key *k = job_keys; k->section; k++) {
        if (section && strcmp(k->section, section))
            continue;
        if (strcmp(shown, k->section))
            printf("\n[%s]\n", k->section);
        shown = k->section;
        printf("  %-12s %-28s %s\n", k->key, k->value, k->help);
        found = true;
    }
    return found;
}

static int run(int argc, char **argv, struct err *err) {
    const char *name = argc > 1 ? argv[1] : NULL;
    const struct command *command = name ? command_find(name) : NULL;

    if (command) {
        printf("%s\n\n%s", command->summary, command->usage);
        return 0;
    }
    if (name && !strcmp(name, "language")) {
        visit_words(NULL);
        return 0;
    }
    if (name && !strcmp(name, "keys")) {
        visit_keys(NULL);
        return 0;
    }
    if (name) {
        const bool word = visit_words(name), keys = visit_keys(name);
        return word || keys ? 0
                            : err_set(err, ERR_USAGE,
                                      "help: '%s' is no command, word or section; "
                                      "`dltrain help` says what there is",
                                      name);
    }
    printf("dltrain trains networks described in text, data-parallel over MPI.\n\n"
           "  dltrain JOB.ini                one process\n"
           "  mpirun -np 16 dltrain JOB.ini  16 ranks\n\nCommands\n");
    for (int i = 0; command_at(i); i++)
        printf("  %-10s %s\n", command_at(i)->name, command_at(i)->summary);
    printf("\n  dltrain help COMMAND    options and examples\n"
           "  dltrain help language   every operator, loss, optimiser, schedule, augmentation\n"
           "  dltrain help keys       every section and key of a job\n"
           "  dltrain help WORD       one of them\n");
    return 0;
}

const struct command command_help = {
    .name = "help",
    .summary = "list commands, words and keys, or explain one",
    .usage = "dltrain help [COMMAND | language | keys | WORD | SECTION]\n"
             "\n"
             "  dltrain help train\n"
             "  dltrain help conv\n",
    .run = run,
};
