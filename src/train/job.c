#include "train/job.h"
#include "core/learn/optim.h"
#include "core/learn/schedule.h"
#include "dist/allreduce.h"
#include "io/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_image(const struct expr *e, struct err *err) {
    return pos_error(err, e->pos,
                     "%s: expected `image` at the start of the pipeline, as in image | %s", e->text,
                     e->text);
}

/* The words of a pipeline, which grows from the name `image`. */
static int augment_name(struct evaluator *ev, const struct expr *e, struct value *out,
                        struct err *err) {
    (void)ev;
    if (augment_find(e->text))
        return no_image(e, err);
    if (strcmp(e->text, "image"))
        return 0;
    *out = (struct value){.kind = VALUE_LIST, .pos = e->pos};
    return 1;
}

static int augment_call(struct evaluator *ev, const struct expr *e, const struct value *piped,
                        struct value *out, struct err *err) {
    const struct word *word = augment_find(e->text);
    struct value applied = {.kind = VALUE_APPLIED, .pos = e->pos};

    if (!word)
        return 0;
    if (eval_apply(ev, e, 0, word, &applied.applied, err))
        return -1;
    if (!piped || piped->kind != VALUE_LIST)
        return no_image(e, err);
    struct value *items = pool_take(ev->pool, (size_t)(piped->n_items + 1) * sizeof *items);
    if (piped->n_items)
        memcpy(items, piped->items, (size_t)piped->n_items * sizeof *items);
    items[piped->n_items] = applied;
    *out = *piped;
    out->items = items;
    out->n_items++;
    return 1;
}

static int augment_known(const struct evaluator *ev, const char **names, int n, int max) {
    int n_augment;
    const struct augment *const *augment = augment_table(&n_augment);

    (void)ev;
    for (int i = 0; i < n_augment && n < max; i++)
        names[n++] = augment[i]->word.name;
    return n;
}

static const struct eval_host augment_host = {
    .name = augment_name,
    .call = augment_call,
    .known = augment_known,
    .what = "augmentation",
};

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

/*   host  NULL where nothing but numbers can stand */
static struct evaluator evaluator(struct job *job, const struct eval_host *host) {
    return (struct evaluator){.source = &job->source, .pool = &job->pool, .host = host};
}

static const struct entry *find(const struct job *job, const char *section, const char *key) {
    const struct section *s = source_find(&job->source, section, "");

    return s ? section_find(s, key) : NULL;
}

/* A number within [min, max]; *out stays as it is where the key is not there. */
static int read_number(struct job *job, const struct entry *entry, double min, double max,
                       bool whole, double *out, struct err *err) {
    struct evaluator ev = evaluator(job, NULL);
    struct value v;

    if (!entry)
        return 0;
    if (eval_entry(&ev, entry, &v, err))
        return -1;
    if (v.kind != VALUE_NUMBER)
        return pos_error(err, entry->pos, "%s: found %s, expected a number", entry->key,
                         value_kind_name(v.kind));
    if (!(v.number >= min && v.number <= max) || (whole && v.number != floor(v.number)))
        return pos_error(err, entry->pos, "%s is %g, expected a %snumber from %g to %g", entry->key,
                         v.number, whole ? "whole " : "", min, max);
    *out = v.number;
    return 0;
}

static int read_whole(struct job *job, const struct entry *entry, int64_t min, int64_t *out,
                      struct err *err) {
    double v = (double)*out;

    if (read_number(job, entry, (double)min, 0x1p52, true, &v, err))
        return -1;
    *out = (int64_t)v;
    return 0;
}

/* "2 epochs", "500 steps", "never". */
static int read_interval(const struct entry *entry, struct interval *out, struct err *err) {
    char *end;

    if (!entry)
        return 0;
    if (!strcmp(entry->value, "never")) {
        *out = (struct interval){0};
        return 0;
    }
    const double v = strtod(entry->value, &end);
    const char *unit = end + strspn(end, " \t");
    if (end == entry->value || !(v > 0 && v < 0x1p52))
        return pos_error(err, entry->pos,
                         "%s: found '%s', expected an interval as in 1 epoch, "
                         "500 steps or never",
                         entry->key, entry->value);
    if (!strcmp(unit, "epoch") || !strcmp(unit, "epochs"))
        *out = (struct interval){.epochs = v};
    else if ((!strcmp(unit, "step") || !strcmp(unit, "steps")) && v == floor(v))
        *out = (struct interval){.steps = (int64_t)v};
    else
        return pos_error(err, entry->pos, "%s: found '%s', expected epochs or whole steps",
                         entry->key, entry->value);
    return 0;
}

/* One of the words, as its index. */
static int read_word(const struct entry *entry, const char *const *words, int *out,
                     struct err *err) {
    if (!entry)
        return 0;
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], entry->value)) {
            *out = i;
            return 0;
        }
    return pos_error(err, entry->pos, "%s: found '%s', expected %s or %s", entry->key, entry->value,
                     words[0], words[1]);
}

/* runs/NAME is made from it, so it is one plain folder name. */
static int read_name(struct job *job, struct err *err) {
    const struct entry *name = find(job, "job", "name");
    const char *slash = strrchr(job->path, '/'), *stem = slash ? slash + 1 : job->path;
    const char *dot = strrchr(stem, '.');

    job->name =
        name ? name->value : pool_copy(&job->pool, stem, dot ? (size_t)(dot - stem) : strlen(stem));
    if (name && (!*name->value || strchr(name->value, '/') || name->value[0] == '.'))
        return pos_error(err, name->pos, "name: found '%s', expected a folder's name", name->value);
    return 0;
}

static int read_job(struct job *job, struct err *err) {
    const struct entry *output = find(job, "job", "output"), *steps = find(job, "job", "steps");
    int64_t seed = 1, threads = 0;

    job->output = output ? output->value : "runs";
    job->model = find(job, "job", "model");
    if (read_name(job, err) ||
        read_number(job, find(job, "job", "epochs"), 0, 1e9, false, &job->epochs, err) ||
        read_whole(job, steps, 1, &job->steps, err) ||
        read_whole(job, find(job, "job", "seed"), 0, &seed, err) ||
        read_whole(job, find(job, "job", "threads"), 1, &threads, err))
        return -1;
    if (threads > 1024)
        return pos_error(err, find(job, "job", "threads")->pos,
                         "threads is %lld, expected at most 1024", (long long)threads);
    job->seed = (uint64_t)seed;
    job->threads = (int)threads;
    return 0;
}

static int read_augment(struct job *job, struct err *err) {
    const struct entry *entry = find(job, "data", "augment");
    struct evaluator ev = evaluator(job, &augment_host);
    struct value v;

    if (!entry)
        return 0;
    if (eval_entry(&ev, entry, &v, err))
        return -1;
    if (v.kind != VALUE_LIST)
        return pos_error(err, entry->pos,
                         "augment: expected a pipeline as in image | random_flip | normalize");
    if (v.n_items > JOB_MAX_PIPELINE)
        return pos_error(err, entry->pos, "augment: %d stages, expected at most %d", v.n_items,
                         JOB_MAX_PIPELINE);
    for (int i = 0; i < v.n_items; i++) {
        if (v.items[i].kind != VALUE_APPLIED)
            return pos_error(err, entry->pos, "augment: found %s, expected augmentations",
                             value_kind_name(v.items[i].kind));
        job->augment[job->n_augment++] = v.items[i].applied;
    }
    return 0;
}

static int read_image(struct job *job, struct err *err) {
    const struct entry *entry = find(job, "data", "image");
    struct evaluator ev = evaluator(job, NULL);
    struct value v;

    if (!entry)
        return 0;
    if (eval_entry(&ev, entry, &v, err))
        return -1;
    if (v.kind != VALUE_LIST || v.n_items != 3)
        return pos_error(err, entry->pos, "image: expected [height, width, channels]");
    for (int i = 0; i < 3; i++) {
        const double d = v.items[i].kind == VALUE_NUMBER ? v.items[i].number : 0;
        if (!(d >= 1 && d <= 1 << 20) || d != floor(d))
            return pos_error(err, entry->pos, "image: expected whole numbers of at least 1");
        job->image.v[i] = (int)d;
    }
    job->image.n = 3;
    return 0;
}

static int read_data(struct job *job, struct err *err) {
    const struct entry *train = find(job, "data", "train");
    const struct entry *validate = find(job, "data", "validate");
    double cache = 1024;

    job->train_data = train ? train->value : NULL;
    job->validate_data = validate ? validate->value : NULL;
    job->batch = 128;
    if (read_whole(job, find(job, "data", "batch"), 1, &job->batch, err) ||
        read_number(job, find(job, "data", "cache"), 0, 1e9, false, &cache, err))
        return -1;
    job->cache_bytes = (int64_t)(cache * (1 << 20));
    return read_augment(job, err) || read_image(job, err) ? -1 : 0;
}

static int read_step(struct job *job, const struct section *s, struct err *err) {
    struct job_step *step = &job->step[job->n_steps];
    const struct entry *optimizer = section_find(s, "optimizer");
    struct evaluator ev = evaluator(job, &optim_host);
    struct value v;

    if (job->n_steps == JOB_MAX_STEPS)
        return pos_error(err, s->pos, "more than %d steps", JOB_MAX_STEPS);
    *step = (struct job_step){.section = s, .name = s->name, .every = 1};
    step->train = section_find(s, "train");
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
    const struct applied *lr = v.applied.args; /* first among every optimiser's arguments */
    if (!job->best && ((const struct schedule *)(const void *)lr->word)->reads_measure)
        return pos_error(err, optimizer->pos,
                         "%s follows the best measure: [validate] needs a "
                         "key best",
                         lr->word->name);
    if (read_whole(job, section_find(s, "every"), 1, &step->every, err) ||
        read_number(job, section_find(s, "clip_norm"), 1e-30, 1e30, false, &step->clip_norm, err) ||
        read_number(job, section_find(s, "clip_value"), 1e-30, 1e30, false, &step->clip_value, err))
        return -1;
    job->n_steps++;
    return 0;
}

static int read_validate(struct job *job, struct err *err) {
    static const char *const who[] = {"all", "rank0", NULL};
    const struct section *s = source_find(&job->source, "validate", "");
    int on = 0;
    int64_t patience = 0;

    job->validate_batch = job->batch;
    job->validate_every.epochs = 1;
    if (!s)
        return 0;
    const struct entry *best = section_find(s, "best");
    job->validate = s;
    job->best = best ? best->value : NULL;
    if (best && !section_find(s, best->value)) {
        const char *names[64];
        int n = 0;
        for (int i = 0; i < s->n_entries && n < 64; i++)
            names[n++] = s->entries[i].key;
        const char *near = nearest(best->value, names, n);
        return pos_error(err, best->pos, "best: [validate] has no statement '%s'%s%s%s",
                         best->value, near ? "; did you mean '" : "", near ? near : "",
                         near ? "'?" : "");
    }
    if (read_interval(section_find(s, "every"), &job->validate_every, err) ||
        read_whole(job, section_find(s, "batch"), 1, &job->validate_batch, err) ||
        read_whole(job, section_find(s, "patience"), 1, &patience, err) ||
        read_word(section_find(s, "on"), who, &on, err))
        return -1;
    if (patience > 1 << 30)
        return pos_error(err, section_find(s, "patience")->pos, "patience is too large");
    if (patience && !best)
        return pos_error(err, section_find(s, "patience")->pos,
                         "patience needs a key best, which says what is to improve");
    job->patience = (int)patience;
    job->validate_on_rank0 = on == 1;
    return 0;
}

static int read_allreduce(struct job *job, struct err *err) {
    const struct entry *entry = find(job, "dist", "allreduce");
    const char *names[16], *known = "";
    int n = 0;

    job->allreduce = entry ? entry->value : "ring";
    for (const struct allreduce_algorithm *a; n < 16 && (a = allreduce_at(n)); n++) {
        names[n] = a->name;
        known = pool_print(&job->pool, "%s%s%s", known, n ? ", " : "", a->name);
        if (!strcmp(a->name, job->allreduce))
            return 0;
    }
    const char *near = nearest(job->allreduce, names, n);
    return pos_error(err, entry->pos, "allreduce: found '%s', expected one of: %s%s%s%s",
                     job->allreduce, known, near ? "; did you mean '" : "", near ? near : "",
                     near ? "'?" : "");
}

static int read_rest(struct job *job, struct err *err) {
    static const char *const yes_no[] = {"false", "true", NULL};
    double bucket = 4;
    int best = 1;

    job->save_last.epochs = 1;
    job->log_every = 10;
    if (read_allreduce(job, err) ||
        read_interval(find(job, "checkpoint", "last"), &job->save_last, err) ||
        read_interval(find(job, "checkpoint", "every"), &job->save_every, err) ||
        read_word(find(job, "checkpoint", "best"), yes_no, &best, err) ||
        read_number(job, find(job, "dist", "bucket"), 0.001, 4096, false, &bucket, err) ||
        read_whole(job, find(job, "log", "every"), 1, &job->log_every, err))
        return -1;
    job->save_best = best == 1;
    job->bucket_bytes = (int64_t)(bucket * (1 << 20));
    return 0;
}

int job_read(struct job *job, const char *path, const char *const *sets, int n_sets,
             struct err *err) {
    *job = (struct job){.path = path};
    if (source_read(&job->source, path, sets, n_sets, err))
        return -1;
    if (job_check_keys(job, err) || read_job(job, err) || read_data(job, err) ||
        read_validate(job, err) || read_rest(job, err))
        return -1;
    for (int i = 0; i < job->source.n_sections; i++)
        if (!strcmp(job->source.sections[i].kind, "step") &&
            read_step(job, &job->source.sections[i], err))
            return -1;
    return 0;
}

void job_release(struct job *job) {
    pool_release(&job->pool);
    source_release(&job->source);
    *job = (struct job){0};
}
