/* eval_classes.h - what a classifier makes of each class: the table and the pairs that `dltrain
 * eval
 * --per-class` prints. */
#pragma once
#include "io/dataset/dataset.h"
#include "train/replica.h"

#include <jansson.h>
#include <stdio.h>

struct eval_classes {
    const struct dataset *dataset;
    int field;     /* of the dataset, whose names they have; -1: they have none */
    int n;         /* 0: nothing is classified */
    double *count; /* [n][n] labels of the row's class that were taken for the column's */
    bool dense;    /* several labels a sample: they are not independent of each other */
};

/* The last evaluation of a replica that was made per_class. Errors: ERR_IO for lack of memory. */
int eval_classes_init(struct eval_classes *c, const struct replica *r,
                      const struct dataset *dataset, struct err *err);

/* {0} is fine. */
void eval_classes_release(struct eval_classes *c);

/* Of each class: labels, precision, recall with its standard error, F1; then the pairs that are
 * confused most often. */
void eval_classes_print(const struct eval_classes *c, FILE *out);

/* The same, and all counts: "classes", "confused", "confusion". */
void eval_classes_json(const struct eval_classes *c, json_t *to);

/* The field of the data whose classes a table is of; -1: it is not of classes, or of labels that
 * are computed. */
int eval_classes_field(const struct graph *g, int node, const struct dataset *dataset);
