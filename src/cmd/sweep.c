/* sweep.c - dltrain sweep: trials of a job with other settings, seeds and folds. */
#include "cmd/sweep.h"
#include "cmd/command.h"
#include "cmd/find.h"
#include "cmd/options.h"
#include "core/base/clock.h"
#include "dist/launch.h"
#include "train/endtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_SEEDS = 1000, MOST_FOLDS = 100, MOST_RANKS = 4096 };

struct sweep_args {
    struct sweep sweep;
    struct sweep_wish wish;
    const char *resume, *show, *mpirun; /* folders; a command */
    const char *sbatch;                 /* options of it */
    int64_t trial;
    bool slurm_array, submit, plan, retry, csv, json;
};

/* --- options --- */

static int read_grid(void *to, const char *value, struct err *err) {
    return sweep_read_grid(&((struct sweep_args *)to)->sweep, value, err);
}

static int read_random(void *to, const char *value, struct err *err) {
    return sweep_read_random(&((struct sweep_args *)to)->sweep, value, err);
}

static int read_set(void *to, const char *value, struct err *err) {
    struct sweep_wish *w = &((struct sweep_args *)to)->wish;

    if (w->n_sets == SWEEP_MOST_SETS)
        return err_set(err, ERR_USAGE, "more than %d --set", SWEEP_MOST_SETS);
    w->set[w->n_sets++] = value;
    return 0;
}

static int read_eta(void *to, const char *value, struct err *err) {
    struct sweep_wish *w = &((struct sweep_args *)to)->wish;

    if (find_read_number("eta", value, &w->eta, err))
        return -1;
    return w->eta > 1 ? 0
                      : err_set(err, ERR_USAGE, "--eta: found '%s', expected more than 1", value);
}

static int read_min_epochs(void *to, const char *value, struct err *err) {
    return find_read_number("min-epochs", value, &((struct sweep_args *)to)->wish.min_epochs, err);
}

static int read_end(void *to, const char *value, struct err *err) {
    return endtime_read(value, clock_utc(), &((struct sweep_args *)to)->sweep.end, err);
}

#define AT(member) .offset = offsetof(struct sweep_args, member)

static const struct option_spec specs[] = {
    {"grid", OPTION_READ, .read = read_grid},
    {"random", OPTION_READ, .read = read_random},
    {"set", OPTION_READ, .read = read_set},
    {"trials", OPTION_WHOLE, AT(wish.trials), .min = 1, .max = SWEEP_MOST_TRIALS},
    {"jobs", OPTION_WHOLE, AT(wish.jobs), .min = 1, .max = SWEEP_MOST_JOBS},
    {"ranks", OPTION_WHOLE, AT(wish.ranks), .min = 1, .max = MOST_RANKS},
    {"seeds", OPTION_WHOLE, AT(wish.seeds), .min = 1, .max = MOST_SEEDS},
    {"kfold", OPTION_WHOLE, AT(wish.kfold), .min = 2, .max = MOST_FOLDS},
    {"seed", OPTION_WHOLE, AT(wish.seed), .min = 0, .max = INT64_MAX},
    {"halving", OPTION_FLAG, AT(wish.halving)},
    {"eta", OPTION_READ, .read = read_eta},
    {"min-epochs", OPTION_READ, .read = read_min_epochs},
    {"end", OPTION_READ, .read = read_end},
    {"name", OPTION_TEXT, AT(wish.name)},
    {"mpirun", OPTION_TEXT, AT(mpirun)},
    {"plan", OPTION_FLAG, AT(plan)},
    {"retry", OPTION_FLAG, AT(retry)},
    {"slurm-array", OPTION_FLAG, AT(slurm_array)},
    {"sbatch", OPTION_TEXT, AT(sbatch)},
    {"submit", OPTION_FLAG, AT(submit)},
    {"resume", OPTION_TEXT, AT(resume)},
    {"show", OPTION_TEXT, AT(show)},
    {"trial", OPTION_WHOLE, AT(trial), .min = 1, .max = SWEEP_MOST_TRIALS},
    {"csv", OPTION_FLAG, AT(csv)},
    {"json", OPTION_FLAG, AT(json)},
    {0},
};

/* --- what it is asked to do --- */

static int run_all(struct sweep *s, int only, struct err *err) {
    s->program = command_program(&s->pool, err);
    if (!s->program)
        return -1;
    const int rc = sweep_run(s, only, err);
    if (only < 0 && (!rc || err->kind == ERR_STOPPED))
        sweep_print(s);
    return rc;
}

/* sbatch says the number of the job itself. */
static int submit(const char *path, struct err *err) {
    int status = 0;

    fflush(NULL);
    const pid_t pid = fork();
    if (!pid) {
        execlp("sbatch", "sbatch", path, (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return err_set(err, ERR_IO, "sbatch: cannot be started: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_set(err, ERR_IO,
                   WIFEXITED(status) && WEXITSTATUS(status) == 127
                       ? "sbatch: is not there; %s is for a machine with Slurm"
                       : "sbatch %s failed",
                   path);
}

/* Each becomes a line of the batch script. */
static int check_sbatch(const char *options, struct err *err) {
    for (const char *at = options; at && *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (*at && (strncmp(at, "--", 2) || strchr(options, '\n')))
            return err_set(err, ERR_USAGE,
                           "--sbatch: found '%s', expected options with blanks between them, as in "
                           "\"--time=1:00:00 --partition=long\"",
                           options);
    }
    return 0;
}

static int make_array(struct sweep_args *a, struct err *err) {
    struct sweep *s = &a->sweep;

    s->program = command_program(&s->pool, err);
    if (!s->program)
        return -1;
    const char *path = sweep_sbatch(s, a->sbatch, (int)a->wish.jobs, err);
    if (!path)
        return -1;
    printf("%d trials are laid out in %s; to run them:\n  sbatch %s\nand to see them:\n"
           "  dltrain sweep --show %s\n",
           s->n, s->folder, path, s->folder);
    return a->submit ? submit(path, err) : 0;
}

static void print_plan(const struct sweep *s) {
    char text[SWEEP_TEXT];

    for (int i = 0; i < s->n; i++)
        printf("%s  %s\n", s->trial[i].name, sweep_settings(s, &s->trial[i], text));
    printf("%d trials in %s; dltrain sweep --resume %s begins them\n", s->n, s->folder, s->folder);
}

static int begin(struct sweep_args *a, const char *job, struct err *err) {
    a->wish.job = job;
    a->wish.mpirun = a->mpirun ? a->mpirun : "mpirun";
    if (a->wish.halving && a->slurm_array)
        return err_set(err, ERR_USAGE,
                       "--halving compares trials with each other, and those of --slurm-array know "
                       "nothing of each other; run it in one allocation with --jobs");
    if ((a->sbatch || a->submit) && !a->slurm_array)
        return err_set(err, ERR_USAGE, "--sbatch and --submit are for --slurm-array");
    if (check_sbatch(a->sbatch, err))
        return -1;
    if (sweep_plan(&a->sweep, &a->wish, err) || sweep_read_results(&a->sweep, err))
        return -1;
    if (a->slurm_array)
        return make_array(a, err);
    if (a->plan) {
        print_plan(&a->sweep);
        return 0;
    }
    return run_all(&a->sweep, -1, err);
}

static int one_trial(struct sweep_args *a, const char *folder, struct err *err) {
    struct sweep *s = &a->sweep;

    if (sweep_read(s, folder, err))
        return -1;
    if (a->trial > s->n)
        return err_set(err, ERR_USAGE, "--trial %lld: %s has %d trials", (long long)a->trial,
                       s->folder, s->n);
    if (s->n_rungs > 1)
        return err_set(err, ERR_USAGE,
                       "--trial: the trials of %s are halved together; use "
                       "--resume %s",
                       s->folder, s->folder);
    s->batch_task = true;
    return run_all(s, (int)a->trial - 1, err);
}

/* Failed trials wait again, and go on from what they have saved. */
static int retry(struct sweep *s, struct err *err) {
    for (int i = 0; i < s->n; i++) {
        struct sweep_trial *t = &s->trial[i];

        if (t->result.state != SWEEP_FAILED)
            continue;
        t->result.state = SWEEP_WAITING;
        t->result.seconds = 0;
        t->result.message = "";
        if (sweep_append(s, t, err))
            return -1;
    }
    return sweep_read_results(s, err);
}

static int go_on(struct sweep_args *a, struct err *err) {
    struct sweep *s = &a->sweep;

    if (sweep_read(s, a->resume, err))
        return -1;
    if (a->wish.jobs)
        s->jobs = (int)a->wish.jobs;
    if (a->mpirun)
        s->mpirun = a->mpirun;
    if (a->retry && retry(s, err))
        return -1;
    return run_all(s, -1, err);
}

static int show(struct sweep_args *a, struct err *err) {
    if (sweep_read(&a->sweep, a->show, err))
        return -1;
    if (a->csv)
        sweep_print_csv(&a->sweep);
    else if (a->json)
        sweep_print_json(&a->sweep);
    else
        sweep_print(&a->sweep);
    return 0;
}

/* One of its forms, with what belongs to it. */
static int dispatch(struct sweep_args *a, int n, char **rest, struct err *err) {
    const bool plans = a->sweep.n_axes || a->wish.trials || a->wish.seeds || a->wish.kfold ||
                       a->wish.halving || a->wish.n_sets || a->wish.name || a->slurm_array;
    const int forms = (a->resume != NULL) + (a->show != NULL) + (a->trial > 0);

    if (forms > 1 || (forms && plans) || n != (a->resume || a->show ? 0 : 1))
        return err_set(err, ERR_USAGE,
                       "expected one of: dltrain sweep JOB.ini --grid ..., --resume FOLDER, --show "
                       "FOLDER, --trial K FOLDER; see dltrain help sweep");
    if ((a->csv || a->json) && !a->show)
        return err_set(err, ERR_USAGE, "--csv and --json are for --show");
    if (a->retry && !a->resume)
        return err_set(err, ERR_USAGE, "--retry is for --resume");
    if (a->show)
        return show(a, err);
    if (launch_check_alone(getenv, "sweep begins its trials itself",
                           "--ranks N gives each trial N ranks", err))
        return -1;
    return a->resume  ? go_on(a, err)
           : a->trial ? one_trial(a, rest[0], err)
                      : begin(a, rest[0], err);
}

static int run(int argc, char **argv, struct err *err) {
    struct sweep_args a = {.wish = {.seed = -1, .eta = 3, .min_epochs = 1}};
    const int first = options_read(&a, specs, "sweep", argc, argv, err);
    const int rc = first < 0 ? -1 : dispatch(&a, argc - first, argv + first, err);

    pool_release(&a.sweep.pool);
    return rc;
}

const struct command command_sweep = {
    .name = "sweep",
    .alone = true,
    .stops = true,
    .summary = "train a job with many settings, seeds or folds, and compare them",
    .usage =
        "dltrain sweep JOB.ini [--grid NAME=A,B,...]... [--random \"NAME=DRAW\"]... [--trials N]\n"
        "              [--seeds N] [--kfold N] [--halving [--eta 3] [--min-epochs 1]]\n"
        "              [--jobs K] [--ranks N [--mpirun COMMAND]] [--name SWEEP] [--seed N]\n"
        "              [--end TIME] [--plan] [--slurm-array [--sbatch OPTIONS] [--submit]]\n"
        "              [--set NAME=VALUE]...\n"
        "dltrain sweep --resume runs/SWEEP [--retry] [--jobs K] [--end TIME]\n"
        "dltrain sweep --show runs/SWEEP [--csv | --json]\n"
        "dltrain sweep --trial K runs/SWEEP\n"
        "\n"
        "  --grid NAME=A,B,...      try each value, with each of the other grids; NAME is a "
        "constant\n"
        "                           of [let] or SECTION.KEY, as for --set\n"
        "  --random NAME=DRAW       draw it: uniform(a,b), log(a,b), int(a,b) or choice(a,b,c)\n"
        "  --trials N               configurations to draw (20); beside a grid, its points in "
        "turn\n"
        "  --seeds N                train each configuration with N seeds: mean, sd, standard "
        "error\n"
        "  --kfold N                hold out each of N folds of the training data in turn\n"
        "  --halving                train all for --min-epochs, the best one of --eta for --eta "
        "times\n"
        "                           as long, and so on up to the job's epochs; learning rates "
        "are\n"
        "                           always those of the whole length\n"
        "  --jobs K                 trials at a time (1), which share the processors\n"
        "  --ranks N                of each trial, begun by mpirun (of PATH, or as --mpirun "
        "says)\n"
        "  --end TIME               when its time is over, as for train: trials save, and the exit "
        "code\n"
        "                           is 75\n"
        "  --name SWEEP             of its folder (JOB_sweep)\n"
        "  --seed N                 of what is drawn (the job's)\n"
        "  --plan                   lay out the trials and list them, and run none\n"
        "  --slurm-array            write a batch script of one task a trial, and say how to "
        "submit\n"
        "                           it; --submit does so; --sbatch \"--time=1:00:00\" "
        "adds to it\n"
        "  --resume FOLDER          go on with what is not done; --retry: also with what failed\n"
        "  --show FOLDER            the trials, the best first, and which settings mattered\n"
        "  --trial K FOLDER         run trial K alone, as a task of a batch system\n"
        "\n"
        "runs/SWEEP/ holds sweep.json (all trials), results.jsonl, and a run for each trial, "
        "trial_0001 ...\n"
        "A trial that fails is kept with its message, and the others go on. Ended by a signal, "
        "all\n"
        "trials save, and the exit code is 75.\n"
        "\n"
        "  dltrain sweep jobs/quickstart.ini --grid lr=0.01,0.03,0.1 --grid data.batch=32,64 "
        "--jobs 2\n"
        "  dltrain sweep jobs/quickstart.ini --random \"lr=log(1e-3,1)\" --trials 27 --halving\n"
        "  dltrain sweep jobs/quickstart.ini --seeds 5 --set epochs=4\n"
        "  dltrain sweep --show runs/quickstart_sweep\n",
    .run = run,
};
