/* Batches of samples are made by a team of threads; meanwhile another brings the one before to the
 * disk. */
#include "core/base/clock.h"
#include "core/base/parallel.h"
#include "io/file/file.h"
#include "io/import/encoded_finish.h"
#include "io/import/encoded_state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* What an end at any moment costs is at most two batches. */
enum { BATCH_LEAST = 256, BATCH_MOST = 1024, BATCH_EACH = 16, BATCH_BYTES = 64 << 20 };

/* A batch in memory. */
struct encoded_work {
    struct encoded_state *state;
    const struct encoded_source *source;
    bool (*stopped)(void);
    bool skip_broken;
    struct encoded_batch batch;
    struct encoded_sample sample[BATCH_MOST];
    struct err errs[BATCH_MOST];
    struct err failed; /* of writing */
    pthread_t writer;
    bool writing;
};

/* A whole import. */
struct encoded_import {
    const struct encoded_source *source;
    const struct import_options *options;
    struct team *team;
    struct encoded_state state;
    struct encoded_work *work[2]; /* one is made, one is written */
    struct import_pace pace;
    double started;
};

/* One sample, whose bytes are counted where they are to be trained on. */
static void make(void *context, int64_t begin, int64_t end) {
    struct encoded_work *w = context;

    for (int64_t i = begin; i < end; i++) {
        w->sample[i] = (struct encoded_sample){0};
        w->errs[i] = (struct err){0};
        if (w->stopped && w->stopped())
            err_set(&w->errs[i], ERR_STOPPED, "stopped on request");
        else
            w->source->make(w->source->context, w->batch.split, w->batch.first + i, &w->sample[i],
                            &w->errs[i]);
    }
}

static void *write_batch(void *context) {
    struct encoded_work *w = context;

    encoded_state_add(w->state, &w->batch, &w->failed);
    return NULL;
}

/* Wait for the batch to be written; count it. */
static int finish_writing(struct encoded_import *im, struct encoded_work *w, struct err *err) {
    if (!w->writing)
        return 0;
    pthread_join(w->writer, NULL);
    w->writing = false;
    for (int64_t i = 0; i < w->batch.n; i++) {
        im->pace.bytes += w->errs[i].kind ? 0 : w->sample[i].len;
        free(w->sample[i].bytes);
    }
    if (w->failed.kind) {
        *err = w->failed;
        return -1;
    }
    im->pace.done += w->batch.n;
    im->pace.seconds = clock_now() - im->started;
    if (im->options->progress.pace)
        im->options->progress.pace(im->options->progress.context, &im->pace);
    return 0;
}

static int begin_writing(struct encoded_work *w, struct err *err) {
    w->failed = (struct err){0};
    if (!w->batch.n)
        return 0;
    if (pthread_create(&w->writer, NULL, write_batch, w))
        return err_set(err, ERR_IO, "no thread can be started to write images");
    w->writing = true;
    return 0;
}

/* How many samples from `first` on are made at a time: enough for all threads to end together, but
 * as many only as memory is meant for, and at least one for each thread. */
static int64_t batch_len(const struct encoded_import *im, int k, int64_t first) {
    const struct encoded_source *s = im->source;
    const int64_t threads = team_size(im->team), left = s->split[k].n - first;
    int64_t n = 0, most = BATCH_EACH * threads, bytes = 0;

    most = most < BATCH_LEAST ? BATCH_LEAST : most > BATCH_MOST ? BATCH_MOST : most;
    while (n < most && n < left) {
        bytes += s->about(s->context, k, first + n);
        if (n >= threads && bytes > BATCH_BYTES)
            break;
        n++;
    }
    return n;
}

/* Make a batch, and hand what precedes its first failure to the writer, who is done with the one
 * before. Errors: of making, or of writing the batch before. */
static int run_batch(struct encoded_import *im, struct encoded_work *w, struct encoded_work *before,
                     struct err *err) {
    int64_t good = 0;

    team_run(im->team, w->batch.n, make, w);
    while (good < w->batch.n &&
           (!w->errs[good].kind || (w->errs[good].kind == ERR_DATA && w->skip_broken)))
        good++;
    for (int64_t i = good; i < w->batch.n; i++)
        free(w->sample[i].bytes);
    const struct err failed = good < w->batch.n ? w->errs[good] : (struct err){0};
    w->batch.n = good;
    int status = finish_writing(im, before, err);
    if (!status)
        status = begin_writing(w, err);
    if (status)
        for (int64_t i = 0; i < good; i++)
            free(w->sample[i].bytes);
    if (!status && failed.kind) {
        *err = failed;
        status = -1;
    }
    return status;
}

static int run_batches(struct encoded_import *im, struct err *err) {
    const struct encoded_part *part = im->state.part;
    int64_t at = im->state.n_done;
    int status = 0, turn = 0, k = encoded_state_split(&im->state);

    while (at < im->state.n && !status) {
        struct encoded_work *w = im->work[turn];

        while (at >= part[k].begin + part[k].n)
            k++;
        w->batch = (struct encoded_batch){.split = k, .first = at - part[k].begin};
        w->batch.n = batch_len(im, k, w->batch.first);
        w->batch.sample = w->sample;
        w->batch.errs = w->errs;
        at += w->batch.n;
        status = run_batch(im, w, im->work[!turn], err);
        turn = !turn;
    }
    for (int i = 0; i < 2; i++) { /* the older error is told */
        struct err later = {0};

        if (finish_writing(im, im->work[i], &later) && !status) {
            *err = later;
            status = -1;
        }
    }
    return status;
}

/* Room is asked for before it is used up. What this counts is about right. */
static int check_space(const struct encoded_import *im, const char *target, struct err *err) {
    const struct encoded_source *s = im->source;
    const double left = file_space_left(im->state.folder), mib = 1 << 20;
    double need = 0;

    for (int k = 0; k < s->n_splits; k++)
        for (int64_t i = 0; i < s->split[k].n; i++)
            if (im->state.part[k].begin + i >= im->state.n_done)
                need += (double)s->about(s->context, k, i) + sizeof(int64_t) + sizeof(int32_t);
    if (left < 0 || need <= left)
        return 0;
    return err_set(err, ERR_IO, "%s: about %.0f MiB are needed there, and %.0f MiB are left",
                   target, need / mib, left / mib);
}

static int prepare(struct encoded_import *im, const char *target, struct err *err) {
    const struct import_progress *progress = &im->options->progress;

    if (encoded_state_init(&im->state, im->source, target, im->options, err))
        return -1;
    im->pace = (struct import_pace){
        .done = im->state.n_done, .total = im->state.n, .begun = im->state.n_done};
    for (int i = 0; i < 2; i++) {
        im->work[i] = calloc(1, sizeof *im->work[i]);
        if (!im->work[i])
            return err_set(err, ERR_IO, "%s: out of memory", target);
        im->work[i]->state = &im->state;
        im->work[i]->source = im->source;
        im->work[i]->stopped = progress->stopped;
        im->work[i]->skip_broken = im->options->skip_broken;
    }
    return check_space(im, target, err) || team_new(&im->team, im->options->threads, err) ? -1 : 0;
}

/* An end that is not the end: what is done stays. */
static void say_kept(const struct encoded_import *im, struct err *err) {
    const struct import_progress *progress = &im->options->progress;
    char text[LOCK_TEXT];

    if (im->state.empty || !im->state.n_done)
        return;
    snprintf(text, sizeof text, "%s: keeps the first %lld of %lld images; the same command goes on",
             im->state.folder, (long long)im->state.n_done, (long long)im->state.n);
    if (err->kind == ERR_STOPPED)
        err_set(err, ERR_STOPPED, "stopped on request: %s", text);
    else if (progress->say)
        progress->say(progress->context, text);
}

int import_encoded(const struct encoded_source *source, const char *target,
                   const struct import_options *options, struct import_result *result,
                   struct err *err) {
    struct encoded_import im = {.source = source, .options = options, .started = clock_now()};
    int status = prepare(&im, target, err);

    if (!status)
        status = run_batches(&im, err);
    if (!status)
        status = encoded_finish(&im.state, target, options, result, err);
    im.pace.seconds = clock_now() - im.started;
    result->pace = im.pace;
    if (status)
        say_kept(&im, err);
    for (int i = 0; i < 2; i++)
        free(im.work[i]);
    team_free(im.team);
    encoded_state_release(&im.state);
    return status;
}
