/* sweep_plan.c - from what is asked for to a list of trials, each of which is known to be a job. */
#include "cmd/sweep.h"
#include "io/dataset/dataset_split.h"
#include "io/dataset/dataset_spec.h"
#include "io/file/file.h"
#include "job/job.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIALS = 20 /* where a command line with --random does not say */ };

static int64_t grid_points(const struct sweep *s) {
    int64_t n = 1;

    for (int i = 0; i < s->n_axes && n <= SWEEP_MOST_TRIALS; i++)
        n *= s->axis[i].kind == SWEEP_GRID ? s->axis[i].n : 1;
    return n;
}

static bool draws(const struct sweep *s) {
    bool any = false;

    for (int i = 0; i < s->n_axes; i++)
        any = any || s->axis[i].kind != SWEEP_GRID;
    return any;
}

/* Of a grid the last setting changes fastest; what is drawn is so for each configuration anew. */
static const char **values_of(struct sweep *s, int config, uint64_t seed) {
    const char **value = pool_take(&s->pool, (size_t)(s->n_axes + 1) * sizeof *value);
    int64_t point = config % grid_points(s);

    for (int i = s->n_axes - 1; i >= 0; i--) {
        const struct sweep_axis *a = &s->axis[i];
        if (a->kind == SWEEP_GRID) {
            value[i] = a->value[point % a->n];
            point /= a->n;
        } else {
            value[i] = sweep_draw(s, i, seed, config);
        }
    }
    return value;
}

static int lay_out(struct sweep *s, const struct sweep_wish *w, const struct job *job,
                   struct err *err) {
    const uint64_t seed = w->seed < 0 ? job->seed : (uint64_t)w->seed;
    const int64_t seeds = w->seeds ? w->seeds : 1, folds = w->kfold ? w->kfold : 1;
    const int64_t configs = !draws(s) ? grid_points(s) : w->trials ? w->trials : TRIALS;
    const int64_t n = configs * seeds * folds;

    if (w->trials && !draws(s))
        return err_set(err, ERR_USAGE, "--trials is how often --random draws, which is not given");
    if (configs > SWEEP_MOST_TRIALS || n > SWEEP_MOST_TRIALS)
        return err_set(err, ERR_USAGE, "found %s%" PRId64 " trials, expected at most %d",
                       configs > SWEEP_MOST_TRIALS ? "more than " : "", n, SWEEP_MOST_TRIALS);
    s->n = (int)n;
    s->n_configs = (int)configs;
    s->trial = pool_take(&s->pool, (size_t)n * sizeof *s->trial);
    for (int i = 0; i < s->n; i++) {
        struct sweep_trial *t = &s->trial[i];
        const int64_t nth = i % (seeds * folds);

        snprintf(t->name, sizeof t->name, "trial_%04d", i + 1);
        t->config = (int)(i / (seeds * folds));
        t->seed = job->seed + (uint64_t)(nth % seeds);
        t->fold = w->kfold ? (int)(nth / seeds) + 1 : 0;
        t->value = nth ? t[-1].value : values_of(s, t->config, seed);
    }
    return 0;
}

/* Which keys a sweep sets itself. */
static int check_axes(const struct sweep *s, const struct sweep_wish *w, struct err *err) {
    const struct {
        const char *name;
        bool taken;
        const char *by;
    } own[] = {
        {"name", true, "trials have names of their own"},
        {"output", true, "trials are in the folder of the sweep"},
        {"seed", w->seeds > 0, "--seeds gives each trial its own"},
        {"data.train", w->kfold > 0, "--kfold gives each trial its own"},
        {"data.validate", w->kfold > 0, "--kfold gives each trial its own"},
    };

    if (!s->n_axes && !w->seeds && !w->kfold)
        return err_set(err, ERR_USAGE,
                       "found no settings to try, expected --grid, --random, --seeds or --kfold");
    for (int i = 0; i < s->n_axes; i++)
        for (size_t k = 0; k < sizeof own / sizeof *own; k++) {
            const char *name = s->axis[i].name;
            name += strncmp(name, "job.", 4) ? 0 : 4;
            if (own[k].taken && !strcmp(name, own[k].name))
                return err_set(err, ERR_USAGE, "%s cannot be tried: %s", s->axis[i].name,
                               own[k].by);
        }
    return 0;
}

static int plan_rungs(struct sweep *s, const struct sweep_wish *w, const struct job *job,
                      struct err *err) {
    s->n_rungs = 1;
    if (!w->halving)
        return 0;
    if (job->steps)
        return err_set(err, ERR_USAGE,
                       "--halving counts epochs, and %s has steps = %" PRId64
                       "; expected epochs in its place",
                       job->path, job->steps);
    if (!job->validate || !job->best)
        return err_set(err, ERR_USAGE, "--halving needs [validate] best, which %s has not",
                       job->path);
    s->eta = w->eta;
    s->n_rungs = 0;
    for (double epochs = w->min_epochs; epochs < job->epochs; epochs *= w->eta) {
        if (s->n_rungs == SWEEP_MOST_RUNGS - 1)
            return err_set(err, ERR_USAGE,
                           "from --min-epochs %g to %g epochs there are more than %d rungs of "
                           "--eta %g",
                           w->min_epochs, job->epochs, SWEEP_MOST_RUNGS, w->eta);
        s->rung[s->n_rungs++] = epochs;
    }
    s->rung[s->n_rungs++] = 0;
    return 0;
}

int sweep_sets(struct sweep *s, const struct sweep_trial *t, const char **sets) {
    int n = 0;

    for (int i = 0; i < s->n_axes; i++)
        sets[n++] = pool_print(&s->pool, "%s=%s", s->axis[i].name, t->value[i]);
    sets[n++] = pool_print(&s->pool, "job.output=%s", s->folder);
    sets[n++] = pool_print(&s->pool, "job.name=%s", t->name);
    if (t->seed != s->trial[0].seed)
        sets[n++] = pool_print(&s->pool, "job.seed=%" PRIu64, t->seed);
    if (t->fold) {
        sets[n++] = pool_print(&s->pool, "data.train=%s", sweep_fold_train(s, t->fold));
        sets[n++] = pool_print(&s->pool, "data.validate=%s", s->fold_spec[t->fold - 1]);
    }
    return n;
}

/* A wrong setting is found before any trial has run. */
static int check_trials(struct sweep *s, const struct sweep_wish *w, struct err *err) {
    const char *sets[2 * SWEEP_MOST_SETS];
    int rc = 0;

    memcpy(sets, w->set, sizeof w->set);
    for (int i = 0; i < s->n && !rc; i++) {
        const struct sweep_trial *t = &s->trial[i];
        struct job job;
        char text[SWEEP_TEXT];

        if (i && t->config == t[-1].config)
            continue;
        const int n = sweep_sets(s, t, sets + w->n_sets);
        rc = job_read(&job, w->job, sets, w->n_sets + n, err);
        if (rc)
            err_wrap(err, "%s (%s)", t->name, sweep_settings(s, t, text));
        job_release(&job);
    }
    return rc;
}

/* What a sweep that was ended while it was laid out has left is no run, and is written over. */
static int make_folder(struct sweep *s, struct err *err) {
    if (!access(sweep_file(s, "sweep.json"), F_OK))
        return err_set(err, ERR_USAGE,
                       "%s holds a sweep: dltrain sweep --resume %s goes on with it; --name begins "
                       "another",
                       s->folder, s->folder);
    if (!access(sweep_file(s, "metrics.jsonl"), F_OK) || !access(sweep_file(s, "last.h5"), F_OK))
        return err_set(err, ERR_USAGE, "%s holds a run, expected another --name", s->folder);
    unlink(sweep_file(s, "folds.h5"));
    return file_make_folders(s->folder, err);
}

static int write_job(struct sweep *s, const struct job *job, struct err *err) {
    char *text = source_print(&job->source);
    const int rc = text ? file_replace(sweep_file(s, "job.ini"), text, strlen(text), err)
                        : err_set(err, ERR_IO, "%s: no memory for the job's text", s->folder);

    free(text);
    return rc;
}

static int plan(struct sweep *s, const struct sweep_wish *w, const struct job *job,
                struct err *err) {
    const char *name = w->name ? w->name : pool_print(&s->pool, "%s_sweep", job->name);

    if (!*name || strchr(name, '/') || name[0] == '.')
        return err_set(err, ERR_USAGE, "--name: found '%s', expected a folder's name", name);
    s->folder = pool_print(&s->pool, "%s/%s", job->output, name);
    s->job_name = pool_print(&s->pool, "%s", job->name);
    s->measure = job->validate && job->best ? pool_print(&s->pool, "%s", job->best) : "";
    s->ranks = w->ranks ? (int)w->ranks : 1;
    s->jobs = w->jobs ? (int)w->jobs : 1;
    s->mpirun = pool_print(&s->pool, "%s", w->mpirun);
    if (w->kfold && !job->validate)
        return err_set(err, ERR_USAGE, "--kfold: there is no [validate] in %s", job->path);
    if (w->kfold && !job->train_data)
        return err_set(err, ERR_USAGE, "--kfold: [data] of %s has no key train", job->path);
    if (check_axes(s, w, err) || plan_rungs(s, w, job, err) || lay_out(s, w, job, err))
        return -1;
    s->folds = (int)w->kfold;
    s->fold_spec = pool_take(&s->pool, (size_t)(s->folds + 1) * sizeof *s->fold_spec);
    for (int i = 0; i < s->folds; i++)
        s->fold_spec[i] = /* until they are made: what else is wrong is said first */
            pool_print(&s->pool, "%s/folds.h5:fold%d", s->folder, i + 1);
    if (check_trials(s, w, err) || make_folder(s, err) || write_job(s, job, err))
        return -1;
    if (s->folds && sweep_fold(s, job->train_data, s->folds, job->seed, err))
        return -1;
    return sweep_write(s, err);
}

int sweep_plan(struct sweep *s, const struct sweep_wish *w, struct err *err) {
    struct job job;
    int rc = job_read(&job, w->job, w->set, w->n_sets, err);

    rc = rc || plan(s, w, &job, err);
    if (rc)
        source_explain(&job.source, err);
    job_release(&job);
    return rc ? -1 : 0;
}

/* --- folds --- */

/* Data that is of so many parts is cut already. */
static int take_parts(struct sweep *s, const char *train, int folds, struct err *err) {
    struct dataset_spec spec = {0};
    const int rc = dataset_spec_read(&spec, train, err);
    const bool parts = !rc && spec.n == folds;

    for (int i = 0; parts && i < folds; i++)
        s->fold_spec[i] = pool_print(&s->pool, "%s", spec.part[i]);
    dataset_spec_release(&spec);
    return rc ? -1 : parts;
}

int sweep_fold(struct sweep *s, const char *train, int folds, uint64_t seed, struct err *err) {
    const char *file = sweep_file(s, "folds.h5");
    const struct split_plan plan = {.folds = folds, .seed = seed};
    const int parts = take_parts(s, train, folds, err);
    struct split_result result;

    if (parts)
        return parts < 0 ? -1 : 0;
    if (dataset_split(train, file, &plan, &result, err))
        return err_wrap(err, "--kfold %d", folds);
    printf("%s is cut into %d folds: %s\n%s%s", train, folds, file, result.note,
           *result.note ? "\n" : "");
    for (int i = 0; i < folds; i++) {
        char name[SPLIT_NAME];

        split_name(&plan, i, name);
        s->fold_spec[i] = pool_print(&s->pool, "%s:%s", file, name);
    }
    return 0;
}

const char *sweep_fold_train(struct sweep *s, int fold) {
    const char *text = "";

    for (int i = 0; i < s->folds; i++)
        if (i != fold - 1)
            text = pool_print(&s->pool, "%s%s%s", text, *text ? " + " : "", s->fold_spec[i]);
    return text;
}
