/* facts.h - what all ranks must have alike before they begin: program, libraries, environment, job,
 * data. Each host may have files of its own, and a job on two different ones is none. */
#pragma once
#include "dist/same.h"
#include "io/loader/loader.h"
#include "job/job.h"

/* The program, its libraries and what of the environment changes their results, and the job as
 * resolved, key by key; where it is reproducible, the kernels of this processor. But for the number
 * of threads, which each host may choose. Local. */
void facts_job(struct same *list, const struct job *job);

/* Compare list, to which the caller has added what else there is to know of the start.
 * Collective. Errors: ERR_CONFIG, as of same_check. */
int facts_check_job(struct comm *comm, const struct same *list, struct err *err);

/* Compare n open datasets: samples, fields, classes, statistics, labels, and the content of some
 * samples of each field. Equally many on all ranks; nothing may be requested of their loaders yet.
 * Collective. Errors: ERR_DATA, as of same_check, naming the dataset; those of reading. */
int facts_check_data(struct comm *comm, struct dataset *const *data, int n, struct err *err);

/* Compare the fields of a sample, where nothing else of the data matters.
 *   field  [n]
 * Collective. Errors: ERR_DATA, as of same_check. */
int facts_check_fields(struct comm *comm, const struct loader_field *field, int n, struct err *err);
