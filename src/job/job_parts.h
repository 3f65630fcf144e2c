/* job_parts.h - reading a job piece by piece: private to job*.c. Keys that are not there leave what
 * they would set as it is. Errors: ERR_CONFIG with the place. */
#pragma once
#include "job/job.h"

/* An evaluator of the job's expressions; host NULL where nothing but numbers can stand. */
struct evaluator job_evaluator(struct job *job, const struct eval_host *host);

/* A number within [min, max]. */
int job_number(struct job *job, const struct entry *entry, double min, double max, bool whole,
               double *out, struct err *err);
int job_whole(struct job *job, const struct entry *entry, int64_t min, int64_t *out,
              struct err *err);

/* "2 epochs", "500 steps", "never". */
int job_interval(const struct entry *entry, struct interval *out, struct err *err);

/* One of the words, as its index. */
int job_word(const struct entry *entry, const char *const *words, int *out, struct err *err);

int job_read_augment(struct job *job, struct err *err);

/* One [step], appended to job->step. */
int job_read_step(struct job *job, const struct section *section, struct err *err);

/* One [picture], appended to job->picture. */
int job_read_picture(struct job *job, const struct section *section, struct err *err);

/* One [weights], appended to job->weights. */
int job_read_weights(struct job *job, const struct section *section, struct err *err);
