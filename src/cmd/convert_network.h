/* convert_network.h - the network that a run or a job is about, and its weights. */
#pragma once
#include "cmd/convert.h"
#include "train/feed.h"
#include "train/meta.h"
#include "train/replica.h"

/* {0} before it is opened. */
struct convert_network {
    struct conversion *c;
    const char *in; /* the run or the job */
    struct job job;
    struct meta meta; /* json NULL: `in` is a job */
    struct field field[LOADER_MAX_FIELDS];
    struct meta_field *known; /* [n_known] what a checkpoint says of them */
    int n_fields, n_known;
    struct replica replica; /* its networks alone */
    const struct graph *graph;
    const struct graph_use *use;
    const char *weights; /* the file that they are from; NULL: as initialised */
};

/* Build it, and find the net that c->net names, or the only one; "model" becomes the name of what
 * [job] calls so. Errors: those of job_read; ERR_IO, ERR_DATA; ERR_USAGE naming the nets there are.
 */
int convert_network_open(struct convert_network *o, struct conversion *c, const char *in,
                         struct err *err);

/* Its weights: those of the run, of --weights, of the job's [weights], or as initialised, with a
 * warning. Errors: those of weights_load_file. */
int convert_network_load(struct convert_network *o, struct err *err);

void convert_network_release(struct convert_network *o);
