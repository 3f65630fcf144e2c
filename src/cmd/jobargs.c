#include "cmd/jobargs.h"
#include "cmd/command.h"
#include "dist/agree.h"
#include "train/threads.h"
#include "dist/launch.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    struct option option;
    unsigned bit; /* 0: every command takes it */
} options[] = {
    {{"set", required_argument, NULL, 's'}, 0},
    {{"resume", no_argument, NULL, 'r'}, JOBARGS_RESUME},
    {{"weights", required_argument, NULL, 'w'}, JOBARGS_WEIGHTS},
    {{"steps", required_argument, NULL, 'n'}, JOBARGS_STEPS},
    {{"layers", no_argument, NULL, 'l'}, JOBARGS_LAYERS},
    {{"json", no_argument, NULL, 'j'}, JOBARGS_LAYERS},
};

enum { N_OPTIONS = sizeof options / sizeof *options };

static int read_steps(struct jobargs *a, struct err *err) {
    char *end;

    a->steps = strtol(optarg, &end, 10);
    if (*end || end == optarg || a->steps < 1 || a->steps > 1000000)
        return err_set(err, ERR_USAGE, "--steps: found '%s', expected a whole number of at least 1",
                       optarg);
    return 0;
}

static int read_option(struct jobargs *a, int c, struct err *err) {
    switch (c) {
    case 's':
        if (a->n_sets == JOBARGS_MAX_SETS)
            return err_set(err, ERR_USAGE, "more than %d --set", JOBARGS_MAX_SETS);
        a->sets[a->n_sets++] = optarg;
        return 0;
    case 'r':
        a->resume = true;
        return 0;
    case 'w':
        a->weights = optarg;
        return 0;
    case 'n':
        return read_steps(a, err);
    case 'l':
        a->layers = true;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    default:
        return -1;
    }
}

static int parse(struct jobargs *a, int argc, char **argv, unsigned takes, const char **path,
                 struct err *err) {
    struct option taken[N_OPTIONS + 1] = {{0}};
    int n = 0, c;

    for (int i = 0; i < N_OPTIONS; i++)
        if (!options[i].bit || options[i].bit & takes)
            taken[n++] = options[i].option;
    optind = 1, opterr = 0;
    while ((c = getopt_long(argc, argv, ":", taken, NULL)) >= 0) {
        if (c == ':')
            return err_set(err, ERR_USAGE, "%s needs a value", argv[optind - 1]);
        if (c == '?')
            return err_set(err, ERR_USAGE,
                           "found '%s', which is no option here; `dltrain help %s` "
                           "lists them",
                           argv[optind - 1], strchr(argv[0], '/') ? "train" : argv[0]);
        if (read_option(a, c, err))
            return -1;
    }
    if (argc - optind != 1)
        return err_set(err, ERR_USAGE, "found %d job files, expected one, as in dltrain %s JOB.ini",
                       argc - optind, strchr(argv[0], '/') ? "train" : argv[0]);
    if (a->json && !a->layers)
        return err_set(err, ERR_USAGE, "--json is for --layers, which is not given");
    *path = argv[optind];
    return 0;
}

int jobargs_init(struct jobargs *a, int argc, char **argv, unsigned takes, struct err *err) {
    const char *path = NULL;

    *a = (struct jobargs){0};
    if (comm_new(&a->comm, &argc, &argv, err)) {
        if (launch_rank(getenv) > 0) /* all processes find the same; one says it */
            err->msg[0] = 0;
        return -1;
    }
    int rc = parse(a, argc, argv, takes, &path, err);
    if (!rc)
        rc = job_read(&a->job, path, a->sets, a->n_sets, err);
    if (agree(a->comm, rc, err))
        return -1;
    a->threads = threads_of_rank(a->job.threads, a->comm);
    return 0;
}

void jobargs_release(struct jobargs *a, struct err *err) {
    /* Before MPI ends: once a rank has left with an exit code, mpirun kills those that talk. */
    if (a->comm && comm_rank(a->comm) == 0)
        command_report(err);
    if (a->comm)
        err->msg[0] = 0;
    job_release(&a->job);
    comm_free(a->comm);
    a->comm = NULL;
}
