/* predict_run.c - batch by batch: each rank predicts its share and words it, the first writes all
 * of them down in the order of the inputs. */
#include "cmd/predict.h"
#include "core/base/clock.h"
#include "dist/agree.h"
#include "dist/shard.h"
#include "train/stop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How far it is. */
struct run {
    struct predict *p;
    struct comm *comm;
    int64_t step;      /* samples of all ranks at a time */
    int64_t requested; /* the first sample, of all ranks, that the loader was not asked for */
    int out_of_loader; /* batches that were asked for and not given back */
    float *values;     /* [batch, prediction] */
    double begun, said;
    int64_t first; /* sample that this call began with */
    bool moves;    /* progress is a line that is written anew */
};

/* This rank's part of the samples from `at` on. */
static struct shard_range share_at(const struct run *r, int64_t at) {
    const int64_t left = r->p->inputs.n - at, len = left < r->step ? left : r->step;
    struct shard_range part = {0, 0};

    if (len > 0)
        part = shard_share(len, 0, comm_rank(r->comm), comm_size(r->comm));
    part.first += at;
    return part;
}

static void request(struct run *r, int64_t first, int64_t n) {
    struct pool pool = {0};
    int64_t *list = pool_take(&pool, (size_t)(n + 1) * sizeof *list);

    for (int64_t i = 0; i < n; i++)
        list[i] = first + i;
    loader_request(r->p->source.loader, list, NULL, n, 0);
    r->out_of_loader++;
    pool_release(&pool);
}

/* Keep the loader busy. */
static void request_ahead(struct run *r) {
    while (r->p->source.loader && r->out_of_loader < LOADER_BATCHES &&
           r->requested < r->p->inputs.n) {
        const struct shard_range part = share_at(r, r->requested);
        request(r, part.first, part.n);
        r->requested += r->step;
    }
}

static void give_back(struct run *r) {
    loader_release_batch(r->p->source.loader);
    r->out_of_loader--;
}

static int64_t label_at(const struct predict *p, int64_t i) {
    const struct predict_source *s = &p->source;

    if (s->label)
        return s->label[i];
    return s->labels < 0 ? -1 : dataset_labels(s->dataset, s->labels)[i];
}

static int take(struct run *r, int64_t i, const float *values, const struct shape *shape,
                struct err *err) {
    const struct predicted v = {
        .index = i, .values = values, .shape = *shape, .label = label_at(r->p, i)};

    return predict_out_take(r->p, &v, err);
}

/* Name the broken one and go on, where that is wanted. */
static int take_broken(struct run *r, int64_t i, const struct err *why, struct err *err) {
    const struct predicted v = {.index = i, .label = label_at(r->p, i), .error = why->msg};

    if (!r->p->args.skip_broken || why->kind == ERR_CONFIG || why->kind == ERR_USAGE) {
        *err = *why;
        return -1;
    }
    r->p->n_broken++;
    return predict_out_take(r->p, &v, err);
}

static int predict_batch(struct run *r, const struct loader_batch *b, int64_t first,
                         struct err *err) {
    struct predict *p = r->p;
    const struct predict_source *s = &p->source;
    const int64_t len = predictor_len(&p->predictor), n = b->n;
    const struct predictor_draw draw = {(uint64_t)p->args.seed, first};
    const int label =
        p->predictor.label ? dataset_find_field(s->dataset, p->predictor.label->name) : -1;

    predictor_run(&p->predictor, b->field[s->field], label < 0 ? NULL : b->classes[label], n, &draw,
                  r->values);
    for (int64_t i = 0; i < n; i++)
        if (take(r, first + i, r->values + i * len, &p->predictor.sample, err))
            return -1;
    return 0;
}

/* --- samples of their own size --- */

int predict_suit_whole(struct predict *p, const struct shape *shape, struct err *err) {
    const struct shape *trained = &p->predictor.input->sample;
    struct field fields[LOADER_MAX_FIELDS];

    if (shape_equal(shape, &p->whole_size))
        return 0;
    predictor_release(&p->whole);
    p->whole_size = (struct shape){0};
    for (int i = 0; i < p->n_fields; i++) {
        fields[i] = p->fields[i];
        /* What belongs to each pixel grows with the picture. */
        for (int d = 0; d + 1 < trained->rank && fields[i].sample.rank + 1 >= trained->rank; d++)
            if (p->fields[i].sample.dim[d] == trained->dim[d])
                fields[i].sample.dim[d] = shape->dim[d];
    }
    const struct predictor_config config = {.job = &p->args.job.job,
                                            .fields = fields,
                                            .n_fields = p->n_fields,
                                            .output = p->args.output,
                                            .batch = 1,
                                            .threads = p->args.job.threads,
                                            .data_name = p->args.job.job.path,
                                            .turns = p->args.turns};
    char text[SHAPE_TEXT];
    if (predictor_init(&p->whole, &config, err))
        return err_wrap(err, "--whole, %s", shape_text(shape, text));
    predictor_copy_weights(&p->whole, &p->predictor);
    p->whole_size = *shape;
    return 0;
}

static int run_whole(struct run *r, const float *sample, const struct shape *shape, int64_t i,
                     struct err *err) {
    struct predict *p = r->p;
    const struct predictor_draw draw = {(uint64_t)p->args.seed, i};
    struct err why = {0};

    if (predict_suit_whole(p, shape, &why)) { /* the next may be of a size that fits */
        why.kind = ERR_DATA;
        if (p->inputs.path)
            err_wrap(&why, "%s", p->inputs.path[i]);
        return take_broken(r, i, &why, err);
    }
    float *values = malloc((size_t)predictor_len(&p->whole) * sizeof *values);
    if (!values)
        return err_set(err, ERR_IO, "no memory for a prediction");
    predictor_run(&p->whole, sample, NULL, 1, &draw, values);
    const int rc = take(r, i, values, &p->whole.sample, err);
    free(values);
    return rc;
}

static int run_windows(struct run *r, const float *sample, const struct shape *shape, int64_t i,
                       struct err *err) {
    struct predict *p = r->p;
    const struct predictor_draw draw = {(uint64_t)p->args.seed, i};
    float *values = NULL;

    if (windows_run(&p->windows, sample, shape, &draw, &values, err))
        return -1;
    const struct shape given = windows_shape(&p->windows, shape);
    const int rc = take(r, i, values, &given, err);
    free(values);
    return rc;
}

static int run_large(struct run *r, const float *sample, const struct shape *shape, int64_t i,
                     struct err *err) {
    return (r->p->args.whole ? run_whole : run_windows)(r, sample, shape, i, err);
}

static int large_file(struct run *r, int64_t i, struct err *err) {
    struct err why = {0};
    struct shape shape;
    float *sample = NULL;

    if (predict_read_picture(r->p, i, &sample, &shape, &why))
        return take_broken(r, i, &why, err);
    const int rc = run_large(r, sample, &shape, i, err);
    free(sample);
    return rc;
}

/* --- a share --- */

static int use_batch(struct run *r, const struct loader_batch *b, int64_t first, struct err *err) {
    const struct predict_source *s = &r->p->source;

    if (!r->p->args.whole && r->p->args.overlap < 0)
        return predict_batch(r, b, first, err);
    const struct shape *shape = &loader_field(s->loader, s->field)->sample;
    for (int64_t i = 0; i < b->n; i++)
        if (run_large(r, b->field[s->field] + i * shape_len(shape), shape, first + i, err))
            return -1;
    return 0;
}

/* One of a batch is broken: which, and what of the others? The loader begins anew behind it. */
static int use_singly(struct run *r, struct shard_range part, int64_t at, struct err *err) {
    struct loader *loader = r->p->source.loader;
    struct loader_batch b;
    struct err why = {0};

    while (r->out_of_loader) {
        (void)loader_wait(loader, &b, &why);
        give_back(r);
    }
    for (int64_t i = part.first; i < part.first + part.n; i++) {
        why = (struct err){0};
        request(r, i, 1);
        const int rc =
            loader_wait(loader, &b, &why) ? take_broken(r, i, &why, err) : use_batch(r, &b, i, err);
        give_back(r);
        if (rc)
            return -1;
    }
    r->requested = at + r->step;
    return 0;
}

static int noise_share(struct run *r, struct shard_range part, struct err *err) {
    struct predict *p = r->p;
    const int64_t len = predictor_len(&p->predictor);
    const struct predictor_draw draw = {(uint64_t)p->args.seed, part.first};

    predictor_run(&p->predictor, NULL, p->source.label ? p->source.label + part.first : NULL,
                  part.n, &draw, r->values);
    for (int64_t i = 0; i < part.n; i++)
        if (take(r, part.first + i, r->values + i * len, &p->predictor.sample, err))
            return -1;
    return 0;
}

static int predict_share(struct run *r, int64_t at, struct err *err) {
    const struct shard_range part = share_at(r, at);
    struct loader *loader = r->p->source.loader;
    struct loader_batch b;
    struct err why = {0};
    int rc = 0;

    if (!r->p->source.dataset)
        return noise_share(r, part, err);
    for (int64_t i = 0; !loader && i < part.n && !rc; i++)
        rc = large_file(r, part.first + i, err);
    if (!loader)
        return rc;
    request_ahead(r);
    rc = loader_wait(loader, &b, &why);
    if (!rc)
        rc = use_batch(r, &b, part.first, err);
    else if (!r->p->args.skip_broken)
        *err = why;
    give_back(r);
    return why.msg[0] && r->p->args.skip_broken ? use_singly(r, part, at, err) : rc;
}

/* --- all --- */

static void say_progress(struct run *r, int64_t done) {
    const double now = clock_now(), seconds = now - r->begun;
    const int64_t n = r->p->inputs.n;

    if (now - r->said < (r->moves ? 0.2 : 10))
        return;
    r->said = now;
    const double rate = (double)(done - r->first) / seconds;
    const int left = rate > 0 ? (int)((double)(n - done) / rate) : 0;
    fprintf(stderr, "%s%lld/%lld  %.1f samples/s  %d:%02d:%02d left%s", r->moves ? "\r\033[K" : "",
            (long long)done, (long long)n, rate, left / 3600, left / 60 % 60, left % 60,
            r->moves ? "" : "\n");
    fflush(stderr);
}

static void end_progress(const struct run *r) {
    if (r->moves && r->said > r->begun)
        fputs("\r\033[K", stderr);
}

/* Predict one batch of all ranks, and write it. Collective. */
static int do_step(struct run *r, struct gather *gather, int64_t at, struct err *err) {
    struct predict *p = r->p;
    char *bytes = NULL;
    size_t len = 0;
    int rc = 0;

    p->lines = open_memstream(&bytes, &len);
    rc = p->lines ? predict_share(r, at, err) : err_set(err, ERR_IO, "no memory for results");
    if (p->lines && fclose(p->lines) && !rc)
        rc = err_set(err, ERR_IO, "no memory for results");
    rc = agree(r->comm, rc, err) || gather_bytes(gather, bytes, len, err) ? -1 : 0;
    free(bytes);
    if (rc)
        return -1;
    if (comm_rank(r->comm) == 0)
        rc = predict_out_write(p->out, p, gather->bytes, gather->len, err);
    return agree(r->comm, rc, err);
}

static int stopped(const struct run *r, int64_t done, struct err *err) {
    const struct predict_out *o = r->p->out;

    if (done >= r->p->inputs.n || comm_max_double(r->comm, stop_requested()) <= 0)
        return 0;
    return err_set(err, ERR_STOPPED, "stopped on request after %lld of %lld samples%s",
                   (long long)done, (long long)r->p->inputs.n,
                   o->path && o->format != PREDICT_H5 ? "; the same command with --resume goes on"
                                                      : "");
}

static int do_steps(struct run *r, struct gather *gather, struct err *err) {
    const bool tells = comm_rank(r->comm) == 0;

    for (int64_t at = r->first; at < r->p->inputs.n; at += r->step) {
        const int64_t done = at + r->step < r->p->inputs.n ? at + r->step : r->p->inputs.n;

        if (do_step(r, gather, at, err))
            return -1;
        if (tells)
            say_progress(r, done);
        if (stopped(r, done, err))
            return -1;
    }
    return 0;
}

/* Broken samples of all ranks. Collective. */
static void say_broken(struct run *r) {
    double n = (double)r->p->n_broken;

    comm_sum_doubles(r->comm, &n, 1);
    if (n > 0)
        sinks_warn(r->p->sinks, "%.0f of %lld could not be read; their lines say why", n,
                   (long long)(r->p->inputs.n - r->first));
}

/* What is on standard output needs no word. */
static void say_written(const struct run *r) {
    const struct predict_out *o = r->p->out;
    const int64_t n = r->p->inputs.n;

    if (o->path)
        sinks_note(r->p->sinks, "%s: %lld prediction%s, %.1f samples/s",
                   o->folder ? o->folder : o->path, (long long)n, n == 1 ? "" : "s",
                   (double)(n - r->first) / (clock_now() - r->begun));
}

int predict_run(struct predict *p, struct err *err) {
    struct run r = {.p = p,
                    .comm = p->args.job.comm,
                    .step = p->args.batch,
                    .requested = p->out->done,
                    .first = p->out->done,
                    .begun = clock_now(),
                    .moves = isatty(STDERR_FILENO)};
    struct gather gather = {0};

    if (p->source.dataset && (p->args.whole || p->args.overlap >= 0))
        r.step = comm_size(r.comm);
    r.said = r.begun;
    r.values = malloc((size_t)(p->predictor.batch * predictor_len(&p->predictor)) * sizeof(float));
    int rc = r.values ? 0 : err_set(err, ERR_IO, "no memory for predictions");
    rc = agree(r.comm, rc, err) || gather_init(&gather, r.comm, err) || do_steps(&r, &gather, err)
             ? -1
             : 0;
    if (comm_rank(r.comm) == 0)
        end_progress(&r);
    if (!rc) {
        say_broken(&r);
        rc = agree(r.comm, comm_rank(r.comm) ? 0 : predict_out_finish(p->out, p, err), err);
    }
    if (!rc)
        say_written(&r);
    gather_release(&gather);
    free(r.values);
    return rc;
}
