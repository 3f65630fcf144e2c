/* job_step.c - the keys of a [step]. */
#include "core/learn/optim.h"
#include "core/learn/schedule.h"
#include "job/kind.h"

#define AT(member) offsetof(struct job_step, member)

static const struct word *optim_at(int i) {
    int n;
    const struct optimizer *const *optim = optim_table(&n);

    return i < n ? &optim[i]->word : NULL;
}

static const struct kind kind_loss = {
    .name = "statement",
    .form = "an expression over nets and fields: `mse(model(image), image)`",
    .is_statement = true,
};
static const struct kind kind_parts = {
    .name = "nets, parts",
    .form = "nets, or parts of them by the beginning of their names: "
            "`backbone, model.layer1`",
    .read = kind_read_entry,
};
static const struct kind kind_factors = {
    .name = "parts with numbers",
    .form = "`model.fc 10, model.layer1 0.1`",
    .read = kind_read_entry,
};

static const struct key keys[] = {
    {"loss", &kind_loss, .missing = "statement 'loss'", .help = "what the step makes smaller"},
    {"train", &kind_nets, AT(train), .missing = "key train, the nets to update",
     .help = "what this step updates"},
    {"optimizer", &kind_applied, AT(optimizer), .missing = "optimizer, as in sgd(lr=0.1)",
     .find = optim_find, .at = optim_at, .help = "how they are updated"},
    {"every", &kind_whole, AT(every), "1", .min = 1,
     .help = "run in every so-many-th step of the job"},
    {"freeze", &kind_parts, AT(freeze), .help = "what stays as it is"},
    {"lr_scale", &kind_factors, AT(lr_scale), .help = "factors of the learning rate"},
    {"ema", &kind_number, AT(ema), .absent = "none", .max = 0.999999,
     .help = "decay of an average of the weights, which is validated"},
    {"clip_norm", &kind_number, AT(clip_norm), .absent = "none", .min = 1e-30, .max = 1e30,
     .help = "largest norm of all gradients of the step"},
    {"clip_value", &kind_number, AT(clip_value), .absent = "none", .min = 1e-30, .max = 1e30,
     .help = "largest magnitude of a gradient"},
    {"clip_weights", &kind_number, AT(clip_weights), .absent = "none", .min = 1e-30, .max = 1e30,
     .help = "largest magnitude of a weight"},
    {0},
};

/* A schedule that follows the best measure needs one. */
static int check_schedule(const struct job *job, const struct job_step *step, struct err *err) {
    const struct applied *lr = step->optimizer.args; /* first among every optimiser's arguments */

    if (job->best || !((const struct schedule *)(const void *)lr->word)->reads_measure)
        return 0;
    return pos_error(err, section_find(step->section, "optimizer")->pos,
                     "%s follows the best measure: [validate] needs a key best", lr->word->name);
}

static int read_step(struct job *job, const struct section *s, struct err *err) {
    struct job_step *step = &job->step[job->n_steps];

    if (job->n_steps == JOB_MAX_STEPS)
        return pos_error(err, s->pos, "more than %d steps", JOB_MAX_STEPS);
    *step = (struct job_step){.section = s, .name = s->name};
    if (keys_read(job, keys, s, step, err) || check_schedule(job, step, err))
        return -1;
    job->n_steps++;
    return 0;
}

const struct job_section section_step = {
    .kind = "step",
    .help = "one update of some nets in every training step",
    .named = JOB_MAY_HAVE_NAME,
    .holds = JOB_KEYS_AND_STATEMENTS,
    .keys = keys,
    .read = read_step,
};
