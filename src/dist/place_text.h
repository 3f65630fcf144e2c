/* place_text.h - the ranks of a job drawn in words, and what is wrong with where they are. Pure. */
#pragma once
#include "dist/place.h"

/* One line of text, in the pool of the places. */
struct place_line {
    const char *text;
    bool warning;
};

/* A line where all hosts are alike: "2 hosts, node1 node2, each: 4 ranks x 2 threads on 8 cores of
 * 2 sockets (avx2): cores 0-1 | 2-3 | 4-5 | 6-7"; else a line, and one more for each kind of host.
 * Short for any number of ranks. Returns how many there are in *out. */
int places_draw(struct places *p, struct place_line **out);

/* What makes the job slower than it need be, a line each: threads that share cores, hosts that are
 * unlike, busy, or have no memory that ranks can share. Of each kind the first host, and how many
 * more there are. Returns how many there are in *out. */
int places_warn(struct places *p, struct place_line **out);

/* "0-3,8": numbers of a set, into the pool. */
const char *core_set_text(struct pool *pool, const struct core_set *set);
