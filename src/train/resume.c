#include "train/resume.h"
#include "core/learn/optim.h"
#include "core/learn/schedule.h"
#include "job/key.h"
#include "train/meta.h"
#include "train/resume_file.h"
#include "train/save.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A checkpoint beside the job that goes on with it. */
struct comparison {
    const struct resume *resume;
    struct resume_file from;
    struct source was; /* the job that it was saved by */
    struct source_change *change;
    int n_changes;
    struct pool pool;
};

/* --- what must not change --- */

static int refuse(const struct comparison *c, const char *key, const char *was, const char *now,
                  struct err *err) {
    return err_set(err, ERR_CONFIG,
                   "%s was saved with %s = %s, the job has %s; resume with the same, or begin anew "
                   "under another name =",
                   c->from.path, key, was, now);
}

static int check_whole(struct comparison *c, const char *path, const char *key, int64_t now,
                       struct err *err) {
    const int64_t was = meta_whole(&c->from.meta, path);

    return was == now ? 0
                      : refuse(c, key, pool_print(&c->pool, "%" PRId64, was),
                               pool_print(&c->pool, "%" PRId64, now), err);
}

/* The order of samples follows from the training data. */
static int check_data(struct comparison *c, struct err *err) {
    const struct feed *feed = c->resume->id->train;
    const char *was = meta_string(&c->from.meta, "data.train.fingerprint");
    char now[META_FINGERPRINT];

    if (!strcmp(was, meta_fingerprint(feed, now)))
        return 0;
    return err_set(err, ERR_CONFIG,
                   "%s was saved while training on [data] train = %s of %" PRId64
                   " samples (fingerprint %s), the job's %s is other data: %" PRId64
                   " samples (fingerprint %s); resume with the same data, or begin anew with the "
                   "weights: [weights NET] file =",
                   c->from.path, meta_string(&c->from.meta, "data.train.file"),
                   meta_whole(&c->from.meta, "data.train.samples"), was,
                   dataset_name(feed->dataset), dataset_len(feed->dataset), now);
}

static const char *ema_text(struct comparison *c, double ema) {
    return ema > 0 ? pool_print(&c->pool, "%g", ema) : "none";
}

/* Moments mean something to their own optimiser only, averages are there or not. */
static int check_step(struct comparison *c, const json_t *was, const struct job_step *now,
                      struct err *err) {
    const char *name = json_string_value(json_object_get(was, "name"));
    const char *optimizer = json_string_value(json_object_get(was, "optimizer"));
    const double ema = json_number_value(json_object_get(was, "ema"));
    const char *section = pool_print(&c->pool, "[step%s%s]", now->name[0] ? " " : "", now->name);

    if (!name || strcmp(name, now->name))
        return refuse(c, "the step", pool_print(&c->pool, "[step %s]", name ? name : "?"), section,
                      err);
    if (!optimizer || strcmp(optimizer, now->optimizer.word->name))
        return refuse(c, pool_print(&c->pool, "%s optimizer", section), optimizer ? optimizer : "?",
                      now->optimizer.word->name, err);
    if ((ema > 0) != (now->ema > 0))
        return refuse(c, pool_print(&c->pool, "%s ema", section), ema_text(c, ema),
                      ema_text(c, now->ema), err);
    return 0;
}

static int check_steps(struct comparison *c, struct err *err) {
    const struct job *job = c->resume->id->job;
    const json_t *steps = meta_at(&c->from.meta, "steps");

    if (json_array_size(steps) != (size_t)job->n_steps)
        return err_set(err, ERR_CONFIG, "%s was saved by a job of %zu [step], this one has %d",
                       c->from.path, json_array_size(steps), job->n_steps);
    for (int i = 0; i < job->n_steps; i++)
        if (check_step(c, json_array_get(steps, (size_t)i), &job->step[i], err))
            return -1;
    return 0;
}

static int check_identity(struct comparison *c, struct err *err) {
    const struct job *job = c->resume->id->job;

    return check_whole(c, "batch", "[data] batch", job->batch, err) ||
                   check_whole(c, "accumulate", "[data] accumulate", job->accumulate, err) ||
                   check_whole(c, "seed", "[job] seed", (int64_t)job->seed, err) ||
                   check_steps(c, err) || check_data(c, err)
               ? -1
               : 0;
}

/* --- what has changed --- */

/* What a key is where nobody writes it; NULL: nothing. */
static const char *unsaid(const struct source_change *change) {
    const struct job_section *section = job_section_find(change->kind);

    for (const struct key *k = section ? section->keys : NULL; k && k->name; k++)
        if (!strcmp(k->name, change->key))
            return k->fallback ? k->fallback : k->absent;
    return NULL;
}

/* "[step] loss was X, is Y"; NULL where both mean the same. */
static const char *change_text(struct comparison *c, const struct source_change *change) {
    const char *was = change->was, *now = change->now;

    if (!change->key) {
        if (!was || !now)
            return pool_print(&c->pool, "%s %s", change->section,
                              was ? "is not there any more" : "was not there");
        return pool_print(&c->pool, "[%s] is [%s]", was, now);
    }
    was = was ? was : unsaid(change);
    now = now ? now : unsaid(change);
    if (was && now && !strcmp(was, now))
        return NULL;
    return pool_print(&c->pool, "%s %s was %s, is %s", change->section, change->key,
                      was ? was : "not there", now ? now : "not there any more");
}

/* Does the order of an epoch's samples follow from it? */
static bool orders_samples(const struct source_change *change) {
    return change->key && !strcmp(change->kind, "data") &&
           (!strcmp(change->key, "shuffle") || !strcmp(change->key, "sampling"));
}

static void say_changes(struct comparison *c, const struct progress *p) {
    bool reorders = false;

    for (int i = 0; i < c->n_changes; i++) {
        const char *text = change_text(c, &c->change[i]);
        if (text)
            sinks_note(c->resume->sinks, "resuming: %s", text);
        reorders = reorders || (text && orders_samples(&c->change[i]));
    }
    if (reorders && p->step % p->steps_per_epoch)
        sinks_warn(c->resume->sinks,
                   "resuming in the middle of an epoch in another order: some of its samples come "
                   "twice, others not at all; from the next epoch on all is as it says");
}

/* Can it be why tensors do not fit? Networks, what they are called with, and what is trained. */
static bool shapes_tensors(const struct source_change *change) {
    const char *const kinds[] = {"net", "block", "let", "step"};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(change->kind, kinds[i]))
            return true;
    return change->key && !strcmp(change->kind, "job") && !strcmp(change->key, "model");
}

/* Tensors that do not fit are the job's fault where it has changed, else the file's. */
static int blame(struct comparison *c, struct err *err) {
    enum { MOST = 3 };
    const char *text = "";
    int n = 0;

    for (int i = 0; i < c->n_changes; i++) {
        const char *change = shapes_tensors(&c->change[i]) ? change_text(c, &c->change[i]) : NULL;
        if (change && n++ < MOST)
            text = pool_print(&c->pool, "%s; %s", text, change);
    }
    if (!n)
        return -1;
    const struct err inner = *err;
    return err_set(err, ERR_CONFIG, "%s: what the job trains is not what it was%s", inner.msg,
                   n > MOST ? pool_print(&c->pool, "%s; %d more", text, n - MOST) : text);
}

/* --- the history of the best measure --- */

/* Is it of what the job measures now? If not, *why says what is not what it was. */
static bool same_history(struct comparison *c, const char **why) {
    const struct identity *id = c->resume->id;
    const char *name = meta_string(&c->from.meta, "measures.name");
    const char *of = meta_string(&c->from.meta, "measures.of");
    const char *data = meta_string(&c->from.meta, "measures.data");
    const bool larger = !strcmp(meta_string(&c->from.meta, "measures.better"), "larger");
    char now[META_FINGERPRINT];

    *why = NULL;
    if (!id->measure)
        return !*name;
    if (!*name)
        *why = pool_print(&c->pool, "[validate] best was none, is %s", id->measure);
    else if (strcmp(name, id->measure))
        *why = pool_print(&c->pool, "[validate] best was %s, is %s", name, id->measure);
    else if (strcmp(of, id->measured))
        *why = pool_print(&c->pool, "[validate] %s, was %s", id->measured, of);
    else if (larger != id->maximise)
        *why = pool_print(&c->pool, "%s should %s, not %s", name, larger ? "fall" : "grow",
                          larger ? "grow" : "fall");
    else if (!id->validate || strcmp(data, meta_fingerprint(id->validate, now)))
        *why = pool_print(&c->pool, "[data] validate was %s of %" PRId64 " samples, is other data",
                          meta_string(&c->from.meta, "data.validate.file"),
                          meta_whole(&c->from.meta, "data.validate.samples"));
    return !*why;
}

/* Does a learning rate follow the measure? It then begins anew, too. */
static bool rate_follows(const struct job *job) {
    for (int i = 0; i < job->n_steps; i++) {
        const struct applied *lr = optim_schedule(&job->step[i].optimizer, "lr");
        if (((const struct schedule *)(const void *)lr->word)->reads_measure)
            return true;
    }
    return false;
}

/* best.h5 is the best of something else from now on. */
static int keep_best(struct comparison *c, const char *why, struct err *err) {
    const char *folder = c->resume->folder;
    const char *best = pool_print(&c->pool, "%s/best.h5", folder);
    int rc = resume_exists(best, err);

    if (rc < 0)
        return -1;
    const bool there = rc > 0;
    const char *aside = best;
    for (int i = 1; rc > 0; i++) {
        aside = pool_print(&c->pool, "%s/best.%d.h5", folder, i);
        rc = resume_exists(aside, err);
    }
    if (rc < 0)
        return -1;
    if (there && rename(best, aside))
        return err_set(err, ERR_IO, "%s: cannot be renamed to %s: %s", best, aside,
                       strerror(errno));
    sinks_note(c->resume->sinks, "resuming: %s: the history of the best begins anew%s%s%s", why,
               rate_follows(c->resume->id->job) ? ", and the learning rate that follows it" : "",
               there ? "; the earlier best.h5 is now " : "", there ? aside : "");
    return 0;
}

/* --- all of it --- */

static int compare(struct comparison *c, struct err *err) {
    const struct resume *resume = c->resume;
    struct err inner = {0};

    if (source_read_text(&c->was, resume->file, meta_job(&c->from.meta), NULL, 0, NULL, &inner))
        return err_set(err, ERR_DATA, "%s: the job in it cannot be read: %s", resume->file,
                       inner.msg);
    c->n_changes = source_changes(&c->was, &resume->id->job->source, &c->pool, &c->change);
    return check_identity(c, err);
}

static int take(struct comparison *c, struct replica *r, struct progress *p, struct err *err) {
    const char *why;

    if (save_read(c->from.ck, c->from.path, r, err))
        return blame(c, err);
    const bool same = same_history(c, &why);
    if (meta_progress(&c->from.meta, same, r, p, err))
        return -1;
    say_changes(c, p);
    return why ? keep_best(c, why, err) : 0;
}

int resume_load(const struct resume *resume, struct replica *r, struct progress *p,
                const char **from, struct pool *pool, struct err *err) {
    struct comparison c = {.resume = resume};
    int rc = resume_file_open(&c.from, resume, err);

    if (!rc)
        rc = compare(&c, err) || take(&c, r, p, err) || resume_file_settle(&c.from, resume, err)
                 ? -1
                 : 0;
    if (!rc)
        *from = pool_print(pool, "%s", c.from.path);
    resume_file_release(&c.from);
    source_release(&c.was);
    pool_release(&c.pool);
    return rc;
}
