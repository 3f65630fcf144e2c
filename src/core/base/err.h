/* err.h - one error message on its way up to the caller. */
#pragma once

/* What kind of failure it is; the value is the exit code of the program (sysexits.h). */
enum err_kind {
    ERR_USAGE = 64,   /* the command line */
    ERR_DATA = 65,    /* a dataset, image or checkpoint has the wrong content */
    ERR_IO = 74,      /* the operating system, a file system or MPI refused */
    ERR_STOPPED = 75, /* stopped on request, or before its time ended; resumable */
    ERR_CONFIG = 78,  /* the job file */
};

/* Zero-initialise: struct err err = {0}; untouched unless something fails. */
struct err {
    enum err_kind kind;
    int of_rank; /* 1 + the rank whose it is, where several have agreed on it; 0: nobody says */
    char msg[1024];
};

/* Set kind and message, of which control characters become '?'. Returns -1, so that callers can
 * write: return err_set(...). */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put context in front: "inner" becomes "<context>: inner"; the kind stays. Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
