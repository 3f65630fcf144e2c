/* runfolder.h - the folder of a run, runs/NAME: whose it is, what the files in it are called, and
 * the job in it. Taken by rank 0 only. */
#pragma once
#include "job/job.h"
#include "train/event.h"

struct runfolder {
    const struct job *job;     /* borrowed */
    const struct sinks *sinks; /* borrowed; notes go there */
    const char *path;          /* on all ranks */
    struct pool pool;
    int lock; /* the open folder, locked; -1: none */
};

/* Before a run: name the folder. Local. */
void runfolder_init(struct runfolder *f, const struct job *job, const struct sinks *sinks);

/* Path of a file in the folder; belongs to f. */
const char *runfolder_file(struct runfolder *f, const char *name);

/* Keep other runs out of the folder. An earlier run in it is kept as NAME.1, NAME.2 ... unless
 * this one resumes it. Errors: ERR_IO when another run is in the folder. */
int runfolder_lock(struct runfolder *f, bool resume, struct err *err);

/* Make the folder, where it is new, and put the job as resolved into it. Errors: ERR_IO. */
int runfolder_open(struct runfolder *f, struct err *err);

void runfolder_release(struct runfolder *f);
