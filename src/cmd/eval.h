/* eval.h - what `dltrain eval` was asked for, and what it writes beside what it prints. */
#pragma once
#include "cmd/eval_classes.h"
#include "cmd/jobargs.h"
#include "train/feed.h"
#include "train/trained.h"
#include "train/worst.h"

struct eval_args {
    struct jobargs a; /* first: options fill both */
    bool per_class;
    int64_t worst;    /* --worst N; 0: not given */
    const char *json; /* --json FILE */
    const char *out;  /* -o FOLDER */
};

/* Write --json FILE. Errors: ERR_IO. */
int eval_json(const struct eval_args *e, const struct replica *r, const struct feed *feed,
              const struct trained *trained, const struct eval_classes *classes, struct err *err);

/* Write --worst N into -o FOLDER. Errors: those of worst_write. */
int eval_worst(const struct eval_args *e, const struct feed *feed, const struct trained *trained,
               const struct worst *worst, struct err *err);
