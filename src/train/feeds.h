/* feeds.h - the data of a run for one rank: what it trains on and what it validates on. */
#pragma once
#include "dist/comm.h"
#include "train/feed.h"
#include "train/host_data.h"

struct feeds {
    struct host_data data;
    struct feed train, validate;
    bool validates_here;                             /* this rank has a share of the validation */
    struct feed_classes classes[DATASET_MAX_FIELDS]; /* [n_classes] of the training data, which the
                                                        validation is counted by */
    int n_classes;
};

/* Open what the job names. Collective.
 *   sinks  told how the classes of the two were matched, and where the samples lie
 * Errors, the same on all ranks: the datasets'; ERR_CONFIG where the job lacks a key that training
 * needs; ERR_CONFIG and ERR_DATA where the two do not have the same fields; ERR_IO where a host has
 * not the memory that the data is to be kept in. */
int feeds_init(struct feeds *f, const struct job *job, struct comm *comm, const struct sinks *sinks,
               struct err *err);

/* As feed_say_to, of both. */
void feeds_say_to(struct feeds *f, struct pulse *pulse);

/* Collective. {0} is fine. */
void feeds_release(struct feeds *f);
