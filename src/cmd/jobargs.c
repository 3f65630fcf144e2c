#include "cmd/jobargs.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/runjob.h"
#include "core/math/isa/isa.h"
#include "dist/agree.h"
#include "dist/allreduce/wire.h"
#include "dist/launch.h"
#include "dist/sync.h"
#include "job/job_files.h"
#include "train/facts.h"
#include "train/shards.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 1000000 };

static int add_set(void *to, const char *value, struct err *err) {
    struct jobargs *a = to;

    if (a->n_sets == JOBARGS_MAX_SETS)
        return err_set(err, ERR_USAGE, "more than %d --set", JOBARGS_MAX_SETS);
    a->sets[a->n_sets++] = value;
    return 0;
}

static const struct {
    struct option_spec spec;
    unsigned bit; /* 0: every command takes it */
} options[] = {
    {{"set", OPTION_READ, .read = add_set}, 0},
    {{"resume", OPTION_FLAG, .offset = offsetof(struct jobargs, resume)}, JOBARGS_RESUME},
    {{"weights", OPTION_TEXT, .offset = offsetof(struct jobargs, weights)}, JOBARGS_WEIGHTS},
    {{"steps", OPTION_WHOLE, .offset = offsetof(struct jobargs, steps), .min = 1,
      .max = MOST_STEPS},
     JOBARGS_STEPS},
    {{"emulate-ranks", OPTION_WHOLE, .offset = offsetof(struct jobargs, emulate), .min = 1,
      .max = JOB_MAX_SHARDS},
     JOBARGS_EMULATE},
    {{"layers", OPTION_FLAG, .offset = offsetof(struct jobargs, layers)}, JOBARGS_LAYERS},
    {{"json", OPTION_FLAG, .offset = offsetof(struct jobargs, json)},
     JOBARGS_LAYERS | JOBARGS_JSON},
};

enum { N_OPTIONS = sizeof options / sizeof *options, MOST_OWN = 20 };

/* Without a command, argv[0] is what the program was started as. */
static const char *command_of(char **argv) {
    return command_find(argv[0]) ? argv[0] : "train";
}

static int parse(struct jobargs *a, int argc, char **argv, unsigned takes,
                 const struct option_spec *more, const char **path, struct err *err) {
    const char *command = command_of(argv);
    struct option_spec taken[N_OPTIONS + MOST_OWN + 1] = {{0}};
    int n = 0;

    for (int i = 0; i < N_OPTIONS; i++)
        if (!options[i].bit || options[i].bit & takes)
            taken[n++] = options[i].spec;
    for (; more && more->name && n < N_OPTIONS + MOST_OWN; more++)
        taken[n++] = *more;
    const int first = options_read(a, taken, command, argc, argv, err);
    if (first < 0)
        return -1;
    if (takes & JOBARGS_INPUTS && argc > first) {
        a->inputs = argv + first + 1;
        a->n_inputs = argc - first - 1;
        argc = first + 1;
    }
    if (argc - first != 1)
        return err_set(err, ERR_USAGE, "found %d job files, expected one, as in dltrain %s JOB.ini",
                       argc - first, command);
    if (a->json && !a->layers && takes & JOBARGS_LAYERS)
        return err_set(err, ERR_USAGE, "--json is for --layers, which is not given");
    *path = argv[first];
    return 0;
}

/* The command, and of one with options of its own these and the job. What --set changes is compared
 * in the job, where ranks may choose their threads. */
static const char *command_text(struct pool *pool, int argc, char **argv, bool whole) {
    const char *text = command_of(argv);

    for (int i = 1; whole && i < argc; i++)
        if (!strcmp(argv[i], "--set"))
            i++;
        else if (strncmp(argv[i], "--set=", strlen("--set=")) != 0)
            text = pool_print(pool, "%s %s", text, argv[i]);
    return text;
}

int jobargs_same_command(struct comm *comm, int argc, char **argv, bool whole, struct err *err) {
    struct same list = {0};

    if (comm_size(comm) == 1)
        return 0;
    same_add(&list, "the command", "%s", command_text(&list.pool, argc, argv, whole));
    const int rc = facts_check_job(comm, &list, err);
    same_release(&list);
    return rc;
}

/* Is it one command on one job that the ranks were started with? */
static int check_same(const struct jobargs *a, const char *command, const char *path,
                      struct err *err) {
    struct same list = {0};

    if (comm_size(a->comm) == 1)
        return 0;
    same_add(&list, "the command", "%s%s%s%s", command, a->resume ? " --resume" : "",
             a->layers ? " --layers" : "", a->json ? " --json" : "");
    same_add(&list, "the job file", "%s", path);
    if (a->weights)
        same_add(&list, "--weights", "%s", a->weights);
    if (a->steps)
        same_add(&list, "--steps", "%" PRId64, a->steps);
    facts_job(&list, &a->job);
    const int rc = facts_check_job(a->comm, &list, err);
    same_release(&list);
    return rc;
}

/* On rank 0 alone: what is read of files. A run is read when its job is found. */
static int read_files(struct jobargs *a, const char *path, bool run, struct source_files *files,
                      struct err *err) {
    if (run)
        return runjob_find(a, path, files, err);
    return job_read_files(&a->job, path, files, a->sets, a->n_sets, err);
}

/* Rank 0 reads, and all make the job of what it has read: where thousands of ranks begin at a time,
 * a file system has one to serve, and hosts need not have the file. */
static int read_job(struct jobargs *a, const char *path, bool may_be_run, struct err *err) {
    struct source_files files = {0};
    const bool first = comm_rank(a->comm) == 0;
    bool run = first && may_be_run && runjob_is(path);
    int rc = agree(a->comm, first ? read_files(a, path, run, &files, err) : 0, err);

    if (!rc) {
        comm_bcast(a->comm, &run, sizeof run, 0);
        job_files_broadcast(a->comm, &files);
        if (run)
            rc = runjob_read(a, &files, err);
        else if (!first)
            rc = job_read_files(&a->job, path, &files, a->sets, a->n_sets, err);
        rc = agree(a->comm, rc, err);
        if (!rc && !run) /* the job of a run is a part of its files, which eval compares */
            rc = job_files_compare(a->comm, &files, err);
    }
    source_files_release(&files);
    return rc;
}

/* What so many ranks would compute, of a job whose bits depend on them: each one's share is a shard
 * of a sum that does not. */
static int emulate(struct jobargs *a, const char *path, unsigned takes, struct err *err) {
    const char *const sets[] = {"dist.allreduce=fold", "dist.reduction=reproducible",
                                pool_print(&a->pool, "dist.shards=%" PRId64, a->emulate)};

    if (comm_size(a->comm) > 1)
        return err_set(err, ERR_USAGE,
                       "--emulate-ranks computes in one process what %" PRId64
                       " ranks compute; found %d ranks, expected one",
                       a->emulate, comm_size(a->comm));
    if (wire_format(&a->job.wire) || sync_local_sgd(&a->job.sync))
        return err_set(err, ERR_CONFIG,
                       "%s: --emulate-ranks sums whole gradients in every step; found [dist] %s = "
                       "%s, expected --set dist.%s",
                       path, wire_format(&a->job.wire) ? "wire" : "sync",
                       wire_format(&a->job.wire) ? a->job.wire.word->name : "local_sgd",
                       wire_format(&a->job.wire) ? "wire=fp32" : "sync=step");
    if (a->job.reproducible)
        return shards_check(&a->job, (int)a->emulate, err);
    job_release(&a->job);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (add_set(a, sets[i], err))
            return -1;
    return read_job(a, path, takes & JOBARGS_WEIGHTS, err);
}

/* What the command line and the number of ranks make of a job that is read. */
static int suit(struct jobargs *a, const char *path, unsigned takes, struct err *err) {
    if (a->emulate && emulate(a, path, takes, err))
        return -1;
    return shards_check(&a->job, comm_size(a->comm), err);
}

/* Where all ranks are, and with how many threads this one computes and reads. */
static void find_place(struct jobargs *a) {
    const struct place_wish wish = {a->job.threads, a->job.binds, isa_get()->name};

    places_init(&a->places, a->comm, &wish);
    a->threads = places_mine(&a->places)->threads;
    if (!a->job.workers)
        a->job.workers = places_mine(&a->places)->n_processors;
}

int jobargs_init(struct jobargs *a, int argc, char **argv, unsigned takes, struct err *err) {
    return jobargs_init_with(a, argc, argv, takes, NULL, err);
}

int jobargs_init_with(struct jobargs *a, int argc, char **argv, unsigned takes,
                      const struct option_spec *more, struct err *err) {
    const char *path = NULL;

    *a = (struct jobargs){0};
    if (comm_new(&a->comm, &argc, &argv, err)) {
        /* Where MPI does not start all find the same, and one says it. Processes that are jobs of
         * their own each say it: a launcher may end the others as soon as one has left. */
        if (!a->comm && launch_rank(getenv) > 0)
            err->msg[0] = 0;
        return -1;
    }
    if (agree(a->comm, parse(a, argc, argv, takes, more, &path, err), err) ||
        jobargs_same_command(a->comm, argc, argv, more != NULL, err) ||
        read_job(a, path, takes & JOBARGS_WEIGHTS, err) ||
        agree(a->comm, suit(a, path, takes, err), err) ||
        check_same(a, command_of(argv), path, err))
        return -1;
    find_place(a);
    return 0;
}

void jobargs_release(struct jobargs *a, struct err *err) {
    /* Before MPI ends: once a rank has left with an exit code, mpirun kills those that talk. */
    source_explain(&a->job.source, err);
    if (a->comm && comm_rank(a->comm) == 0)
        command_report(err);
    if (a->comm)
        err->msg[0] = 0;
    job_release(&a->job);
    places_release(&a->places);
    pool_release(&a->pool);
    comm_free(a->comm);
    a->comm = NULL;
}
