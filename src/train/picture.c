#include "train/picture.h"
#include "io/file/file.h"
#include "io/image/grid.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct grid_tile shown_of(const struct replica_picture *p, int k) {
    const struct shape *s = &p->graph->nodes[p->show[k]].plan.y;

    return (struct grid_tile){.h = s->dim[1], .w = s->dim[2], .c = s->rank == 4 ? s->dim[3] : 0};
}

int picture_check(const struct replica_picture *p, struct err *err) {
    for (int k = 0; k < p->n_show; k++) {
        const struct node *node = &p->graph->nodes[p->show[k]];
        const struct shape *s = &node->plan.y;
        char text[SHAPE_TEXT];
        if (s->rank != 3 && !(s->rank == 4 && (s->dim[3] == 1 || s->dim[3] == 3)))
            return pos_error(err, node->pos,
                             "show: found a tensor %s, expected images [n, h, w, 1 or 3] or class "
                             "maps [n, h, w], as argmax(logits) gives",
                             shape_text(s, text));
    }
    return 0;
}

static void copy_values(const struct tensor *y, int64_t len, float *values) {
    for (int64_t i = 0; i < len; i++)
        values[i] = y->kind == TENSOR_INDICES ? (float)y->indices[i] : (float)y->data[i];
}

/* What the graph gives for n samples from number `first` on. */
static void compute(const struct replica_picture *p, const struct gallery *g, int64_t first,
                    int64_t n, struct grid_tile *shown) {
    const struct run_context context = {.first = first};
    const int n_fields = loader_n_fields(g->loader);
    struct field fields[LOADER_MAX_FIELDS];

    feed_graph_fields(loader_field(g->loader, 0), n_fields, fields);
    feed_point(p->plan, fields, n_fields, &g->samples, first);
    run_resize(p->plan, n);
    run_forward(p->plan, &context);
    for (int k = 0; k < p->n_show; k++) {
        const int64_t len = grid_tile_len(&shown[k]);
        copy_values(&p->plan->nodes[p->show[k]].call.y, n * len, shown[k].values + first * len);
    }
}

static int write_picture(const struct replica_picture *p, const struct gallery *g, const char *file,
                         struct err *err) {
    const int64_t n = g->samples.n < p->job->count ? g->samples.n : p->job->count;
    struct grid_tile *shown = calloc((size_t)p->n_show, sizeof *shown);
    int rc = shown ? 0 : err_set(err, ERR_IO, "%s: no memory", file);

    for (int k = 0; !rc && k < p->n_show; k++) {
        shown[k] = shown_of(p, k);
        shown[k].values = malloc((size_t)(n * grid_tile_len(&shown[k])) * sizeof(float));
        if (!shown[k].values)
            rc = err_set(err, ERR_IO, "%s: no memory for %lld samples", file, (long long)n);
    }
    for (int64_t first = 0; !rc && first < n; first += p->graph->batch) {
        const int64_t left = n - first;
        compute(p, g, first, left < p->graph->batch ? left : p->graph->batch, shown);
    }
    for (int k = 0; !rc && k < p->n_show; k++) {
        shown[k].low = p->job->range[0], shown[k].high = p->job->range[1];
        if (!(shown[k].low < shown[k].high))
            grid_find_range(&shown[k], n);
    }
    if (!rc)
        rc = grid_write(file, shown, p->n_show, n, p->job->columns, err);
    for (int k = 0; shown && k < p->n_show; k++)
        free(shown[k].values);
    free(shown);
    return rc;
}

/* Samples that the largest picture needs, if there are so many. */
static int64_t most_samples(const struct job *job, const struct dataset *ds) {
    int64_t n = 0;

    for (int i = 0; i < job->n_pictures; i++)
        n = job->picture[i].count > n ? job->picture[i].count : n;
    return n < dataset_len(ds) ? n : dataset_len(ds);
}

int gallery_init(struct gallery *g, const struct job *job, const struct feeds *feeds,
                 struct err *err) {
    const int64_t n = most_samples(job, feeds->validate.dataset);
    const struct loader_config config = {.dataset = feeds->validate.dataset,
                                         .pipeline = job->augment,
                                         .n_pipeline = job->n_augment,
                                         .seed = job->seed,
                                         .reduced = job->decodes_reduced,
                                         .max_batch = n,
                                         .workers = job->workers};
    struct pool pool = {0};
    int64_t *first = pool_take(&pool, (size_t)n * sizeof *first);
    int rc = loader_new(&g->loader, &config, err);

    for (int64_t i = 0; i < n; i++)
        first[i] = i;
    if (!rc) {
        loader_request(g->loader, first, NULL, n, 0);
        rc = loader_wait(g->loader, &g->samples, err);
    }
    pool_release(&pool);
    return rc;
}

void gallery_release(struct gallery *g) {
    loader_free(g->loader);
    *g = (struct gallery){0};
}

int gallery_draw(const struct gallery *g, const struct replica *r, int i, const char *folder,
                 int64_t step, char file[GALLERY_PATH], struct err *err) {
    const struct replica_picture *p = &r->picture[i];

    if (file_make_folders(folder, err))
        return -1;
    snprintf(file, GALLERY_PATH, "%s/%s_%08" PRId64 ".png", folder, p->job->name, step);
    return write_picture(p, g, file, err);
}
