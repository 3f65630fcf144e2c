/* network.h - the networks of a job as tables and pages show them: what each operator makes of one
 * sample, what it costs, and how much of the input one output sees. */
#pragma once
#include "job/job.h"
#include "train/replica.h"

#include <jansson.h>

/* One node of a graph. */
struct network_row {
    int64_t parameters;
    double flops;           /* of forward, for one sample; a multiply-add is 2 */
    size_t bytes;           /* of its output and of what it saves */
    int64_t field[2];       /* how much of the input one output sees: pixels, h and w */
    const char *name;       /* of the part, as in checkpoints: "layer1.0.conv1"; "": it has none */
    const char *output;     /* shape of one sample: "32x32x16" */
    const char *field_text; /* "7" or "7x3" */
};

struct network {
    const struct graph *graph;
    struct network_row *row; /* [n_nodes of the graph] */
    double flops;            /* of all */
    size_t bytes;
};

/* The graphs to look at, for one sample each: the network itself where the job names one, else
 * every step. *out [*n] belongs to the job's pool, graphs to the model of r.
 * Errors: ERR_CONFIG in the words of the job. */
int network_list(struct job *job, struct replica *r, struct network **out, int *n, struct err *err);

/* They as JSON:
 *   {"graphs": [{"name", "flops", "bytes", "nodes": [{"id", "name", "operator", "output": [32, 32,
 *    16], "parameters", "flops", "bytes", "field": [7, 7], "inputs": [ids], "within": ["layer1",
 *    "layer1.0"]}]}], "nets": [{"name", "parameters", "bytes"}]}
 * An input of the data has the operator "input" and its name, a number "number". within: the net
 * and the blocks that it stands in, from the outermost. */
json_t *network_json(const struct replica *r, const struct network *networks, int n);
