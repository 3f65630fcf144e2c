/* signals.h - signals that a job may give a meaning to. */
#pragma once

struct job_signal {
    const char *name; /* "USR1" */
    int number;
};

/* The i-th, which bit i of the job's members means; NULL past the end. */
const struct job_signal *job_signal_at(int i);
