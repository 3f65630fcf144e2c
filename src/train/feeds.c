#include "train/feeds.h"
#include "dist/agree.h"

#include <string.h>

static const char *pixels_text(enum dataset_kind kind) {
    return kind == DATASET_BYTES ? "bytes, scaled to 0 .. 1" : "floats, as they are stored";
}

/* Decoded pictures are bytes. */
static enum dataset_kind pixels_of(const struct dataset_field *f) {
    return f->kind == DATASET_ENCODED ? DATASET_BYTES : f->kind;
}

/* Bytes here and floats there may well be the same pixels, or another scale. */
static void tell_pixels(const struct feeds *feeds, const struct sinks *sinks) {
    const struct dataset *a = feeds->train.dataset, *b = feeds->validate.dataset;

    for (int i = 0; i < dataset_n_fields(a); i++) {
        const struct dataset_field *f = dataset_field(a, i);
        const int k = dataset_find_field(b, f->name);
        const enum dataset_kind ours = pixels_of(f);
        const enum dataset_kind other = k < 0 ? ours : pixels_of(dataset_field(b, k));

        if (sinks && f->image && other != ours && other != DATASET_CLASS)
            sinks_note(sinks, "%s of %s is %s, that of %s %s", f->name, dataset_name(a),
                       pixels_text(ours), dataset_name(b), pixels_text(other));
    }
}

/* What validation has of training's fields is in the same shape and of the same kind. What it has
 * not, it may not need: see replica_check_fields. */
static int check_alike(const struct feeds *feeds, const struct job *job, struct err *err) {
    const char *train = job->train_data, *validate = job->validate_data;
    const struct loader *a = feeds->train.loader, *b = feeds->validate.loader;
    char x[SHAPE_TEXT], y[SHAPE_TEXT];

    for (int i = 0, k; i < loader_n_fields(a); i++) {
        const struct loader_field *f = loader_field(a, i);

        for (k = 0; k < loader_n_fields(b) && strcmp(loader_field(b, k)->name, f->name);)
            k++;
        if (k == loader_n_fields(b))
            continue;
        const struct shape *other = &loader_field(b, k)->sample;
        if (!shape_equal(&f->sample, other))
            return err_set(err, ERR_CONFIG, "%s gives %s %s, but %s gives %s", train, f->name,
                           shape_text(&f->sample, x), validate, shape_text(other, y));
        if ((f->kind == DATASET_CLASS) != (loader_field(b, k)->kind == DATASET_CLASS))
            return err_set(err, ERR_CONFIG, "%s is class numbers in one of %s and %s only", f->name,
                           train, validate);
    }
    return 0;
}

static int check_keys(const struct job *job, struct err *err) {
    if (!job->train_data)
        return err_set(err, ERR_CONFIG, "%s: [data] has no key train", job->path);
    if (!job->n_steps)
        return err_set(err, ERR_CONFIG, "%s: there is no [step]", job->path);
    if (job->epochs <= 0 && !job->steps)
        return err_set(err, ERR_CONFIG, "%s: [job] has neither epochs nor steps", job->path);
    if (job->validate && !job->validate_data)
        return pos_error(err, job->validate->pos, "[validate] needs a key validate in [data]");
    return 0;
}

/* What this rank takes of the datasets, which become the feeds'. */
static int init_feeds(struct feeds *f, const struct job *job, struct dataset *train,
                      struct dataset *validate, struct err *err) {
    const struct comm *comm = f->data.comm;
    struct feed_config config = {.job = job,
                                 .spec = job->train_data,
                                 .dataset = train,
                                 .batch = job->batch,
                                 .training = true,
                                 .rank = comm_rank(comm),
                                 .size = comm_size(comm),
                                 .sinks = f->data.sinks};
    const int rc = feed_init(&f->train, &config, err);

    f->n_classes = rc ? 0 : feed_list_classes(&f->train, f->classes);
    f->validates_here = validate != NULL;
    f->validate.dataset = validate;
    if (rc || !validate)
        return rc;
    config.spec = job->validate_data;
    config.dataset = validate;
    config.batch = job->validate_batch;
    config.training = false;
    config.classes = f->classes;
    config.n_classes = f->n_classes;
    config.classes_of = dataset_name(f->train.dataset);
    if (job->validate_on_rank0)
        config.rank = 0, config.size = 1;
    if (feed_init(&f->validate, &config, err) || check_alike(f, job, err))
        return -1;
    tell_pixels(f, f->data.sinks);
    return 0;
}

/* Open what all ranks read. Collective. */
static int open_shared(struct feeds *f, const char *spec, struct dataset **out, struct err *err) {
    if (host_data_open(&f->data, spec, out, err))
        return -1;
    if (f->data.sinks)
        host_data_tell(&f->data, *out);
    return 0;
}

static int open_validation(struct feeds *f, const struct job *job, struct dataset **out,
                           struct err *err) {
    if (!job->validate)
        return 0;
    if (!job->validate_on_rank0)
        return open_shared(f, job->validate_data, out, err);
    const int rc =
        comm_rank(f->data.comm) ? 0 : host_data_open_alone(&f->data, job->validate_data, out, err);
    return agree(f->data.comm, rc, err);
}

int feeds_init(struct feeds *f, const struct job *job, struct comm *comm, const struct sinks *sinks,
               struct err *err) {
    struct dataset *train = NULL, *validate = NULL;

    host_data_init(&f->data, comm, job->cache_bytes, sinks);
    if (agree(comm, check_keys(job, err), err))
        return -1;
    if (open_shared(f, job->train_data, &train, err))
        return -1;
    if (open_validation(f, job, &validate, err)) {
        dataset_close(train);
        return -1;
    }
    host_data_opened(&f->data);
    return agree(comm, init_feeds(f, job, train, validate, err), err);
}

void feeds_say_to(struct feeds *f, struct pulse *pulse) {
    feed_say_to(&f->train, pulse, 0);
    if (f->validates_here)
        feed_say_to(&f->validate, pulse, 1);
}

void feeds_release(struct feeds *f) {
    feed_release(&f->validate);
    feed_release(&f->train);
    host_data_release(&f->data);
}
