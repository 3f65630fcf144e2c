/* import_deal.h - which samples of an import go to which split. */
#pragma once
#include "io/import/import_rows.h"

enum { DEAL_NAME = 256 };

/* {0} is releasable. */
struct deal {
    int n;                   /* splits */
    char (*name)[DEAL_NAME]; /* [n], owned: the one that is trained on first */
    int32_t *part;           /* [source->n] which each goes to; below 0: to none */
    int64_t *count;          /* [n] */
};

/* Errors: ERR_USAGE where what is to be held out is nothing or all; ERR_IO without memory. */
int deal_init(struct deal *deal, const struct rows_source *source, const struct import_split *how,
              struct err *err);
void deal_release(struct deal *deal);
