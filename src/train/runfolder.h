/* runfolder.h - the folder of a run, runs/NAME: whose it is, what the files in it are called, and
 * the job in it. Taken by rank 0 only. */
#pragma once
#include "io/file/lock.h"
#include "job/job.h"
#include "train/event.h"

#include <sys/types.h>

struct runfolder_path;

struct runfolder {
    const struct job *job;     /* borrowed */
    const struct sinks *sinks; /* borrowed; notes go there */
    const char *path;          /* on all ranks */
    struct pool pool;
    struct runfolder_path *paths; /* that were asked for; the pool's */
    struct lock lock;
    dev_t device; /* which folder it is that was taken */
    ino_t inode;
    bool lost; /* somebody else has it now */
};

/* Before a run: name the folder. Local. */
void runfolder_init(struct runfolder *f, const struct job *job, const struct sinks *sinks);

/* Path of a file in the folder; belongs to f. */
const char *runfolder_file(struct runfolder *f, const char *name);

/* Make the folder, where it is new, and keep other runs out of it. What an earlier run left in it
 * is moved to NAME.1, NAME.2 ... unless this one resumes it. Errors: ERR_IO, also when another run
 * is in the folder, which then is left alone. */
int runfolder_lock(struct runfolder *f, bool resume, struct err *err);

/* Put the job as resolved into it. Errors: ERR_IO. */
int runfolder_open(struct runfolder *f, struct err *err);

/* Before anything is saved: is the folder still this run's? One that is gone is made again, with
 * the job in it, and the sinks are told EVENT_FOLDER. Errors: ERR_IO; f->lost where somebody else
 * has it now, into whose files nothing may be written. */
int runfolder_keep(struct runfolder *f, struct err *err);

void runfolder_release(struct runfolder *f);
