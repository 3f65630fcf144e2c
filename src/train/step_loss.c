/* step_loss.c - what ranks tell each other in a step beside gradients: their sums of losses, and
 * what is to be known of each of them. */
#include "core/base/clock.h"
#include "dist/agree.h"
#include "train/step_parts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { CAUSE_TEXT = 512 };

static void say(const struct step_input *in, bool fault, double *v) {
    memset(v, 0, SAY_LEN * sizeof *v);
    v[SAY_UNREAD] = in->rc != 0;
    v[SAY_STOP] = in->stop;
    v[SAY_FAULT] = fault;
    v[SAY_SAVE] = in->save;
    if (in->control)
        control_pack(in->control, v + SAY_CONTROL);
    v[SAY_MOST] = in->waits;
    v[SAY_LEAST] = -in->waits;
}

static void hear(const double *v, struct step_output *out) {
    out->unread = v[SAY_UNREAD] > 0;
    out->stop = v[SAY_STOP] > 0;
    control_unpack(v + SAY_CONTROL, &out->control);
    out->most_waits = v[SAY_MOST];
    out->least_waits = -v[SAY_LEAST];
    if (out->stop)
        control_stop(&out->control, CONTROL_ASKED);
    if (v[SAY_SAVE] > 0)
        out->control.save_last = true;
}

int step_sum(struct stepper *s, const struct step_input *in, double *v, int n,
             struct step_output *out, struct err *err) {
    const bool told = s->told;
    const double before = comm_waited(s->comm), began = clock_now();

    if (!told)
        say(in, s->fault.of != STEP_FINE, v + n);
    comm_sum_and_max(s->comm, v, told ? n : n + SAY_MAX, told ? 0 : SAY_LEN - SAY_MAX);
    s->control_s += comm_waited(s->comm) - before;
    trace_add(s->trace, &(struct trace_event){TRACE_SUM, TRACE_MAIN, 0, 0, began, clock_now()});
    if (!told)
        hear(v + n, out);
    s->told = true;
    if (!told && v[n + SAY_FAULT] > 0)
        return agree(s->comm, stepper_check(s, err), err);
    return !told && out->unread ? agree(s->comm, in->rc, err) : 0;
}

/* Data that is not finite is the cause of a loss that is not, on whatever ranks that shows. */
static int check_data(struct stepper *s, const struct step_input *in, double loss, const char *name,
                      struct err *err) {
    char text[CAUSE_TEXT];
    int rc = 0;

    if (loader_batch_not_finite(&in->batch->data, text, sizeof text))
        rc = err_set(err, ERR_DATA, "step %" PRId64 ": the loss%s%s is %s: %s", in->step + 1,
                     name[0] ? " of " : "", name, isnan(loss) ? "nan" : "infinite", text);
    return agree(s->comm, rc, err);
}

static void note_loss(struct stepper *s, int which, const struct step_input *in, double loss,
                      bool here) {
    s->fault = (struct step_fault){
        .of = STEP_LOSS, .which = which, .step = in->step, .here = here, .value = loss};
}

/* A loss that is not finite ends the job on all ranks, worded by the lowest where it happened. */
static int check_finite(struct stepper *s, int which, const struct step_input *in, double local,
                        double loss, struct err *err) {
    const char *name = s->replica->step[which].job->name;
    int rc = 0;

    if (isfinite(loss))
        return 0;
    note_loss(s, which, in, loss, !isfinite(local));
    if (check_data(s, in, loss, name, err))
        return -1;
    if (!isfinite(local))
        rc = err_set(err, ERR_DATA,
                     "step %" PRId64 ": the loss%s%s is %s; a lower learning rate, warmup= or "
                     "clip_norm may help; checkpoints of earlier steps are kept",
                     in->step + 1, name[0] ? " of " : "", name, isnan(local) ? "nan" : "infinite");
    if (agree(s->comm, rc, err))
        return -1;
    return err_set(err, ERR_DATA, "step %" PRId64 ": the loss%s%s is %s when summed over all ranks",
                   in->step + 1, name[0] ? " of " : "", name, isnan(loss) ? "nan" : "infinite");
}

/* What the leaves gave of this rank's share of the batch, to s->local, and of all, to s->sums. */
static int sum_leaves(struct stepper *s, const struct step_input *in, const struct plan *p,
                      struct step_output *out, struct err *err) {
    const int n = (int)plan_n_values(p) + p->n_leaves;

    if (s->shards)
        return step_shards_sum(s, in, n, out, err);
    memcpy(s->local, s->sums, (size_t)n * sizeof *s->local);
    return step_sum(s, in, s->sums, n, out, err);
}

int step_find_loss(struct stepper *s, int which, const struct step_input *in,
                   struct step_output *out, struct err *err) {
    const struct replica_step *step = &s->replica->step[which];
    struct plan *p = step->plan;
    const int64_t n = plan_n_values(p);
    double loss = 0, local = 0;

    if (sum_leaves(s, in, p, out, err))
        return -1;
    for (int64_t k = 0; k < n; k++)
        loss += s->sums[k], local += s->local[k];
    if (check_finite(s, which, in, local, loss, err))
        return -1;
    run_tail(p, s->sums, s->sums + n, 0);
    out->loss[which] = run_value(p, step->loss);
    if (isfinite(out->loss[which]))
        return 0;
    note_loss(s, which, in, out->loss[which], true); /* the same on all ranks: by a factor */
    return err_set(err, ERR_DATA,
                   "step %" PRId64 ": the loss%s%s is %s, though its parts are finite: see by "
                   "what they are multiplied or divided",
                   in->step + 1, step->job->name[0] ? " of " : "", step->job->name,
                   isnan(out->loss[which]) ? "nan" : "infinite");
}
