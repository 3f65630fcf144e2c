/* dltrain find-lr: the range of learning rates that a job can be trained with, by one short run in
 * which the rate grows until the loss does. Source: Smith 2017, arXiv:1506.01186, section 3.3. */
#include "cmd/command.h"
#include "cmd/find.h"
#include "cmd/jobargs.h"
#include "cmd/options.h"
#include "dist/agree.h"
#include "io/file/file.h"
#include "report/plot.h"
#include "report/terminal.h"
#include "train/tryout.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 100, MOST = 100000, ROWS = 20, WIDTH = 900 };

struct find_lr {
    struct jobargs args; /* first: options count from it */
    double from, to;
    const char *plot, *step_name;
    int step; /* of the job, whose rate grows */
    struct find_curve curve;
};

static int read_from(void *to, const char *value, struct err *err) {
    return find_read_number("from", value, &((struct find_lr *)to)->from, err);
}

static int read_to(void *to, const char *value, struct err *err) {
    return find_read_number("to", value, &((struct find_lr *)to)->to, err);
}

static const struct option_spec specs[] = {
    {"from", OPTION_READ, .read = read_from},
    {"to", OPTION_READ, .read = read_to},
    {"plot", OPTION_TEXT, .offset = offsetof(struct find_lr, plot)},
    {"step", OPTION_TEXT, .offset = offsetof(struct find_lr, step_name)},
    {0},
};

static int find_step(struct find_lr *f, struct err *err) {
    const struct job *job = &f->args.job;

    while (f->step_name && f->step < job->n_steps && strcmp(job->step[f->step].name, f->step_name))
        f->step++;
    if (f->step == job->n_steps)
        return err_set(err, ERR_USAGE, "--step %s: %s has no [step %s]", f->step_name, job->path,
                       f->step_name);
    if (f->from >= f->to)
        return err_set(err, ERR_USAGE, "--from %g is not below --to %g", f->from, f->to);
    return 0;
}

/* What is drawn must be free to be written, and a picture by its name, before any step is taken. */
static int check_plot(const struct find_lr *f, struct err *err) {
    const char *const inputs[] = {f->args.job.path};
    const char *dot = f->plot ? strrchr(f->plot, '.') : NULL;
    int rc = 0;

    if (f->plot && (!dot || strcmp(dot, ".png") != 0))
        rc = err_set(err, ERR_USAGE, "--plot: found '%s', expected a name that ends in .png",
                     f->plot);
    else if (f->plot && comm_rank(f->args.comm) == 0)
        rc = file_check_target(f->plot, inputs, 1, err) || file_make_folder_of(f->plot, err);
    return agree(f->args.comm, rc, err);
}

/* The other steps of the job go by what they begin with. */
static void rates(const struct find_lr *f, const struct rehearsal *r, double rate, double *lr) {
    const int64_t per_epoch = shard_steps(&r->data.train.shard);
    const struct schedule_time time = {.step = 1 / (double)per_epoch,
                                       .epochs = (double)control_total_steps(r->job, per_epoch) /
                                                 (double)per_epoch};

    for (int i = 0; i < r->replica.n_steps; i++)
        lr[i] = schedule_at(optim_schedule(&r->job->step[i].optimizer, "lr"), &time);
    lr[f->step] = rate;
}

/* Steps until the loss is no number or far above its best. A loss that is not finite is what the
 * test looks for, not its failure. */
static int grow(struct find_lr *f, struct tryout *p, struct err *err) {
    const int64_t steps = f->args.steps ? f->args.steps : STEPS;
    double lr[JOB_MAX_STEPS];

    if (find_curve_init(&f->curve, (int)steps, err))
        return -1;
    tryout_seek(p, steps);
    for (int64_t i = 0; i < steps; i++) {
        const double at = steps > 1 ? (double)i / (double)(steps - 1) : 0;
        const double rate = f->from * pow(f->to / f->from, at);
        struct step_output out = {0};
        struct err why = {0};

        rates(f, &p->run, rate, lr);
        if (tryout_step(p, lr, &out, &why)) {
            f->curve.diverged = why.kind == ERR_DATA && !out.unread && i > 0;
            if (!f->curve.diverged)
                *err = why;
            return f->curve.diverged ? 0 : -1;
        }
        if (out.ran[f->step] && find_curve_add(&f->curve, rate, out.loss[f->step]))
            return 0;
    }
    return 0;
}

static void print_table(const struct find_curve *c) {
    const int every = (c->n + ROWS - 1) / ROWS;

    printf("%12s %12s %12s\n", "lr", "loss", "smoothed");
    for (int i = 0; i < c->n; i += every)
        printf("%12.4g %12.5g %12.5g\n", c->lr[i], c->loss[i], c->smooth[i]);
}

static void print_suggestion(const struct find_lr *f) {
    const struct find_curve *c = &f->curve;

    if (c->diverged)
        printf("ended at lr %.4g, where the loss %s\n", c->n ? c->lr[c->n - 1] : f->from,
               c->risen ? "was four times its best" : "was no number any more");
    if (c->steepest < 0) {
        if (c->n < 2 * FIND_SETTLES)
            printf("no suggestion: %d losses are too few, expected %d; try more --steps\n", c->n,
                   2 * FIND_SETTLES);
        else
            printf("no suggestion: the smoothed loss falls nowhere for long enough; try a smaller "
                   "--from or more --steps\n");
        return;
    }
    printf("suggestion: lr=%.2g, where the loss falls fastest; or lr=%.2g, a tenth of that of the "
           "least loss\n",
           c->lr[c->steepest], c->lr[c->least] / 10);
}

static void print_json(const struct find_lr *f) {
    const struct find_curve *c = &f->curve;
    json_t *all = json_object(), *points = json_array();

    for (int i = 0; i < c->n; i++)
        json_array_append_new(points, json_pack("{s:f, s:f, s:f}", "lr", c->lr[i], "loss",
                                                c->loss[i], "smoothed", c->smooth[i]));
    json_object_set_new(all, "points", points);
    json_object_set_new(all, "diverged", json_boolean(c->diverged));
    json_object_set_new(all, "steepest",
                        c->steepest < 0 ? json_null() : json_real(c->lr[c->steepest]));
    json_object_set_new(all, "tenth_of_least",
                        c->steepest < 0 ? json_null() : json_real(c->lr[c->least] / 10));
    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(7));
    fputc('\n', stdout);
    json_decref(all);
}

static int draw(const struct find_lr *f, struct err *err) {
    const struct find_curve *c = &f->curve;
    const struct job *job = &f->args.job;
    char title[256], subtitle[256];
    const double first = c->n ? c->smooth[0] : 0; /* how far an exploding loss went shows nothing */

    if (c->n < 2)
        return err_set(err, ERR_DATA, "--plot %s: there are %d points, expected two at least",
                       f->plot, c->n);
    snprintf(title, sizeof title, "%s: loss by learning rate", job->name);
    snprintf(subtitle, sizeof subtitle, "%d steps of %" PRId64 " samples", c->n, job->batch);
    const struct plot plot = {
        .title = title,
        .subtitle = subtitle,
        .x_label = "learning rate",
        .x = c->lr,
        .n = c->n,
        .tens = true,
        .panel = {{.y_label = "loss",
                   .curve = {{"of the step", c->loss, PLOT_GREY, .dashed = false},
                             {"smoothed", c->smooth, PLOT_BLUE, .dashed = false}},
                   .n_curves = 2,
                   .max_y = first > 0 ? 1.5 * first : 1}},
        .n_panels = 1,
        .width = WIDTH};
    return plot_write(&plot, f->plot, err);
}

static int say(const struct find_lr *f, struct err *err) {
    if (f->args.json)
        print_json(f);
    else {
        print_table(&f->curve);
        print_suggestion(f);
    }
    return f->plot ? draw(f, err) : 0;
}

static int find(struct find_lr *f, struct err *err) {
    struct terminal terminal;
    struct sink *const list[] = {&terminal.sink};
    const bool first = comm_rank(f->args.comm) == 0;
    const struct sinks sinks = {list, first && !f->args.json};
    struct tryout tryout = {0};

    terminal_init(&terminal);
    int rc = find_step(f, err) || check_plot(f, err) ||
             tryout_init(&tryout, &f->args.job, f->args.comm, f->args.threads, &sinks, err) ||
             grow(f, &tryout, err);
    if (!rc) {
        find_curve_judge(&f->curve);
        rc = first ? say(f, err) : 0;
    }
    tryout_release(&tryout);
    find_curve_release(&f->curve);
    return rc ? -1 : 0;
}

static int run(int argc, char **argv, struct err *err) {
    struct find_lr f = {.from = 1e-6, .to = 10};
    int rc = jobargs_init_with(&f.args, argc, argv, JOBARGS_STEPS | JOBARGS_JSON, specs, err);

    rc = rc || find(&f, err);
    jobargs_release(&f.args, err);
    return rc ? -1 : 0;
}

const struct command command_find_lr = {
    .name = "find-lr",
    .summary = "the learning rates that a job can be trained with, by one short run",
    .usage =
        "dltrain find-lr JOB.ini [--steps N] [--from LR] [--to LR] [--step NAME]\n"
        "                        [--plot FILE.png] [--json] [--set NAME=VALUE]...\n"
        "\n"
        "  --steps N           steps to take (100), each by a larger rate than the one before\n"
        "  --from LR           the first rate (1e-6)\n"
        "  --to LR             the last (10); it ends earlier where the loss explodes\n"
        "  --step NAME         whose rate grows where the job has several steps (the first one)\n"
        "  --plot FILE.png     draw the curve\n"
        "  --json              one object for programs\n"
        "  --set NAME=VALUE    as for train\n"
        "\n"
        "The learning-rate range test (Smith 2017). Suggested are the rate at which the smoothed\n"
        "loss falls fastest, and a tenth of that at which it is least. Weights begin as those of\n"
        "training do; nothing is kept, and no run's folder is touched.\n"
        "\n"
        "  dltrain find-lr jobs/quickstart.ini --plot lr.png\n"
        "  mpirun -np 4 dltrain find-lr jobs/cifar10_resnet20.ini --steps 200 --from 1e-4\n",
    .run = run,
};
