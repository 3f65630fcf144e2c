/* help_complete.c - what shells complete, from the tables that help prints. The lists are the
 * program's, the rest is the same text for everyone. */
#include "cmd/help_text.h"
#include "cmd/help_usage.h"
#include "cmd/words.h"
#include "io/import/import.h"
#include "job/key.h"

#include <stdio.h>
#include <string.h>

/* --- lists --- */

static void list_commands(void) {
    for (int i = 0; command_at(i); i++)
        printf("%s%s", i ? " " : "", command_at(i)->name);
}

static void list_subcommands(const struct command *command) {
    char name[USAGE_NAME];

    for (int i = 0; usage_subcommand(command, i, name); i++)
        printf("%s%s", i ? " " : "", name);
}

static void list_importers(void) {
    int n;
    const struct importer *const *table = importer_table(&n);

    for (int i = 0; i < n; i++)
        printf("%s%s", i ? " " : "", table[i]->name);
}

/* What --set takes: keys of [job] by their names alone, and all with their sections. */
static void list_keys(void) {
    struct pool pool = {0};
    const char *const *keys = job_all_keys(&pool);

    for (const struct key *k = section_job.keys; k && k->name; k++)
        printf("%s= ", k->name);
    for (int i = 0; keys[i]; i++)
        printf("%s%s=", i ? " " : "", keys[i]);
    pool_release(&pool);
}

/* What help explains. */
static void list_topics(void) {
    const struct job_section *s;
    const struct vocabulary *v;
    struct word w;

    list_commands();
    printf(" language keys");
    for (int i = 0; (s = job_section_at(i)); i++)
        printf(" %s", s->kind);
    for (int k = 0; (v = vocabulary_at(k)); k++)
        for (int i = 0; v->at(i, &w); i++)
            printf(" %s", w.name);
}

/* Of a command: which of its arguments are jobs, runs or other files, by how its usage calls them.
 */
static bool takes(const struct command *command, const char *what) {
    const char *at = command->usage;
    struct usage_line line = {0};
    const size_t len = strlen(what);

    while (usage_next(&at, &line))
        for (int i = 0; line.kind == USAGE_SYNOPSIS && i + (int)len <= line.text_len; i++)
            if (!strncmp(line.text + i, what, len))
                return true;
    return false;
}

/* --- bash --- */

static void bash_options(const struct command *command) {
    struct usage_option o[USAGE_OPTIONS];
    const int n = usage_options(command->usage, o);

    printf("    %s)\n        subcommands='", command->name);
    list_subcommands(command);
    printf("'\n        options='");
    for (int i = 0; i < n; i++)
        printf("%s--%s", i ? " " : "", o[i].name);
    printf(" --help'\n        valued='");
    for (int i = 0; i < n; i++)
        if (o[i].value[0])
            printf(" --%s", o[i].name);
    printf(" '\n        files='%s%s'\n        ;;\n", takes(command, "JOB") ? "jobs " : "",
           takes(command, "RUN") ? "runs" : "");
}

static const char bash_begin[] =
    "# dltrain's completion for bash, written by dltrain help --completion bash\n"
    "\n"
    "# Files that end so, folders, and runs: folders that hold job.ini.\n"
    "_dltrain_files() {\n"
    "    local file\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    while IFS= read -r file; do\n"
    "        if [[ -d $file || $file == *.ini && $1 == *jobs* || $file == *.h5 && $1 == *runs* ||\n"
    "            -z $1 ]]; then\n"
    "            COMPREPLY+=(\"$file\")\n"
    "        fi\n"
    "    done < <(compgen -f -- \"$2\")\n"
    "}\n"
    "\n"
    "# Constants of [let] of the job files on the line.\n"
    "_dltrain_constants() {\n"
    "    local word\n"
    "    for word in \"${COMP_WORDS[@]}\"; do\n"
    "        [[ $word == *.ini && -r $word ]] &&\n"
    "            sed -n '/^\\[let\\]/,/^\\[[^l]/s/^\\([A-Za-z_][A-Za-z_0-9]*\\) *=.*/\\1=/p' "
    "\"$word\"\n"
    "    done\n"
    "}\n"
    "\n"
    "_dltrain() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i\n"
    "    local command='' subcommand='' subcommands='' options='' valued='' files=''\n"
    "    COMPREPLY=()\n";

static const char bash_words[] = "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                                 "        case ${COMP_WORDS[i]} in\n"
                                 "        -*) ;;\n"
                                 "        *)\n"
                                 "            if [[ -z $command ]]; then\n"
                                 "                command=${COMP_WORDS[i]}\n"
                                 "            elif [[ -z $subcommand ]]; then\n"
                                 "                subcommand=${COMP_WORDS[i]}\n"
                                 "            fi\n"
                                 "            ;;\n"
                                 "        esac\n"
                                 "    done\n"
                                 "    [[ $command == *.ini ]] && command=train\n"
                                 "    if [[ -z $command && $cur != -* ]]; then\n"
                                 "        COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\"))\n"
                                 "        _dltrain_files jobs \"$cur\"\n"
                                 "        return\n"
                                 "    fi\n"
                                 "    case $command in\n";

static const char bash_end[] =
    "    '') options='--help --version' ;;\n"
    "    esac\n"
    "    if [[ $prev == --set ]]; then\n"
    "        compopt -o nospace 2>/dev/null\n"
    "        COMPREPLY=($(compgen -W \"$keys $(_dltrain_constants)\" -- \"$cur\"))\n"
    "    elif [[ $valued == *\" $prev \"* ]]; then\n"
    "        _dltrain_files '' \"$cur\"\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
    "    elif [[ $command == help ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$topics\" -- \"$cur\"))\n"
    "    elif [[ -n $subcommands && -z $subcommand ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$subcommands\" -- \"$cur\"))\n"
    "    elif [[ $command == data && $prev == import ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$importers\" -- \"$cur\"))\n"
    "    else\n"
    "        _dltrain_files \"$files\" \"$cur\"\n"
    "    fi\n"
    "}\n"
    "\n"
    "complete -F _dltrain dltrain\n";

static void shell_list(const char *name, void (*list)(void)) {
    printf("    local %s='", name);
    list();
    printf("'\n");
}

void help_complete_bash(void) {
    fputs(bash_begin, stdout);
    shell_list("commands", list_commands);
    shell_list("keys", list_keys);
    shell_list("topics", list_topics);
    shell_list("importers", list_importers);
    fputs(bash_words, stdout);
    for (int i = 0; command_at(i); i++)
        bash_options(command_at(i));
    fputs(bash_end, stdout);
}

/* --- zsh --- */

/* In quotes, where a colon ends a name and brackets an explanation. */
static void zsh_text(const char *text, int len) {
    for (int i = 0; i < len; i++) {
        if (text[i] == '\'')
            printf("'\\''");
        else if (strchr(":[]\\", text[i]))
            printf("\\%c", text[i]);
        else
            putchar(text[i]);
    }
}

static void zsh_command(const struct command *command) {
    struct usage_option o[USAGE_OPTIONS];
    const int n = usage_options(command->usage, o);
    char name[USAGE_NAME];

    printf("    %s)\n        specs=(", command->name);
    for (int i = 0; i < n; i++) {
        printf("\n            '%s--%s[", !strcmp(o[i].name, "set") ? "*" : "", o[i].name);
        zsh_text(o[i].help, o[i].help_len);
        printf("]%s", o[i].value[0] ? ":" : "");
        zsh_text(o[i].value, (int)strlen(o[i].value));
        printf("%s'", !strcmp(o[i].name, "set") ? ":_dltrain_keys"
                      : o[i].value[0]           ? ":_files"
                                                : "");
    }
    printf("\n        )\n");
    if (!strcmp(command->name, "help"))
        printf("        specs+=(\"1:topic:(${topics})\")\n");
    else if (usage_subcommand(command, 0, name)) {
        printf("        specs+=('1:subcommand:(");
        list_subcommands(command);
        printf(")')\n");
    }
    printf("        specs+=('*:file:_files%s')\n        ;;\n",
           takes(command, "JOB") && !takes(command, "RUN") ? " -g \"*.ini(-.)\"" : "");
}

static const char zsh_end[] = "    esac\n"
                              "    shift words\n"
                              "    (( CURRENT-- ))\n"
                              "    _arguments $specs\n"
                              "}\n"
                              "\n"
                              "_dltrain_keys() {\n"
                              "    compadd -S '' -- ${=dltrain_keys}\n"
                              "}\n"
                              "\n"
                              "_dltrain \"$@\"\n";

void help_complete_zsh(void) {
    printf("#compdef dltrain\n"
           "# dltrain's completion for zsh, written by dltrain help --completion zsh\n"
           "\n"
           "_dltrain() {\n"
           "    local -a specs commands\n"
           "    commands=(\n");
    for (int i = 0; command_at(i); i++) {
        printf("        '%s:", command_at(i)->name);
        zsh_text(command_at(i)->summary, (int)strlen(command_at(i)->summary));
        printf("'\n");
    }
    printf("    )\n");
    shell_list("dltrain_keys", list_keys);
    shell_list("topics", list_topics);
    printf("    if (( CURRENT == 2 )); then\n"
           "        _describe command commands\n"
           "        _files -g '*.ini(-.)'\n"
           "        return\n"
           "    fi\n"
           "    case $words[2] in\n"
           "    *.ini) words=(dltrain train ${words[2,-1]}); (( CURRENT++ )) ;;\n"
           "    esac\n"
           "    case $words[2] in\n");
    for (int i = 0; command_at(i); i++)
        zsh_command(command_at(i));
    fputs(zsh_end, stdout);
}
