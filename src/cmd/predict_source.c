/* predict_source.c - samples prepared as for validation, whether they lie in a dataset or in files.
 */
#include "cmd/predict.h"
#include "io/dataset/dataset_files.h"
#include "io/image/image.h"

#include <stdlib.h>
#include <string.h>

/* How the network's input was stored where it was trained; NULL: nobody says. */
static const struct meta_field *trained_field(const struct predict *p) {
    for (int i = 0; i < p->n_trained_on; i++)
        if (!strcmp(p->trained_on[i].name, p->predictor.input->name))
            return &p->trained_on[i];
    return NULL;
}

/* Are pictures taken as large as they are? */
static bool own_size(const struct predict *p) {
    return p->args.whole || p->args.overlap >= 0;
}

/* The words of the job; of pictures at their own size those that move nothing; before those of
 * files what an importer did to others. */
static int choose_pipeline(struct predict *p, struct err *err) {
    struct predict_source *s = &p->source;
    const struct job *job = &p->args.job.job;
    const struct meta_field *f = p->inputs.path ? trained_field(p) : NULL;
    const struct shape *stored = f ? &f->stored : &p->predictor.input->sample;

    if (p->inputs.path && !own_size(p) && stored->dim[0]) {
        s->fit = (struct augment_fit){stored->dim[0], stored->dim[1], p->args.stretch};
        s->pipeline[s->n_pipeline++] = (struct applied){&augment_fit_word.word, &s->fit};
    }
    for (int i = 0; i < job->n_augment; i++) {
        const struct augment *word = (const struct augment *)(const void *)job->augment[i].word;
        if (own_size(p) && word->moves)
            continue;
        if (s->n_pipeline == AUGMENT_MAX)
            return err_set(err, ERR_CONFIG, "augment: a pipeline has %d words at most",
                           AUGMENT_MAX - 1);
        s->pipeline[s->n_pipeline++] = job->augment[i];
    }
    return 0;
}

static int open_files(struct predict *p, struct err *err) {
    const struct field *input = p->predictor.input;
    const struct meta_field *f = trained_field(p);
    const int64_t channels = shape_channels(&input->sample);
    char text[SHAPE_TEXT];

    if (input->sample.rank != 3 || (channels != 1 && channels != 3))
        return err_set(
            err, ERR_USAGE,
            "the networks read %s %s, expected pictures of 1 or 3 channels; other data is "
            "read from FILE.h5:GROUP",
            input->name, shape_text(&input->sample, text));
    const struct dataset_files files = {.name = "the pictures",
                                        .field = input->name,
                                        .path = p->inputs.path,
                                        .n = p->inputs.n,
                                        .channels = (int)channels,
                                        .mean = f ? f->mean : NULL,
                                        .std = f ? f->std : NULL};
    if (f && f->reals)
        sinks_warn(
            p->sinks,
            "%s was stored as floats, whose scale is not known; values of pictures are taken "
            "from 0 to 1",
            input->name);
    p->source.source =
        (struct augment_source){{3, {0, 0, channels}}, files.mean, files.std, AUGMENT_IMAGE, true};
    return dataset_of_files(&p->source.dataset, &files, err);
}

/* Classes as the networks count them. */
static int map_classes(struct predict *p, struct err *err) {
    struct dataset *ds = p->source.dataset;

    for (int k = 0; k < p->trained.n_classes; k++) {
        const struct feed_classes *c = &p->trained.classes[k];
        const struct class_list list = {c->names, c->n, "the network"};
        const int i = dataset_find_field(ds, c->field);

        if (i >= 0 && dataset_field(ds, i)->kind == DATASET_CLASS &&
            dataset_map_classes(ds, i, &list, err))
            return -1;
    }
    return 0;
}

/* The class of each sample, where the data has that which is predicted. */
static int find_labels(const struct predict *p) {
    const struct dataset *ds = p->source.dataset;
    const struct field *classes = p->predictor.classes;
    const int i = dataset_find_field(ds, classes ? classes->name : "label");

    return i >= 0 && dataset_labels(ds, i) ? i : -1;
}

static int open_dataset(struct predict *p, struct err *err) {
    struct predict_source *s = &p->source;
    const struct predictor *by = &p->predictor;

    if (dataset_open(&s->dataset, p->inputs.spec, 0, err) || map_classes(p, err))
        return -1;
    p->inputs.n = dataset_len(s->dataset);
    if (by->label && dataset_find_field(s->dataset, by->label->name) < 0)
        return err_set(err, ERR_DATA, "%s: has no %s, which %s reads", p->inputs.spec,
                       by->label->name, by->what);
    trained_warn_of_normalisation(&p->trained, &p->args.job.job,
                                  &(struct feed){.dataset = s->dataset}, p->sinks);
    return 0;
}

/* What comes out of the loader is what the network takes. */
static int check_loader(struct predict *p, struct err *err) {
    const struct field *input = p->predictor.input;
    const struct shape *given = &loader_field(p->source.loader, p->source.field)->sample;
    char found[SHAPE_TEXT], expected[SHAPE_TEXT];
    const bool pixels = input->sample.rank > 2 && given->rank == input->sample.rank &&
                        shape_channels(given) == shape_channels(&input->sample);

    if (shape_equal(given, &input->sample) || (own_size(p) && pixels))
        return 0;
    return err_set(err, ERR_DATA, "%s: gives %s %s, expected %s, as the networks were trained on%s",
                   dataset_name(p->source.dataset), input->name, shape_text(given, found),
                   shape_text(&input->sample, expected),
                   pixels ? "; --window 0.5 predicts larger ones in parts" : "");
}

static int open_loader(struct predict *p, int64_t most, struct err *err) {
    struct predict_source *s = &p->source;
    const struct job *job = &p->args.job.job;
    const struct loader_config config = {.dataset = s->dataset,
                                         .pipeline = s->pipeline,
                                         .n_pipeline = s->n_pipeline,
                                         .seed = job->seed,
                                         .reduced = job->decodes_reduced,
                                         .max_batch = most,
                                         .workers = job->workers};

    if (p->inputs.path &&
        augment_plan_init(&s->seen, s->pipeline, s->n_pipeline, false, &s->source, err))
        return -1;
    return loader_new(&s->loader, &config, err) || check_loader(p, err) ? -1 : 0;
}

/* --class NAME or number; without it all of them in turn. */
static int choose_classes(struct predict *p, struct err *err) {
    const struct field *label = p->predictor.label;
    const int n = label->n_classes;
    const char *said = p->args.class;
    int64_t class = -1;
    char *end;

    for (int i = 0; said && i < n && class < 0; i++)
        if (p->class_name && p->n_classes == n && !strcmp(p->class_name[i], said))
            class = i;
    if (said && class < 0) {
        class = strtoll(said, &end, 10);
        if (end == said || *end || class < 0 || class >= n)
            return err_set(err, ERR_USAGE,
                           "--class: found '%s', expected a class of %s, by name or as a number "
                           "from 0 to %d",
                           said, label->name, n - 1);
    }
    p->source.label = p->source.made = malloc((size_t)p->inputs.n * sizeof(int32_t));
    if (!p->source.made)
        return err_set(err, ERR_IO, "no memory for %lld classes", (long long)p->inputs.n);
    for (int64_t i = 0; i < p->inputs.n; i++)
        p->source.made[i] = (int32_t)(class < 0 ? i % (n > 0 ? n : 1) : class);
    return 0;
}

static int open_noise(struct predict *p, struct err *err) {
    const struct predictor *by = &p->predictor;

    if (by->input)
        return err_set(err, ERR_USAGE,
                       "--count is of samples made of noise, and %s reads %s; expected pictures or "
                       "FILE.h5:GROUP",
                       by->what, by->input->name);
    if (by->label)
        return choose_classes(p, err);
    return p->args.class ? err_set(err, ERR_USAGE, "--class: %s reads no classes", by->what) : 0;
}

/* What comes out, where all samples are of one size. */
static int find_given(struct predict *p, struct err *err) {
    const struct predict_source *s = &p->source;
    const struct shape *sample = s->loader ? &loader_field(s->loader, s->field)->sample : NULL;

    p->given = p->predictor.sample;
    if (sample && p->args.overlap >= 0)
        p->given = windows_shape(&p->windows, sample);
    if (!sample || !p->args.whole)
        return 0;
    if (predict_suit_whole(p, sample, err))
        return -1;
    p->given = p->whole.sample;
    return 0;
}

int predict_source_open(struct predict *p, struct err *err) {
    struct predict_source *s = &p->source;
    const struct predictor *by = &p->predictor;

    s->labels = -1;
    p->given = by->sample;
    if (p->args.count)
        return open_noise(p, err);
    if (!by->input)
        return err_set(err, ERR_USAGE,
                       "%s reads no pictures; expected --count N in place of inputs", by->what);
    if (p->inputs.path && by->label)
        return err_set(err, ERR_USAGE, "%s reads %s, which files of pictures do not have", by->what,
                       by->label->name);
    if (choose_pipeline(p, err) || (p->inputs.path ? open_files(p, err) : open_dataset(p, err)))
        return -1;
    s->field = dataset_find_field(s->dataset, by->input->name);
    if (s->field < 0)
        return err_set(err, ERR_DATA, "%s: has no %s, which %s reads", p->inputs.spec,
                       by->input->name, by->what);
    s->labels = find_labels(p);
    if (!(p->inputs.path && own_size(p)) && open_loader(p, own_size(p) ? 1 : by->batch, err))
        return -1;
    return find_given(p, err);
}

void predict_source_close(struct predict_source *s) {
    loader_free(s->loader);
    dataset_close(s->dataset);
    free(s->made);
    *s = (struct predict_source){0};
}

static int prepare(const struct predict *p, const struct image *image, float **out,
                   struct shape *shape, struct err *err) {
    const struct predict_source *s = &p->source;
    struct augment_source source = s->source;
    struct augment_plan *plan = malloc(sizeof *plan);

    *shape = source.shape =
        (struct shape){3, {image->height, image->width, shape_channels(&source.shape)}};
    if (!plan || augment_plan_init(plan, s->pipeline, s->n_pipeline, false, &source, err)) {
        free(plan);
        return plan ? -1 : err_set(err, ERR_IO, "no memory for a picture");
    }
    float *scratch = malloc(((size_t)plan->scratch_len + 1) * sizeof *scratch);
    *out = malloc((size_t)shape_len(shape) * sizeof **out);
    if (scratch && *out)
        augment_run(plan, &(struct augment_draw){0}, image->pixels, NULL, scratch, *out);
    const bool failed = !scratch || !*out;
    if (failed) {
        free(*out);
        err_set(err, ERR_IO, "no memory for a picture of %dx%d", image->width, image->height);
    }
    free(scratch);
    free(plan);
    return failed ? -1 : 0;
}

int predict_read_picture(const struct predict *p, int64_t i, float **out, struct shape *shape,
                         struct err *err) {
    const bool grey = shape_channels(&p->source.source.shape) == 1;
    struct image image = {0};

    if (image_read(p->inputs.path[i], grey ? IMAGE_GREY : IMAGE_COLOUR, &image, err))
        return -1;
    const int rc = prepare(p, &image, out, shape, err);
    image_release(&image);
    return rc;
}
