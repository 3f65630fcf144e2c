/* job_picture.c - the keys of a [picture]. */
#include "job/job_parts.h"

/* range = [black, white] */
static int read_range(struct job *job, const struct entry *entry, double range[2],
                      struct err *err) {
    struct evaluator ev = job_evaluator(job, NULL);
    struct value v;

    if (!entry)
        return 0;
    if (eval_entry(&ev, entry, &v, err))
        return -1;
    if (v.kind != VALUE_LIST || v.n_items != 2 || v.items[0].kind != VALUE_NUMBER ||
        v.items[1].kind != VALUE_NUMBER || !(v.items[0].number < v.items[1].number))
        return pos_error(err, entry->pos,
                         "range: expected the values of black and white, as in [-1, 1]");
    range[0] = v.items[0].number;
    range[1] = v.items[1].number;
    return 0;
}

int job_read_picture(struct job *job, const struct section *s, struct err *err) {
    struct job_picture *picture = &job->picture[job->n_pictures];
    int64_t count = 64, columns = 0;

    if (job->n_pictures == JOB_MAX_PICTURES)
        return pos_error(err, s->pos, "more than %d pictures", JOB_MAX_PICTURES);
    if (!section_find(s, "show"))
        return pos_error(err, s->pos, "[picture %s] has no key show, the tensors to draw", s->name);
    if (!job->validate)
        return pos_error(err, s->pos,
                         "[picture %s] is drawn at every validation, but there is no [validate]",
                         s->name);
    *picture = (struct job_picture){.section = s, .name = s->name};
    if (job_whole(job, section_find(s, "count"), 1, &count, err) ||
        job_whole(job, section_find(s, "columns"), 1, &columns, err) ||
        read_range(job, section_find(s, "range"), picture->range, err))
        return -1;
    if (count > 4096 || columns > 4096)
        return pos_error(err, s->pos, "[picture %s]: expected at most 4096 samples and columns",
                         s->name);
    picture->count = (int)count;
    picture->columns = (int)columns;
    job->n_pictures++;
    return 0;
}
