/* stragglers.h - ranks that others wait for: found in what all ranks say of their time in the same
 * steps, and told in few lines. Nothing here talks to anybody. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* What a rank does itself. */
enum straggler_part {
    STRAGGLER_DATA,    /* waits for a batch */
    STRAGGLER_COMPUTE, /* operators and updates */
    STRAGGLER_ELSE,    /* the rest of a step, and what is told of it to those who write it down */
    STRAGGLER_PARTS
};

/* What one rank says of some steps: seconds in all of them. */
struct straggler_time {
    double part[STRAGGLER_PARTS];
    double wait_s; /* communication that nothing hid */
    double samples;
};

/* Steps that ranks are compared over. */
struct straggler_window {
    const struct straggler_time *time; /* [n] of each rank */
    const char *const *host;           /* [n] where it is */
    int n;
    int64_t from, to; /* after step `from`, up to step `to`; */
    int64_t steps;    /* of them, those that time is of */
};

/* Whom others wait for. */
struct straggler {
    int rank;                 /* the slowest; -1: nobody */
    bool host;                /* all ranks of its host are slow, and there are several */
    int others;               /* slow ranks elsewhere */
    enum straggler_part part; /* what it takes longer for than others, most of all */
    double slower;            /* by which part of the median, 0.34 */
    double own[STRAGGLER_PARTS],
        median[STRAGGLER_PARTS]; /* seconds; of a host, means of its ranks */
};

/* What is said of them over a run. {0}: nothing yet. */
struct stragglers {
    bool named; /* somebody is: */
    struct straggler who;
    int differs; /* windows in a row that show something else */
    int said;    /* lines */
    int pause;   /* windows after the next line in which nothing is said */
    int quiet;   /* of them, those that are still to come */
};

enum { STRAGGLER_TEXT = 512 };

/* Find ranks whose own work takes `more` longer than the median, 0.2 for a fifth, and longer than
 * their samples explain, while they wait less than others by half of that or more: in a step all
 * end together, and who is slow waits least. The median of an even number of ranks is the lower of
 * the two in the middle, so that of two ranks one is compared with the other.
 *   room  [2 n] whatever */
struct straggler straggler_find(const struct straggler_window *w, double more, double *room);

/* One window more. Says who is slow, once; then again when it is another rank or another part of
 * its work, or nobody: what two windows in a row show. After some lines there are pauses, which
 * grow.
 *   room  as above
 *   text  a line for the user; "": nothing is to be said
 * Returns whether it is a warning; else it says that it is over. */
bool stragglers_add(struct stragglers *s, const struct straggler_window *w, double *room,
                    char text[STRAGGLER_TEXT]);
