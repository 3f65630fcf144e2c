/* kind.h - how a job is read, private to src/job: the kinds of values that keys have, beside each
 * the type of the member that it fills. */
#pragma once
#include "core/lang/eval.h"
#include "job/job.h"
#include "job/key.h"

extern const struct kind kind_number;   /* double */
extern const struct kind kind_whole;    /* int64_t or uint64_t */
extern const struct kind kind_int;      /* int; the key's max is one, too */
extern const struct kind kind_mib;      /* int64_t bytes, written as a number of MiB */
extern const struct kind kind_cache;    /* the same; `host` is INT64_MAX */
extern const struct kind kind_interval; /* struct interval */
extern const struct kind kind_span;     /* struct job_span */
extern const struct kind kind_timeout;  /* double seconds; `auto` is 0, `off` below it */
extern const struct kind kind_flag;     /* bool: whether the second of the key's two words stands */
extern const struct kind kind_size;     /* struct ints: height, width, channels */
extern const struct kind kind_range;    /* double[2] that grow */
extern const struct kind kind_applied;  /* struct applied: a word of the key's table */
extern const struct kind kind_pipeline; /* augment and n_augment of the job */
extern const struct kind kind_fields;   /* field and n_fields of the job */
extern const struct kind kind_net;      /* const struct entry *, for those who know the nets */
extern const struct kind kind_nets;     /* the same */

/* .read of kinds whose value is taken as it stands: a text, an entry. */
int kind_read_text(struct job *job, const struct key *key, const struct entry *entry, void *at,
                   struct err *err);
int kind_read_entry(struct job *job, const struct key *key, const struct entry *entry, void *at,
                    struct err *err);

/* An evaluator of the job's expressions; host NULL where nothing but numbers can stand. */
struct evaluator kind_evaluator(struct job *job, const struct eval_host *host);

/* Refuse sections and keys that no job has.
 * Errors: ERR_CONFIG with the place and the nearest known word. */
int job_check_keys(const struct job *job, struct err *err);
