#include "io/loader/loader.h"
#include "core/base/clock.h"
#include "io/loader/loader_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_fields(struct loader *l) {
    for (; l->n_fields < dataset_n_fields(l->dataset); l->n_fields++) {
        const struct dataset_field *f = dataset_field(l->dataset, l->n_fields);

        l->field[l->n_fields] = (struct loader_field){
            .name = f->name,
            .sample = l->prepare.field[l->n_fields].sample,
            .kind = f->kind,
            .n_classes = dataset_field_classes(l->dataset, l->n_fields),
            .class_counts = dataset_class_counts(l->dataset, l->n_fields),
        };
    }
    if (l->mix.n_classes)
        l->field[l->n_fields++] = (struct loader_field){
            .name = "target", .sample = {1, {l->mix.n_classes}}, .kind = DATASET_REALS};
}

static int plan(struct loader *l, const struct loader_config *c, struct err *err) {
    const struct prepare_config prepare = {.dataset = c->dataset,
                                           .pipeline = c->pipeline,
                                           .n_pipeline = c->n_pipeline,
                                           .seed = c->seed,
                                           .training = c->training,
                                           .reduced = c->reduced};
    const int64_t most = c->max_batch > 1 ? c->max_batch : 1;

    l->dataset = c->dataset;
    l->max_batch = c->max_batch;
    l->n_workers = c->workers < 1 ? 1 : c->workers < most ? c->workers : (int)most;
    if (prepare_init(&l->prepare, &prepare, err) || mix_init(&l->mix, &l->prepare, &prepare, err))
        return -1;
    l->max_batch += l->mix.mixes;
    name_fields(l);
    return 0;
}

int loader_new(struct loader **out, const struct loader_config *config, struct err *err) {
    struct loader *l = calloc(1, sizeof *l);

    if (!l)
        return err_set(err, ERR_IO, "not enough memory for a loader");
    if (plan(l, config, err) || loader_allocate(l, err)) {
        loader_release(l);
        return err_wrap(err, "%s", dataset_name(config->dataset));
    }
    if (loader_start(l, err)) {
        loader_stop(l);
        loader_release(l);
        return err_wrap(err, "%s", dataset_name(config->dataset));
    }
    *out = l;
    return 0;
}

int loader_n_fields(const struct loader *loader) {
    return loader->n_fields;
}

const struct loader_field *loader_field(const struct loader *loader, int i) {
    return &loader->field[i];
}

const char *loader_name(const struct loader *loader) {
    return dataset_name(loader->dataset);
}

int64_t loader_batch_row(const struct loader_batch *batch, int field, int64_t i) {
    const struct loader *l = batch->loader;
    const struct loader_slot *s = &l->slot[batch->number % LOADER_BATCHES];
    const struct prepare_batch b = {
        .samples = s->samples, .visits = s->visits, .n = s->n, .epoch = s->epoch};

    return field < l->prepare.n_fields ? prepare_row(&l->prepare, &b, field, i) : s->samples[i];
}

/* A mistake of the caller, which no message to a user can mend. */
static void insist(bool held, const char *what) {
    if (held)
        return;
    fprintf(stderr, "loader: %s\n", what);
    abort();
}

void loader_request(struct loader *loader, const int64_t *samples, const int32_t *visits, int64_t n,
                    int64_t epoch) {
    const struct loader_partner first = {n ? samples[0] : 0, n && visits ? visits[0] : 0};

    loader_request_part(loader, samples, visits, n, &first, epoch);
}

void loader_request_part(struct loader *loader, const int64_t *samples, const int32_t *visits,
                         int64_t n, const struct loader_partner *partner, int64_t epoch) {
    struct loader_slot *s = &loader->slot[loader->requested % LOADER_BATCHES];

    insist(loader->requested < loader->released + LOADER_BATCHES, "more batches than slots");
    insist(n >= 0 && n + loader->mix.mixes <= loader->max_batch,
           "a batch is larger than max_batch");
    pthread_mutex_lock(&loader->lock); /* workers look at all slots */
    s->n = n;
    s->epoch = epoch;
    if (n)
        memcpy(s->samples, samples, (size_t)n * sizeof *samples);
    for (int64_t i = 0; i < n; i++)
        s->visits[i] = visits ? visits[i] : 0;
    if (n && loader->mix.mixes) {
        s->samples[n] = partner->sample;
        s->visits[n] = partner->visit;
        s->n++;
    }
    s->read = s->ready = false;
    s->taken = s->prepared = 0;
    loader->requested++;
    pthread_cond_signal(&loader->to_read);
    pthread_mutex_unlock(&loader->lock);
}

int loader_wait(struct loader *loader, struct loader_batch *out, struct err *err) {
    const double begin = clock_now();
    const int64_t number = loader->waited;
    const struct loader_slot *s = &loader->slot[number % LOADER_BATCHES];

    insist(number < loader->requested, "waits for a batch that was not requested");
    pthread_mutex_lock(&loader->lock);
    while (!s->ready)
        pthread_cond_wait(&loader->to_give, &loader->lock);
    pthread_mutex_unlock(&loader->lock);
    loader->wait_s += clock_now() - begin;
    loader->waited++;
    if (s->failed < s->n) {
        *err = s->err;
        return -1;
    }
    *out =
        (struct loader_batch){.n = loader_slot_len(loader, s), .loader = loader, .number = number};
    for (int i = 0; i < loader->n_fields; i++)
        if (loader->field[i].kind == DATASET_CLASS)
            out->classes[i] = s->out[i];
        else
            out->field[i] = s->out[i];
    return 0;
}

void loader_release_batch(struct loader *loader) {
    insist(loader->released < loader->waited, "releases a batch that was not waited for");
    loader->released++;
}

int loader_n_workers(const struct loader *loader) {
    return loader->n_workers;
}

void loader_trace(struct loader *loader, struct trace *trace) {
    pthread_mutex_lock(&loader->lock);
    loader->trace = trace;
    pthread_mutex_unlock(&loader->lock);
}

void loader_say_to(struct loader *loader, struct pulse *pulse, int which) {
    pthread_mutex_lock(&loader->lock);
    loader->pulse = pulse;
    loader->which = which;
    pthread_mutex_unlock(&loader->lock);
}

double loader_wait_seconds(const struct loader *loader) {
    return loader->wait_s;
}

void loader_free(struct loader *loader) {
    if (!loader)
        return;
    loader_stop(loader);
    loader_release(loader);
}
