#include "cmd/jobargs.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/runjob.h"
#include "dist/agree.h"
#include "dist/launch.h"
#include "train/facts.h"
#include "train/shards.h"
#include "train/threads.h"

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
    if (argc - first != 1)
        return err_set(err, ERR_USAGE, "found %d job files, expected one, as in dltrain %s JOB.ini",
                       argc - first, command);
    if (a->json && !a->layers && takes & JOBARGS_LAYERS)
        return err_set(err, ERR_USAGE, "--json is for --layers, which is not given");
    *path = argv[first];
    return 0;
}

/* Is it one command on one job that the ranks were started with? */
static int check_same(const struct jobargs *a, const char *command, struct err *err) {
    struct same list = {0};

    if (comm_size(a->comm) == 1)
        return 0;
    same_add(&list, "the command", "%s%s%s%s", command, a->resume ? " --resume" : "",
             a->layers ? " --layers" : "", a->json ? " --json" : "");
    if (a->weights)
        same_add(&list, "--weights", "%s", a->weights);
    if (a->steps)
        same_add(&list, "--steps", "%" PRId64, a->steps);
    facts_job(&list, &a->job);
    const int rc = facts_check_job(a->comm, &list, err);
    same_release(&list);
    return rc;
}

static int read_job(struct jobargs *a, const char *path, unsigned takes, struct err *err) {
    return takes & JOBARGS_WEIGHTS && runjob_is(path)
               ? runjob_read(a, path, err)
               : job_read(&a->job, path, a->sets, a->n_sets, err);
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
    if (a->job.reproducible)
        return shards_check(&a->job, (int)a->emulate, err);
    job_release(&a->job);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (add_set(a, sets[i], err))
            return -1;
    return read_job(a, path, takes, err);
}

int jobargs_init(struct jobargs *a, int argc, char **argv, unsigned takes, struct err *err) {
    return jobargs_init_with(a, argc, argv, takes, NULL, err);
}

int jobargs_init_with(struct jobargs *a, int argc, char **argv, unsigned takes,
                      const struct option_spec *more, struct err *err) {
    const char *path = NULL;

    *a = (struct jobargs){0};
    if (comm_new(&a->comm, &argc, &argv, err)) {
        if (!a->comm && launch_rank(getenv) > 0) /* all find the same; one says it */
            err->msg[0] = 0;
        return -1;
    }
    int rc = parse(a, argc, argv, takes, more, &path, err);
    if (!rc)
        rc = read_job(a, path, takes, err);
    if (!rc && a->emulate)
        rc = emulate(a, path, takes, err);
    if (!rc)
        rc = shards_check(&a->job, comm_size(a->comm), err);
    if (agree(a->comm, rc, err) || check_same(a, command_of(argv), err))
        return -1;
    a->threads = threads_of_rank(a->job.threads, a->comm);
    if (!a->job.workers)
        a->job.workers = threads_of_rank(0, a->comm);
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
    pool_release(&a->pool);
    comm_free(a->comm);
    a->comm = NULL;
}
