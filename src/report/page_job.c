#include "report/page_job.h"
#include "job/job.h"
#include "report/network.h"
#include "report/page_lines.h"
#include "train/feed.h"
#include "train/meta.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void page_job_release(struct page_job *job) {
    pool_release(&job->pool);
    *job = (struct page_job){0};
}

static void note(json_t *run, const char *text) {
    json_array_append_new(json_object_get(run, "notes"), page_text(text));
}

/* The checkpoint that says most of a run; json NULL in *out: there is none. */
static void open_meta(json_t *run, const char *folder, struct pool *pool, struct meta *out) {
    static const char *const names[] = {"best.h5", "last.h5"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = pool_print(pool, "%s/%s", folder, names[i]);
        struct err err = {0};
        if (access(path, F_OK))
            continue;
        if (!meta_open(out, path, &err)) {
            json_object_set_new(
                run, "checkpoint",
                json_pack("{s:s, s:I}", "file", names[i], "step", (json_int_t)meta_step(out)));
            return;
        }
        note(run, err.msg);
        meta_release(out);
    }
}

/* The fields of the data as a checkpoint knows them; returns their number, 0 for those of one that
 * does not say. */
static int fields_of_meta(const struct meta *meta, struct pool *pool, struct field *out) {
    const json_t *fields = meta_at(meta, "fields");
    int n = 0;

    for (size_t i = 0; i < json_array_size(fields) && n < LOADER_MAX_FIELDS; i++) {
        const json_t *f = json_array_get(fields, i), *shape = json_object_get(f, "shape");
        const char *name = json_string_value(json_object_get(f, "name"));
        const char *kind = json_string_value(json_object_get(f, "kind"));
        if (!name || !kind || json_array_size(shape) >= SHAPE_MAX_RANK)
            return 0;
        struct field *field = &out[n++];
        *field = (struct field){
            .name = pool_copy(pool, name, strlen(name)),
            .sample.rank = (int)json_array_size(shape),
            .kind = !strcmp(kind, "class") ? TENSOR_INDICES : TENSOR_ACTS,
            .n_classes = (int)json_integer_value(json_object_get(f, "classes")),
        };
        for (int k = 0; k < field->sample.rank; k++)
            field->sample.dim[k] = json_integer_value(json_array_get(shape, (size_t)k));
    }
    return n;
}

/* What the networks see: by the checkpoint, which goes where the run goes, or else by the data. */
static int find_fields(struct job *job, const struct meta *meta, struct field *out, int *n,
                       struct err *err) {
    struct loader_field seen[LOADER_MAX_FIELDS];

    *n = meta->json ? fields_of_meta(meta, &job->pool, out) : 0;
    if (*n)
        return 0;
    if (feed_fields(job, seen, n, err))
        return -1;
    feed_graph_fields(seen, *n, out);
    return 0;
}

static int add_network(json_t *run, struct job *job, const struct meta *meta, struct page_job *out,
                       struct err *err) {
    struct field fields[LOADER_MAX_FIELDS];
    struct replica r = {0};
    struct network *networks;
    int n_fields, n, rc = find_fields(job, meta, fields, &n_fields, err);

    if (rc)
        return -1;
    const struct replica_config config = {.job = job,
                                          .fields = fields,
                                          .n_fields = n_fields,
                                          .batch = 1,
                                          .validate_batch = 1,
                                          .training = true,
                                          .data_name = job->path};
    rc = replica_init(&r, &config, err);
    if (!rc)
        rc = network_list(job, &r, &networks, &n, err);
    if (!rc) {
        json_object_set_new(run, "network", network_json(&r, networks, n));
        if (job->best)
            out->best =
                (struct page_best){pool_copy(&out->pool, job->best, strlen(job->best)), r.maximise};
    }
    replica_release(&r);
    return rc;
}

/* Checkpoints say what is the best without any network. */
static void add_meta(json_t *run, const struct meta *meta, struct page_job *out) {
    const char *measure = meta_string(meta, "measures.name");
    const json_t *classes = meta_at(meta, "classes"),
                 *samples = meta_at(meta, "data.validate.samples");

    if (classes)
        json_object_set_new(run, "classes", json_deep_copy(classes));
    if (samples)
        json_object_set_new(run, "validation_samples", json_deep_copy(samples));
    if (*measure)
        out->best = (struct page_best){pool_copy(&out->pool, measure, strlen(measure)),
                                       !strcmp(meta_string(meta, "measures.better"), "larger")};
}

static void add_job(json_t *run, const char *path, const char *text, const struct meta *meta,
                    struct page_job *out) {
    struct err err = {0};
    struct job job = {0};

    if (job_read_text(&job, path, text, NULL, 0, &err)) {
        note(run, err.msg);
    } else {
        json_object_set_new(run, "epochs_wanted", json_real(job.epochs));
        json_object_set_new(run, "steps_wanted", json_integer((json_int_t)job.steps));
        if (add_network(run, &job, meta, out, &err))
            note(run, err.msg);
    }
    job_release(&job);
}

int page_job_add(json_t *run, const char *folder, struct page_job *out, struct err *err) {
    const char *path = pool_print(&out->pool, "%s/job.ini", folder);
    struct meta meta = {0};
    char *text = NULL;
    size_t len;

    open_meta(run, folder, &out->pool, &meta);
    if (meta.json)
        add_meta(run, &meta, out);
    const int rc = page_file_read(path, &text, &len, err);
    if (!rc && text) {
        json_object_set_new(run, "job", page_text(text));
        add_job(run, path, text, &meta, out);
    }
    free(text);
    meta_release(&meta);
    return rc;
}
