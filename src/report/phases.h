/* phases.h - what the time of ranks goes into, phase beside phase, as the tables of PETSc's
 * -log_view: where a ratio is large, ranks wait for one of them. */
#pragma once
#include "train/event.h"

#include <stdio.h>

/* A row of a table: its name, indented where it is a part of a row above, and where its seconds are
 * in what each rank says. */
struct phase {
    const char *name;
    size_t at;
};

/* What all ranks say. */
struct phases {
    const struct phase *phase; /* [n] the last one is the whole of which others are parts */
    int n;
    const void *all; /* [n_ranks] structures of `size` bytes */
    size_t size;
    int n_ranks;
};

/* The ranks where a phase takes most and least, and how long, in seconds. */
struct phase_spread {
    int most, least;
    double max, min, mean;
};

struct phase_spread phases_spread(const struct phases *p, size_t at);

/* Print a table: of several ranks each phase's largest and least time with their ranks, the ratio,
 * the mean and its share of the whole; of one rank its time and share.
 *   title  over the names, as "seconds"
 *   unit   of times, in seconds */
void phases_print(FILE *out, const struct phases *p, const char *title, double unit);

/* That of a whole run. */
void phases_print_run(FILE *out, const struct event_phases *run);

/* A sink that writes it to phases.txt in the folder of a run, at its end. */
struct phases_file {
    struct sink sink;
    const struct sinks *warn; /* borrowed */
};

/*   warn  who is told where it could not be written; may hold this sink too */
void phases_file_init(struct phases_file *f, const struct sinks *warn);
