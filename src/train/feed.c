#include "train/feed.h"
#include "dist/shuffle.h"
#include "io/dataset/dataset_spec.h"
#include "train/said.h"

#include <string.h>

int64_t feed_largest_share(int64_t batch, int size) {
    return (batch + size - 1) / size;
}

static int64_t full_batch(const struct feed *f) {
    return f->shard.batch < f->shard.n_samples ? f->shard.batch : f->shard.n_samples;
}

int64_t feed_max_batch(const struct feed *f) {
    const int64_t batch = full_batch(f);

    if (!f->shard.shards)
        return feed_largest_share(batch, f->size);
    return shard_of_rank(f->shard.shards, f->rank, f->size).n *
           feed_largest_share(batch, f->shard.shards);
}

int64_t feed_max_shard(const struct feed *f) {
    return f->shard.shards ? feed_largest_share(full_batch(f), f->shard.shards) : feed_max_batch(f);
}

/* sampling = balanced: by the field label. */
static int balance(const struct dataset *ds, struct shard *shard, struct err *err) {
    const int i = dataset_find_field(ds, "label");

    if (i >= 0)
        shard->labels = dataset_labels(ds, i);
    if (!shard->labels)
        return err_set(err, ERR_CONFIG, "%s: sampling = balanced needs one label a sample%s",
                       dataset_name(ds), i < 0 ? ", the data has none" : "");
    for (int64_t k = 0; k < shard->n_samples; k++)
        if (shard->labels[k] < 0)
            return err_set(err, ERR_CONFIG,
                           "%s: sampling = balanced needs a label for every sample, that of sample "
                           "%lld is -1",
                           dataset_name(ds), (long long)k);
    shard->n_classes = dataset_field_classes(ds, i);
    return 0;
}

static bool same_order(const struct class_list *ours, const struct class_list *theirs) {
    for (int k = 0; k < ours->n && k < theirs->n; k++)
        if (strcmp(ours->name[k], theirs->name[k]))
            return false;
    return true;
}

/* What is to be said of a match, in the pool; NULL: nothing. */
static const char *match_text(const struct feed *f, int i, const struct class_list *theirs,
                              struct pool *pool) {
    const struct class_list ours = dataset_class_list(f->dataset, i);
    const char *name = dataset_name(f->dataset), *field = dataset_field(f->dataset, i)->name;

    if (ours.name && theirs->name)
        return same_order(&ours, theirs)
                   ? NULL
                   : pool_print(pool,
                                "%s numbers the classes of %s otherwise than %s; they are matched "
                                "by name",
                                name, field, theirs->whose);
    if (!ours.name && !theirs->name)
        return NULL;
    return pool_print(pool, "%s has only numbers for the classes of %s; 0 is taken for '%s' of %s",
                      ours.name ? theirs->whose : name, field,
                      (ours.name ? &ours : theirs)->name[0], ours.name ? name : theirs->whose);
}

static int match_class(struct feed *f, int i, const struct class_list *list,
                       const struct sinks *sinks, struct err *err) {
    struct pool pool = {0};
    const char *text = match_text(f, i, list, &pool);
    const int rc = dataset_map_classes(f->dataset, i, list, err);

    if (!rc && text && sinks)
        sinks_note(sinks, "%s", text);
    pool_release(&pool);
    return rc;
}

/* Have the dataset count its classes as the config says. */
static int match_classes(struct feed *f, const struct feed_config *c, struct err *err) {
    for (int k = 0; k < c->n_classes; k++) {
        const struct feed_classes *want = &c->classes[k];
        const struct class_list list = {want->names, want->n,
                                        c->classes_of ? c->classes_of : "the network"};
        const int i = dataset_find_field(f->dataset, want->field);

        if (i < 0 || (dataset_field(f->dataset, i)->kind != DATASET_CLASS &&
                      !dataset_field(f->dataset, i)->boxes))
            continue;
        if (match_class(f, i, &list, c->sinks, err))
            return -1;
    }
    return 0;
}

int feed_list_classes(const struct feed *f, struct feed_classes *out) {
    int n = 0;

    for (int i = 0; i < dataset_n_fields(f->dataset); i++) {
        const struct class_list list = dataset_class_list(f->dataset, i);
        if (list.n)
            out[n++] = (struct feed_classes){dataset_field(f->dataset, i)->name, list.n, list.name};
    }
    return n;
}

int feed_init(struct feed *f, const struct feed_config *c, struct err *err) {
    const struct job *job = c->job;

    *f = (struct feed){.rank = c->rank, .size = c->size, .dataset = c->dataset, .sinks = c->sinks};
    if (!f->dataset &&
        dataset_open(&f->dataset, c->spec, c->keeps_nothing ? 0 : job->cache_bytes, err))
        return -1;
    if (match_classes(f, c, err))
        return -1;
    struct shard shard = {.n_samples = dataset_len(f->dataset),
                          .batch = c->batch,
                          .seed = job->seed,
                          .shards = job->shards};
    if (c->training)
        shuffle_plan(&job->shuffle, &shard);
    if (job->balanced && c->training && balance(f->dataset, &shard, err))
        return -1;
    if (shard_init(&f->shard, &shard, err))
        return err_wrap(err, "%s", c->spec);
    const struct loader_config loader = {.dataset = f->dataset,
                                         .pipeline = job->augment,
                                         .n_pipeline = job->n_augment,
                                         .seed = job->seed,
                                         .training = c->training && !job->unaugmented,
                                         .reduced = job->decodes_reduced,
                                         .max_batch = feed_max_batch(f),
                                         .workers = job->workers};
    if (loader_new(&f->loader, &loader, err))
        return -1;
    return said_check(job, f->loader, c->spec, err);
}

void feed_say_to(struct feed *f, struct pulse *pulse, int which) {
    f->pulse = pulse;
    loader_say_to(f->loader, pulse, which);
}

void feed_release(struct feed *f) {
    loader_free(f->loader);
    shard_release(&f->shard);
    dataset_close(f->dataset);
    *f = (struct feed){0};
}

static void part(struct feed *f, int64_t step, const int64_t **samples, int64_t *n,
                 int64_t *first) {
    const int64_t per_epoch = shard_steps(&f->shard);

    shard_part(&f->shard, step / per_epoch, step % per_epoch, f->rank, f->size, samples, n, first);
}

/* The sample at that position of the next step. */
static struct loader_partner partner_of(const struct feed *f, int64_t position) {
    const int64_t *sample = shard_at(&f->shard, f->next % shard_steps(&f->shard), position);
    const int32_t *visit = shard_visits(&f->shard, sample);

    return (struct loader_partner){*sample, visit ? *visit : 0};
}

/* Keep the loader busy. The batch that is out counts until it is given back. */
static void request(struct feed *f) {
    const int64_t *samples;
    int64_t n, first;

    while (f->next < f->end && f->next - f->given + f->holds < LOADER_BATCHES) {
        part(f, f->next, &samples, &n, &first);
        const struct loader_partner partner = partner_of(f, first + n);
        loader_request_part(f->loader, samples, shard_visits(&f->shard, samples), n, &partner,
                            f->next / shard_steps(&f->shard));
        f->next++;
    }
}

static void give_back(struct feed *f) {
    if (f->holds)
        loader_release_batch(f->loader);
    f->holds = false;
}

void feed_seek(struct feed *f, int64_t begin, int64_t end) {
    struct loader_batch unwanted;
    struct err ignored = {0};

    give_back(f);
    for (; f->given < f->next; f->given++) {
        (void)loader_wait(f->loader, &unwanted, &ignored);
        loader_release_batch(f->loader);
    }
    f->given = f->next = begin;
    f->end = end;
    request(f);
}

int64_t feed_steps(const struct feed *f) {
    const int64_t steps = shard_steps(&f->shard);

    return f->most_steps && f->most_steps < steps ? f->most_steps : steps;
}

int feed_next(struct feed *f, struct feed_batch *out, struct err *err) {
    const int64_t per_epoch = shard_steps(&f->shard), step = f->given;

    give_back(f);
    request(f);
    const struct pulse_beat was = pulse_pause(f->pulse, PULSE_DATA);
    const int rc = loader_wait(f->loader, &out->data, err);
    pulse_resume(f->pulse, &was);
    f->holds = true;
    f->given++;
    out->global_n = shard_batch_len(&f->shard, step % per_epoch);
    out->first = shard_share(out->global_n, f->shard.shards, f->rank, f->size).first;
    return rc;
}

/* What of the loader outlives it. */
static void take_fields(const struct loader *l, struct job *job, struct loader_field *fields,
                        int *n) {
    *n = loader_n_fields(l);
    for (int i = 0; i < *n; i++) {
        const struct loader_field *f = loader_field(l, i);
        const size_t bytes = f->class_counts ? (size_t)f->n_classes * sizeof *f->class_counts : 0;

        fields[i] = *f;
        fields[i].name = pool_print(&job->pool, "%s", f->name);
        if (bytes)
            fields[i].class_counts = memcpy(pool_take(&job->pool, bytes), f->class_counts, bytes);
    }
}

int feed_fields(struct job *job, struct loader_field fields[LOADER_MAX_FIELDS], int *n,
                struct err *err) {
    const struct feed_config config = {.job = job,
                                       .spec = job->train_data,
                                       .batch = 1,
                                       .training = true,
                                       .keeps_nothing = true,
                                       .rank = 0,
                                       .size = 1};
    struct feed feed = {0};

    if (said_any(job) && (!job->train_data || dataset_spec_absent(job->train_data)))
        return said_fields(job, fields, n, err);
    if (!job->train_data)
        return err_set(err, ERR_CONFIG, "%s: [data] has neither image = [h, w, c] nor train",
                       job->path);
    const int rc = feed_init(&feed, &config, err);
    if (!rc)
        take_fields(feed.loader, job, fields, n);
    feed_release(&feed);
    return rc;
}

void feed_graph_fields(const struct loader_field *fields, int n, struct field *out) {
    for (int i = 0; i < n; i++)
        out[i] = (struct field){
            .name = fields[i].name,
            .sample = fields[i].sample,
            .kind = fields[i].kind == DATASET_CLASS ? TENSOR_INDICES : TENSOR_ACTS,
            .n_classes = fields[i].n_classes,
            .class_counts = fields[i].class_counts,
        };
}

void feed_point(struct plan *p, const struct field *fields, int n_fields,
                const struct loader_batch *batch, int64_t first) {
    for (int i = 0; i < n_fields; i++) {
        const struct field *f = &fields[i];
        const int64_t at = first * (f->sample.rank ? shape_len(&f->sample) : 1);

        if (f->kind == TENSOR_INDICES)
            run_indices(p, f->name, batch->classes[i] + at);
        else
            run_input(p, f->name, batch->field[i] + at);
    }
}

int feed_open_fields(const struct feed *f, struct field out[LOADER_MAX_FIELDS]) {
    feed_graph_fields(loader_field(f->loader, 0), loader_n_fields(f->loader), out);
    return loader_n_fields(f->loader);
}
