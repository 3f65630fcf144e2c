/* command.h - a command of the program: dltrain NAME ... */
#pragma once
#include "core/base/err.h"
#include "core/base/pool.h"

#include <stdbool.h>

struct command {
    const char *name;
    const char *summary; /* one line for dltrain help */
    const char *usage;   /* for dltrain help NAME: the synopsis, then its options */
    bool alone; /* it needs no ranks: under a launcher one process does it, and the others leave */
    bool stops; /* it ends by itself where it is asked to, by signals (train/stop.h) */
    /* argv[0] is the command's name. Prints to stdout. Returns 0, or -1 with err set; its message
     * is empty where the error has been printed, by this rank or by rank 0. */
    int (*run)(int argc, char **argv, struct err *err);
};

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

/* The i-th command, NULL past the end. */
const struct command *command_at(int i);

/* Does a job file stand first, or behind options, as in `dltrain --resume job.ini`? */
bool command_is_job(int argc, char **argv);

/* ERR_USAGE for a word that is no command, or for none at all. Returns -1. */
int command_unknown(const char *word, struct err *err);

/* Print a message, if there is one, on stderr. */
void command_say_error(const struct err *err);

/* For commands that start others: the path of this program; NULL with err (ERR_IO). */
const char *command_program(struct pool *pool, struct err *err);

/* Put the words of a text, as "mpirun --oversubscribe", behind the n of argv, of which there is
 * room for `most`. Returns how many are there then. */
int command_words(struct pool *pool, const char *text, const char **argv, int n, int most);
