/* launch.c - dltrain launch: a job that is started again when ranks or hosts are lost. */
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/supervisor.h"
#include "core/base/clock.h"
#include "dist/comm.h"
#include "dist/launch.h"
#include "job/job.h"
#include "job/signals.h"
#include "train/endtime.h"
#include "train/stop.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RANKS = 1 << 20, MOST_TRIES = 1000000, MOST_PATIENCE_S = 3600 };

struct launch_args {
    int64_t np, tries, patience;
    const char *hosts, *hostfile, *mpirun;
    const char *clear; /* the id of a job */
};

#define AT(member) .offset = offsetof(struct launch_args, member)

static const struct option_spec specs[] = {
    {"np", OPTION_WHOLE, AT(np), .min = 1, .max = MOST_RANKS},
    {"hosts", OPTION_TEXT, AT(hosts)},
    {"hostfile", OPTION_TEXT, AT(hostfile)},
    {"relaunch", OPTION_WHOLE, AT(tries), .min = 0, .max = MOST_TRIES},
    {"patience", OPTION_WHOLE, AT(patience), .min = 1, .max = MOST_PATIENCE_S},
    {"mpirun", OPTION_TEXT, AT(mpirun)},
    {"clear", OPTION_TEXT, AT(clear)},
    {0},
};

/* MPI's launchers all know -np, which is no option of getopt's. */
static void spell_out(int argc, char **argv) {
    static char np[] = "--np";

    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "-np") || !strcmp(argv[i], "-n"))
            argv[i] = np;
}

/* A duration is counted from now on, once, however often the job is started. */
static int fix_end(struct supervisor *s, char **word, const char *prefix, struct err *err) {
    double end;

    if (endtime_read(*word + strlen(prefix), clock_utc(), &end, err))
        return -1;
    if (isfinite(end))
        *word = pool_print(&s->pool, "%s@%.0f", prefix, end);
    return 0;
}

/* Of signals that a job gives a meaning to, one that the launcher passes on; 0: there is none. By
 * TERM Open MPI's ends the ranks itself a second or two later, by USR2 MPICH's ends itself. */
static int passed_on(const struct supervisor *s, unsigned bits) {
    static const int passed[] = {SIGUSR1, SIGUSR2, SIGTERM};

    for (size_t k = 0; k < sizeof passed / sizeof *passed; k++)
        for (int i = 0; job_signal_at(i); i++)
            if (job_signal_at(i)->number == passed[k] && bits & 1U << i &&
                !(s->mpich && passed[k] == SIGUSR2))
                return passed[k];
    return 0;
}

/* They mean to launch what they mean to its ranks. */
static void use_signals(struct supervisor *s, const struct job *job) {
    const int stop = passed_on(s, job->stop_signals), save = passed_on(s, job->save_signals);

    stop_use_signals(job->stop_signals, job->save_signals);
    s->stop_signal = stop ? stop : SIGTERM;
    s->save_signal = save == SIGTERM ? 0 : save; /* by which mpirun ends */
}

/* What `train` makes of its words: of those, launch needs to know the folder of the run, its
 * signals, and when its time ends. */
static int read_job(struct supervisor *s, struct err *err) {
    const char **sets = pool_take(&s->pool, (size_t)s->n_args * sizeof *sets);
    const char *const set = "--set", *const joined = "--set=", *const end = "--end=";
    struct job job = {0};
    int n = 0, rc = 0;

    for (int i = 1; i < s->n_args && !rc; i++)
        if (!strcmp(s->args[i], set) && i + 1 < s->n_args)
            sets[n++] = s->args[++i];
        else if (!strncmp(s->args[i], joined, strlen(joined)))
            sets[n++] = s->args[i] + strlen(joined);
        else if (!strcmp(s->args[i], "--resume"))
            s->resumes = true;
        else if (!strcmp(s->args[i], "--end") && i + 1 < s->n_args)
            rc = fix_end(s, &s->args[++i], "", err);
        else if (!strncmp(s->args[i], end, strlen(end)))
            rc = fix_end(s, &s->args[i], end, err);
    if (rc)
        return -1;
    rc = job_read(&job, s->args[0], sets, n, err);
    if (rc)
        source_explain(&job.source, err);
    else
        s->folder = pool_print(&s->pool, "%s/%s", job.output, job.name), use_signals(s, &job);
    job_release(&job);
    return rc ? -1 : 0;
}

static int find_hosts(struct supervisor *s, const struct launch_args *a, struct err *err) {
    if (a->hosts && a->hostfile)
        return err_set(err, ERR_USAGE, "--hosts and --hostfile are both given, expected one");
    const int rc = a->hosts      ? supervisor_read_hosts(s, a->hosts, err)
                   : a->hostfile ? supervisor_read_hostfile(s, a->hostfile, err)
                                 : supervisor_read_slurm(s, err);
    if (rc)
        return -1;
    s->most_ranks = 0;
    const int slots = supervisor_ranks(s);
    s->most_ranks = (int)a->np;
    if (slots && s->most_ranks > slots)
        return err_set(err, ERR_USAGE, "-np %d: found hosts with slots for %d", s->most_ranks,
                       slots);
    return 0;
}

/* On all hosts the same, and that of no other job. */
static const char *make_id(struct supervisor *s) {
    char host[256] = "";

    if (gethostname(host, sizeof host - 1))
        strcpy(host, "host");
    host[32] = 0; /* as much as a lock holds of it */
    return pool_print(&s->pool, "%s-%ld-%lld", host, (long)getpid(), (long long)time(NULL));
}

static int prepare(struct supervisor *s, const struct launch_args *a, struct err *err) {
    char library[COMM_TEXT], standard[COMM_TEXT];

    comm_library(library, standard);
    s->mpich = !strncmp(library, "MPICH", strlen("MPICH"));
    s->mpirun = a->mpirun ? a->mpirun : s->mpich ? "mpiexec.mpich" : "mpirun";
    s->tries = (int)a->tries;
    s->patience_s = (int)a->patience;
    s->id = make_id(s);
    if (!s->mpirun[strspn(s->mpirun, " ")])
        return err_set(err, ERR_USAGE, "--mpirun: found '%s', expected a command", s->mpirun);
    s->program = command_program(&s->pool, err);
    if (!s->program || read_job(s, err) || find_hosts(s, a, err))
        return -1;
    s->log.events.path = pool_print(&s->pool, "%s/events.jsonl", s->folder);
    s->log.metrics.path = pool_print(&s->pool, "%s/metrics.jsonl", s->folder);
    return 0;
}

static int run(int argc, char **argv, struct err *err) {
    struct launch_args a = {.tries = 3, .patience = 10};
    struct supervisor s = {0};

    spell_out(argc, argv);
    const int first = options_read_first(&a, specs, "launch", argc, argv, err);
    if (first < 0)
        return -1;
    if (a.clear && first == argc) {
        supervisor_clear(a.clear);
        return 0;
    }
    if (a.clear || first == argc)
        return err_set(err, ERR_USAGE,
                       "expected dltrain launch [-np N] [--hosts A:N,B:N] JOB.ini, with options of "
                       "`train` behind the job");
    if (launch_check_alone(getenv, "launch starts mpirun itself", "-np N gives the job N ranks",
                           err))
        return -1;
    s.args = argv + first;
    s.n_args = argc - first;
    const int rc = prepare(&s, &a, err) || supervisor_run(&s, err) ? -1 : 0;
    pool_release(&s.pool);
    return rc;
}

const struct command command_launch = {
    .name = "launch",
    .alone = true,
    .stops = true,
    .summary = "train a job that goes on with the hosts that are left when some are lost",
    .usage =
        "dltrain launch [-np N] [--hosts HOST:SLOTS,... | --hostfile FILE] [--relaunch N]\n"
        "               [--patience SECONDS] [--mpirun COMMAND] JOB.ini [OPTIONS OF train]\n"
        "dltrain launch --clear ID\n"
        "\n"
        "  -np N                 ranks, at most: fewer where hosts are lost; by default as many "
        "as\n"
        "                        slots\n"
        "  --hosts A:4,B:4       hosts, and the ranks that each takes\n"
        "  --hostfile FILE       likewise, in lines `A slots=4`; without either those of the "
        "Slurm\n"
        "                        allocation, else this machine\n"
        "  --relaunch N          starts that bring the job no further, until it is given up (3)\n"
        "  --patience SECONDS    for which a host may take to answer (10)\n"
        "  --mpirun COMMAND      that starts the ranks, with options of its own (mpirun; "
        "mpiexec.mpich\n"
        "                        where the program was built with MPICH)\n"
        "  --clear ID            end what is left on this host of a job, whose processes have\n"
        "                        DLTRAIN_LAUNCH=ID in their environment; launch calls it itself\n"
        "\n"
        "When a rank dies or a host is lost, the hosts are asked whether they answer, what is left "
        "on\n"
        "them is ended, and the job goes on there from its newest checkpoint. Codes 0, 64, 65, 70 "
        "and\n"
        "78 end it: another start would not help; nor does 74 before training has begun. USR1, "
        "TERM\n"
        "and Ctrl-C have the job saved, 75. Lines of its own begin with `launch:`, on stderr.\n"
        "runs/ must be visible here. docs/clusters.md, \"Jobs that outlive their hosts\".\n"
        "\n"
        "  dltrain launch -np 16 --hosts a:4,b:4,c:4,d:4 jobs/cifar10_resnet20.ini\n"
        "  dltrain launch -np 4 jobs/quickstart.ini --set lr=0.1 --resume\n"
        "  dltrain launch --hostfile hosts --mpirun \"mpirun --bind-to core\" "
        "jobs/imagenet_resnet.ini\n",
    .run = run,
};
