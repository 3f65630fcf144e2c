/* job_step.c - the keys of a [step]. */
#include "core/learn/optim.h"
#include "core/learn/schedule.h"
#include "job/job_parts.h"

#include <string.h>

static int optim_call(struct evaluator *ev, const struct expr *e, const struct value *piped,
                      struct value *out, struct err *err) {
    const struct word *word = piped ? NULL : optim_find(e->text);

    *out = (struct value){.kind = VALUE_APPLIED, .pos = e->pos};
    if (!word)
        return 0;
    return eval_apply(ev, e, 0, word, &out->applied, err) ? -1 : 1;
}

static int optim_known(const struct evaluator *ev, const char **names, int n, int max) {
    int n_optim;
    const struct optimizer *const *optim = optim_table(&n_optim);

    (void)ev;
    for (int i = 0; i < n_optim && n < max; i++)
        names[n++] = optim[i]->word.name;
    return n;
}

static const struct eval_host optim_host = {
    .call = optim_call,
    .known = optim_known,
    .what = "optimizer",
};

int job_read_step(struct job *job, const struct section *s, struct err *err) {
    struct job_step *step = &job->step[job->n_steps];
    const struct entry *optimizer = section_find(s, "optimizer");
    struct evaluator ev = job_evaluator(job, &optim_host);
    struct value v;

    if (job->n_steps == JOB_MAX_STEPS)
        return pos_error(err, s->pos, "more than %d steps", JOB_MAX_STEPS);
    *step = (struct job_step){.section = s, .name = s->name, .every = 1};
    step->train = section_find(s, "train");
    step->freeze = section_find(s, "freeze");
    step->lr_scale = section_find(s, "lr_scale");
    if (!step->train || !optimizer)
        return pos_error(err, s->pos, "[step%s%s] has no %s", s->name[0] ? " " : "", s->name,
                         step->train ? "optimizer, as in sgd(lr=0.1)"
                                     : "key train, the nets to update");
    if (!section_find(s, "loss"))
        return pos_error(err, s->pos, "[step%s%s] has no statement 'loss'", s->name[0] ? " " : "",
                         s->name);
    if (eval_entry(&ev, optimizer, &v, err))
        return -1;
    if (v.kind != VALUE_APPLIED || !optim_find(v.applied.word->name))
        return pos_error(err, optimizer->pos, "optimizer: expected one as in sgd(lr=0.1)");
    step->optimizer = v.applied;
    const struct applied *lr = optim_schedule(&step->optimizer, "lr");
    if (!job->best && ((const struct schedule *)(const void *)lr->word)->reads_measure)
        return pos_error(err, optimizer->pos,
                         "%s follows the best measure: [validate] needs a "
                         "key best",
                         lr->word->name);
    if (job_whole(job, section_find(s, "every"), 1, &step->every, err) ||
        job_number(job, section_find(s, "clip_norm"), 1e-30, 1e30, false, &step->clip_norm, err) ||
        job_number(job, section_find(s, "clip_value"), 1e-30, 1e30, false, &step->clip_value, err))
        return -1;
    if (job_number(job, section_find(s, "clip_weights"), 1e-30, 1e30, false, &step->clip_weights,
                   err) ||
        job_number(job, section_find(s, "ema"), 0, 0.999999, false, &step->ema, err))
        return -1;
    job->n_steps++;
    return 0;
}
