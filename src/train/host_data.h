/* host_data.h - the datasets of a run, opened by all ranks together: rank 0 finds what they are,
 * the others compare their files with that, and what is kept in memory is kept once a host. */
#pragma once
#include "io/dataset/dataset.h"
#include "io/h5/h5_files.h"
#include "train/host_memory.h"

/* {0} is releasable. */
struct host_data {
    struct comm *comm;         /* borrowed */
    int64_t cache_bytes;       /* of each dataset, kept by a host; INT64_MAX: whatever there is */
    const struct sinks *sinks; /* told what lies where; NULL: nobody is */
    struct host_memory memory;
    struct h5_files files; /* open while datasets are opened */
    bool agreed;           /* the error is known to all ranks */
    bool shared; /* what is kept of the dataset that was opened last is kept once a host */
};

/* Nothing is opened yet. Local. */
void host_data_init(struct host_data *h, struct comm *comm, int64_t cache_bytes,
                    const struct sinks *sinks);

/* Open a dataset, for the caller to close before host_data_release. Collective.
 * Errors, the same on all ranks: those of dataset_open; ERR_IO where a host has not the memory for
 * what it is to keep, with figures.
 * Cost: rank 0 reads as dataset_open does, the first rank of each other host what is kept; all of
 * them open each file once, and read its labels and some rows. */
int host_data_open(struct host_data *h, const char *spec, struct dataset **out, struct err *err);

/* Likewise on this rank alone, which keeps a copy. Local. */
int host_data_open_alone(struct host_data *h, const char *spec, struct dataset **out,
                         struct err *err);

/* Tell the sinks where a dataset lies that host_data_open gave: how much of it in memory, whose,
 * and how much in its file. Local. */
void host_data_tell(const struct host_data *h, const struct dataset *ds);

/* Nothing more will be opened: files of which all is in memory are closed. Local. */
void host_data_opened(struct host_data *h);

/* Collective. {0} is fine. */
void host_data_release(struct host_data *h);
