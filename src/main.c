/* main.c - argv to a command of the table. The only caller of exit, but for ends that
 * cannot wait: memory_end, comm_abort. */
#include "cmd/command.h"
#include "cmd/version.h"
#include "core/math/isa/isa.h"
#include "dist/launch.h"
#include "train/stop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* dltrain --help, dltrain COMMAND --help */
static bool asks_for_help(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return true;
    return false;
}

int main(int argc, char **argv) {
    const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
    const bool help = asks_for_help(argc, argv);
    struct err err = {0};
    int rc;

    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error, with its name */
    /* What needs no ranks is said by one process; the others leave without a word. */
    const bool alone = help || (command ? command->alone : !command_is_job(argc, argv));
    if (alone && launch_rank(getenv) > 0)
        exit(0);
    /* Whoever is asked to stop before training begins ends as one who is asked in its course. */
    if (!help && (command ? command->stops : command_is_job(argc, argv)))
        stop_catch_signals();
    if (isa_check(&err))
        rc = -1;
    else if (help)
        rc = command_find("help")->run(command ? 2 : 1, argv, &err);
    else if (command)
        rc = command->run(argc - 1, argv + 1, &err);
    else if (argc > 1 && !strcmp(argv[1], "--version"))
        version_print(), rc = 0;
    else if (argc > 1 && command_is_job(argc, argv))
        rc = command_find("train")->run(argc, argv, &err); /* dltrain JOB is dltrain train JOB */
    else
        rc = command_unknown(argc > 1 ? argv[1] : NULL, &err);
    if (!rc && fflush(stdout))
        rc = err_set(&err, ERR_IO, "standard output cannot be written");
    if (rc)
        command_say_error(&err);
    exit(rc ? (int)err.kind : 0);
}
