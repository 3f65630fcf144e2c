/* help_man.c - manual pages from the tables that help prints. Source of the macros: man(7). */
#include "cmd/help_text.h"
#include "cmd/help_usage.h"
#include "cmd/version.h"
#include "job/key.h"

#include <stdio.h>
#include <string.h>

/* Text as roff has it: no escapes, no requests. */
static void put(const char *text, int len) {
    if (len && (*text == '.' || *text == '\''))
        printf("\\&");
    for (int i = 0; i < len; i++) {
        if (text[i] == '\\')
            printf("\\e");
        else if (text[i] == '-')
            printf("\\-");
        else if (text[i] != '`') /* Markdown's */
            putchar(text[i]);
    }
}

static void put_text(const char *text) {
    put(text, (int)strlen(text));
}

static void put_line(const char *text, int len) {
    put(text, len);
    printf("\n");
}

static void put_title(const char *name, const char *section, const char *about) {
    printf(".\\\" Written by dltrain help --man %s.\n", name);
    printf(".TH %s %s %s \"dltrain %s\"\n.SH NAME\n", name, section, version_day, DLTRAIN_VERSION);
    put_text(name);
    printf(" \\- ");
    put_text(about);
    printf("\n");
}

/* What a run of lines of one kind stands in. */
static void change(enum usage_kind from, enum usage_kind to) {
    const bool was_lines = from == USAGE_SYNOPSIS || from == USAGE_VERBATIM;
    const bool lines = to == USAGE_SYNOPSIS || to == USAGE_VERBATIM;

    if (was_lines && from != to)
        printf(from == USAGE_SYNOPSIS ? ".fi\n" : ".EE\n");
    if (lines && from != to)
        printf(to == USAGE_SYNOPSIS ? ".PP\n.nf\n" : ".PP\n.EX\n");
    if (to == USAGE_PARAGRAPH && from != to)
        printf(".PP\n");
}

static void put_usage(const char *usage) {
    enum usage_kind before = USAGE_BLANK;
    struct usage_line line = {0};

    while (usage_next(&usage, &line)) {
        if (line.kind != USAGE_BLANK) {
            change(before, line.kind);
            before = line.kind;
        } else if (before != USAGE_SYNOPSIS) { /* a paragraph ends */
            change(before, USAGE_BLANK);
            before = USAGE_BLANK;
        }
        if (line.kind == USAGE_ITEM) {
            printf(".TP\n.B ");
            put_line(line.head, line.head_len);
        }
        if (line.kind != USAGE_BLANK && line.text_len)
            put_line(line.text, line.text_len);
    }
    change(before, USAGE_BLANK);
}

static void put_pairs(const char *const (*pairs)[2], int n) {
    for (int i = 0; i < n; i++) {
        printf(".TP\n.B ");
        put_line(pairs[i][0], (int)strlen(pairs[i][0]));
        put_line(pairs[i][1], (int)strlen(pairs[i][1]));
    }
}

static void put_exit_status(void) {
    static const struct {
        int code;
        const char *meaning;
    } ends[] = {{0, "all is done"},
                {ERR_USAGE, "the command line"},
                {ERR_DATA, "the data, a checkpoint, a loss that is not finite or a best that never "
                           "was, or ranks that no longer agree"},
                {ERR_IO, "the operating system, a file system or MPI refused"},
                {ERR_STOPPED, "stopped on request, or before its time ended; --resume goes on"},
                {ERR_CONFIG, "the job file"}};

    printf(".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        printf(".TP\n.B %d\n", ends[i].code);
        put_line(ends[i].meaning, (int)strlen(ends[i].meaning));
    }
}

void help_man_program(void) {
    static const char *const variables[][2] = {
        {"DLTRAIN_ISA",
         "the instruction set of kernels, in place of the best: see dltrain version"},
        {"NO_COLOR", "where it is set and not empty, terminals get no colours"}};
    static const char *const files[][2] = {
        {"runs/NAME/job.ini", "the job as resolved"},
        {"runs/NAME/metrics.jsonl", "losses and measures, one JSON object a line"},
        {"runs/NAME/last.h5, runs/NAME/best.h5", "checkpoints: weights by name, and the job"}};

    put_title("dltrain", "1", "train networks described in text, data-parallel over MPI");
    printf(".SH SYNOPSIS\n.nf\n");
    put_text("dltrain JOB.ini\nmpirun -np 16 dltrain JOB.ini\ndltrain COMMAND ...\n");
    printf(".fi\n.SH DESCRIPTION\n");
    put_text(
        "A job is a text file: the network, what a training step minimises, the learning rate, "
        "the data.\nEvery MPI rank runs an identical replica on its share of a dataset; "
        "gradients are averaged in every minibatch.\n");
    printf(".SH COMMANDS\n");
    for (int i = 0; command_at(i); i++) {
        printf(".SS dltrain %s\n", command_at(i)->name);
        put_line(command_at(i)->summary, (int)strlen(command_at(i)->summary));
        put_usage(command_at(i)->usage);
    }
    printf(".SH FILES\n");
    put_pairs(files, 3);
    printf(".SH ENVIRONMENT\n");
    put_pairs(variables, 2);
    put_exit_status();
    printf(".SH SEE ALSO\n.BR dltrain\\-job (5),\n.BR mpirun (1)\n");
}

static void put_key(const struct key *k) {
    const char *standard = k->fallback ? k->fallback : k->absent;
    char value[HELP_TEXT];

    help_key_value(k, value);
    printf(".TP\n.B ");
    put_text(k->name);
    if (standard) {
        printf(" = ");
        put_text(standard);
    }
    printf("%s\n", k->missing ? " (required)" : "");
    put_text(k->help);
    printf(" (");
    put_text(value);
    printf(")\n");
}

void help_man_job(void) {
    const struct job_section *s;

    put_title("dltrain-job", "5", "sections and keys of a job of dltrain");
    printf(".SH DESCRIPTION\n");
    put_text("A job is an INI file. Sections hold keys, NAME = VALUE, and statements of the "
             "language in which networks and steps are written,\nwhose words dltrain help "
             "language lists. A number may be arithmetic with constants of [let]. --set "
             "SECTION.KEY=VALUE overrides a key.\nBehind a key stands its default.\n");
    for (int i = 0; (s = job_section_at(i)); i++) {
        printf(".SH ");
        help_head(s);
        printf("\n");
        put_text(s->help);
        printf("%s.\n", s->holds == JOB_KEYS_AND_STATEMENTS
                            ? "; any name that is no key is a statement"
                            : "");
        for (const struct key *k = s->keys; k && k->name; k++)
            put_key(k);
    }
    printf(".SH SEE ALSO\n.BR dltrain (1)\n");
}
