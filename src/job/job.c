#include "job/job_parts.h"
#include "core/base/nearest.h"
#include "dist/allreduce.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct entry *find(const struct job *job, const char *section, const char *key) {
    const struct section *s = source_find(&job->source, section, "");

    return s ? section_find(s, key) : NULL;
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
        job_number(job, find(job, "job", "epochs"), 0, 1e9, false, &job->epochs, err) ||
        job_whole(job, steps, 1, &job->steps, err) ||
        job_whole(job, find(job, "job", "seed"), 0, &seed, err) ||
        job_whole(job, find(job, "job", "threads"), 1, &threads, err))
        return -1;
    if (threads > 1024)
        return pos_error(err, find(job, "job", "threads")->pos,
                         "threads is %lld, expected at most 1024", (long long)threads);
    job->seed = (uint64_t)seed;
    job->threads = (int)threads;
    return 0;
}

static int read_image(struct job *job, struct err *err) {
    const struct entry *entry = find(job, "data", "image");
    struct evaluator ev = job_evaluator(job, NULL);
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

/* "mask 256x256" */
static int read_field(struct job *job, const struct entry *entry, char *text, struct err *err) {
    struct job_field *f = &job->field[job->n_fields];
    char *size = text + strcspn(text, " \t\n");

    if (job->n_fields == JOB_MAX_FIELDS)
        return pos_error(err, entry->pos, "fields: more than %d", JOB_MAX_FIELDS);
    if (*size)
        *size++ = 0;
    size += strspn(size, " \t\n");
    *f = (struct job_field){.name = text};
    for (char *end; *size; size = end + (*end == 'x')) {
        const long v = strtol(size, &end, 10);
        if (end == size || v < 1 || v > 1 << 20 || (*end && (*end != 'x' || !end[1])) ||
            f->shape.n == INTS_MAX)
            return pos_error(err, entry->pos,
                             "fields: found '%s', expected a size as in mask 256x256", size);
        f->shape.v[f->shape.n++] = (int)v;
    }
    if (!*text)
        return pos_error(err, entry->pos, "fields: expected names with sizes, as in mask 256x256");
    job->n_fields++;
    return 0;
}

static int read_fields(struct job *job, struct err *err) {
    const struct entry *entry = find(job, "data", "fields");

    for (const char *at = entry ? entry->value : ""; *at;) {
        at += strspn(at, ", \t\n");
        const size_t len = strcspn(at, ",");
        char *text = pool_copy(&job->pool, at, len);
        for (size_t n = strlen(text); n && strchr(" \t\n", text[n - 1]);)
            text[--n] = 0;
        if (read_field(job, entry, text, err))
            return -1;
        at += len;
    }
    return 0;
}

static int read_data(struct job *job, struct err *err) {
    const struct entry *train = find(job, "data", "train");
    const struct entry *validate = find(job, "data", "validate");
    static const char *const sampling[] = {"shuffle", "balanced", NULL};
    double cache = 1024;
    int balanced = 0;

    job->train_data = train ? train->value : NULL;
    job->validate_data = validate ? validate->value : NULL;
    job->batch = 128;
    job->accumulate = 1;
    if (job_whole(job, find(job, "data", "batch"), 1, &job->batch, err) ||
        job_whole(job, find(job, "data", "accumulate"), 1, &job->accumulate, err) ||
        job_word(find(job, "data", "sampling"), sampling, &balanced, err) ||
        job_number(job, find(job, "data", "cache"), 0, 1e9, false, &cache, err))
        return -1;
    job->balanced = balanced == 1;
    job->cache_bytes = (int64_t)(cache * (1 << 20));
    return job_read_augment(job, err) || read_image(job, err) || read_fields(job, err) ? -1 : 0;
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
    if (job_interval(section_find(s, "every"), &job->validate_every, err) ||
        job_whole(job, section_find(s, "batch"), 1, &job->validate_batch, err) ||
        job_whole(job, section_find(s, "patience"), 1, &patience, err) ||
        job_word(section_find(s, "on"), who, &on, err))
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

static int read_run(struct job *job, struct err *err) {
    static const char *const on_off[] = {"on", "off", NULL};
    int fusion = 0, winograd = 0;

    if (job_word(find(job, "run", "fusion"), on_off, &fusion, err) ||
        job_word(find(job, "run", "winograd"), on_off, &winograd, err))
        return -1;
    job->mode = (struct compute_mode){.fusion = fusion == 0, .winograd = winograd == 0};
    return 0;
}

static int read_rest(struct job *job, struct err *err) {
    static const char *const yes_no[] = {"false", "true", NULL};
    double bucket = 4;
    int best = 1;

    job->save_last.epochs = 1;
    job->log_every = 10;
    if (read_allreduce(job, err) ||
        job_interval(find(job, "checkpoint", "last"), &job->save_last, err) ||
        job_interval(find(job, "checkpoint", "every"), &job->save_every, err) ||
        job_word(find(job, "checkpoint", "best"), yes_no, &best, err) ||
        job_number(job, find(job, "dist", "bucket"), 0.001, 4096, false, &bucket, err) ||
        job_whole(job, find(job, "log", "every"), 1, &job->log_every, err))
        return -1;
    job->save_best = best == 1;
    job->bucket_bytes = (int64_t)(bucket * (1 << 20));
    return read_run(job, err);
}

int job_read(struct job *job, const char *path, const char *const *sets, int n_sets,
             struct err *err) {
    *job = (struct job){.path = path};
    if (source_read(&job->source, path, sets, n_sets, err))
        return -1;
    if (job_check_keys(job, err) || read_job(job, err) || read_data(job, err) ||
        read_validate(job, err) || read_rest(job, err))
        return -1;
    for (int i = 0; i < job->source.n_sections; i++) {
        const struct section *s = &job->source.sections[i];
        if ((!strcmp(s->kind, "step") && job_read_step(job, s, err)) ||
            (!strcmp(s->kind, "weights") && job_read_weights(job, s, err)) ||
            (!strcmp(s->kind, "picture") && job_read_picture(job, s, err)))
            return -1;
    }
    return 0;
}

void job_release(struct job *job) {
    pool_release(&job->pool);
    source_release(&job->source);
    *job = (struct job){0};
}
