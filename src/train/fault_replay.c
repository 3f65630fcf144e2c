#include "train/fault_replay.h"

#include <string.h>

/* --- what the file says --- */

static const char *text_of(struct fault_replay *r, const char *path) {
    return pool_print(&r->pool, "%s", meta_string(&r->meta, path));
}

/* How often each class occurs in the data that are not here. */
static const int64_t *read_counts(struct fault_replay *r, const char *field, int n_classes) {
    const json_t *list = json_object_get(meta_at(&r->meta, "fault.counts"), field);
    int64_t *counts;

    if (n_classes <= 0 || json_array_size(list) != (size_t)n_classes)
        return NULL;
    counts = pool_take(&r->pool, (size_t)n_classes * sizeof *counts);
    for (int k = 0; k < n_classes; k++)
        counts[k] = json_integer_value(json_array_get(list, (size_t)k));
    return counts;
}

static void read_fields(struct fault_replay *r) {
    struct meta_field *f;

    r->n_fields = meta_fields(&r->meta, &r->pool, &f);
    for (int i = 0; i < r->n_fields; i++)
        r->field[i] = (struct field){.name = f[i].name,
                                     .sample = f[i].sample,
                                     .kind = f[i].classes ? TENSOR_INDICES : TENSOR_ACTS,
                                     .n_classes = f[i].n_classes,
                                     .class_counts = read_counts(r, f[i].name, f[i].n_classes)};
}

static bool read_cuts(struct fault_replay *r) {
    const json_t *list = meta_at(&r->meta, "fault.cuts");
    const int n = (int)json_array_size(list);
    struct probe_cut *cut = pool_take(&r->pool, (size_t)(n + 1) * sizeof *cut);
    bool fits = n > 0;

    for (int i = 0; i < n; i++) {
        const json_t *pair = json_array_get(list, (size_t)i);
        cut[i].first = json_integer_value(json_array_get(pair, 0));
        cut[i].n = json_integer_value(json_array_get(pair, 1));
        fits = fits && cut[i].first >= 0 && cut[i].n >= 0 &&
               cut[i].first + cut[i].n <= r->batch.data.n;
    }
    r->probe.cut = cut;
    r->probe.n_cuts = n;
    return fits;
}

static void read_names(struct fault_replay *r) {
    const json_t *list = meta_at(&r->meta, "fault.samples");

    r->sample = pool_take(&r->pool, (size_t)(r->batch.data.n + 1) * sizeof *r->sample);
    for (int64_t i = 0; i < r->batch.data.n; i++) {
        const char *name = json_string_value(json_array_get(list, (size_t)i));
        r->sample[i] = pool_print(&r->pool, "%s", name ? name : "");
    }
}

/* All numbers of the meta text; false where they cannot be. */
static bool read_numbers(struct fault_replay *r, const struct job *job) {
    r->batch.data.n = meta_whole(&r->meta, "fault.n");
    r->batch.first = meta_whole(&r->meta, "fault.first");
    r->batch.global_n = meta_whole(&r->meta, "fault.global_n");
    r->rank = (int)meta_whole(&r->meta, "fault.rank");
    r->size = (int)meta_whole(&r->meta, "fault.ranks");
    r->exact = json_is_true(meta_at(&r->meta, "fault.exact"));
    r->host = text_of(r, "fault.host");
    r->message = text_of(r, "fault.message");
    r->node = text_of(r, "fault.operator");
    r->probe.which = (int)meta_whole(&r->meta, "fault.which");
    r->probe.step = meta_whole(&r->meta, "fault.step");
    r->probe.seed = job->seed;
    if (r->batch.data.n < 1 || r->batch.data.n > r->batch.global_n || r->batch.first < 0 ||
        r->probe.step < 0 || r->probe.which < 0 || r->probe.which >= job->n_steps)
        return false;
    read_fields(r);
    read_names(r);
    return read_cuts(r);
}

/* --- what it holds --- */

static struct shape batch_shape(const struct field *f, int64_t n) {
    struct shape s = {.rank = f->sample.rank + 1, .dim = {n}};

    memcpy(s.dim + 1, f->sample.dim, (size_t)f->sample.rank * sizeof *s.dim);
    return s;
}

static int read_samples(struct fault_replay *r, const char *path, struct err *err) {
    const int64_t n = r->batch.data.n;
    size_t bytes = 0;

    for (int i = 0; i < r->n_fields; i++) {
        const struct shape s = batch_shape(&r->field[i], n);
        bytes += arena_round((size_t)shape_len(&s) * sizeof(float));
    }
    if (arena_init(&r->arena, bytes, err))
        return -1;
    for (int i = 0; i < r->n_fields; i++) {
        const struct shape s = batch_shape(&r->field[i], n);
        const char *name = pool_print(&r->pool, "/batch/%s", r->field[i].name);
        float *v = arena_take(&r->arena, (size_t)shape_len(&s) * sizeof *v);
        if (checkpoint_read(r->file, name, &s, v, err))
            return err_wrap(err, "%s", path);
        if (r->field[i].kind == TENSOR_INDICES) { /* in the same memory, one by one */
            int32_t *index = (int32_t *)(void *)v;
            for (int64_t k = 0; k < shape_len(&s); k++) {
                const float number = v[k];
                index[k] = (int32_t)number;
            }
            r->batch.data.classes[i] = index;
        } else {
            r->batch.data.field[i] = v;
        }
    }
    return 0;
}

/* Numbers that are not finite are what is looked for. */
static int read_state(struct fault_replay *r, struct err *err) {
    for (int i = 0; i < r->replica.n_spans; i++) {
        const struct span *span = &r->replica.spans[i];
        const struct shape whole = {1, {(int64_t)(span->bytes / sizeof(real))}};
        if (span->path && span->flat &&
            checkpoint_read(r->file, span->path, &whole, span->data, err))
            return -1;
        for (int k = 0; span->path && !span->flat && k < span_n_pieces(span); k++) {
            const struct span_piece piece = span_piece(span, k);
            const char *path = pool_print(&r->pool, "%s/%s", span->path, piece.name);
            if (checkpoint_read(r->file, path, &piece.param->shape, piece.data, err))
                return -1;
        }
    }
    return 0;
}

static int64_t largest_cut(const struct fault_replay *r) {
    int64_t most = 1;

    for (int i = 0; i < r->probe.n_cuts; i++)
        most = r->probe.cut[i].n > most ? r->probe.cut[i].n : most;
    return most;
}

static int make_replica(struct fault_replay *r, struct job *job, const char *path, int threads,
                        struct err *err) {
    const struct replica_config c = {.job = job,
                                     .fields = r->field,
                                     .n_fields = r->n_fields,
                                     .step_samples = r->batch.global_n,
                                     .batch = largest_cut(r),
                                     .validate_batch = 1,
                                     .training = true,
                                     .threads = threads,
                                     .data_name = path};

    return replica_init(&r->replica, &c, err) || replica_allocate(&r->replica, &c, err) ? -1 : 0;
}

static void read_totals(struct fault_replay *r) {
    const json_t *list = meta_at(&r->meta, "fault.totals");
    const int n = r->replica.step[r->probe.which].plan->n_leaves;
    double *totals = pool_take(&r->pool, (size_t)(n + 1) * sizeof *totals);

    for (int i = 0; i < n; i++)
        totals[i] = json_number_value(json_array_get(list, (size_t)i));
    r->probe.totals = json_array_size(list) == (size_t)n ? totals : NULL;
}

int fault_replay_init(struct fault_replay *r, struct job *job, const char *path, int threads,
                      struct err *err) {
    *r = (struct fault_replay){0};
    if (checkpoint_open(&r->file, path, err) ||
        meta_read(&r->meta, path, checkpoint_meta(r->file), err))
        return -1;
    if (!meta_at(&r->meta, "fault"))
        return err_set(err, ERR_DATA,
                       "%s: is a checkpoint, expected fault.h5 of a run that has failed", path);
    if (!read_numbers(r, job))
        return err_set(err, ERR_DATA, "%s: does not say which samples of which step it is of",
                       path);
    if (read_samples(r, path, err) || make_replica(r, job, path, threads, err) ||
        read_state(r, err))
        return -1;
    read_totals(r);
    r->probe.replica = &r->replica;
    r->probe.batch = &r->batch;
    return 0;
}

bool fault_replay_lacks_ranks(const struct fault_replay *r) {
    const struct graph *g = r->replica.step[r->probe.which].graph;
    bool lacks = false;

    for (int i = 0; i < g->n_nodes && r->size > 1; i++)
        lacks = lacks || g->nodes[i].plan.ranks.kind;
    return lacks;
}

void fault_replay_release(struct fault_replay *r) {
    replica_release(&r->replica);
    arena_release(&r->arena);
    meta_release(&r->meta);
    checkpoint_close(r->file);
    pool_release(&r->pool);
    *r = (struct fault_replay){0};
}
