#include "train/picture.h"
#include "io/dataset/dataset_marks.h"
#include "io/file/file.h"
#include "io/image/grid.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a tensor of `show` is to its picture. */
enum role { ROLE_NONE, ROLE_TILE, ROLE_BOXES, ROLE_MASKS };

/* Tensors of one tile, and what is drawn on it, follow each other. */
struct shown {
    enum role role;
    int64_t len;   /* numbers of a sample */
    float *values; /* [n, len] */
};

static const struct node *node_of(const struct replica_picture *p, int k) {
    return &p->graph->nodes[p->show[k]];
}

static bool is_image(const struct shape *s) {
    return s->rank == 4 && (s->dim[3] == 1 || s->dim[3] == 3);
}

/* Lists of boxes look like class maps, but hold no indices, and follow an image; masks follow a
 * list of as many boxes. */
static enum role role_of(const struct replica_picture *p, int k, enum role before) {
    const struct shape *s = &node_of(p, k)->plan.y;

    if (is_image(s))
        return ROLE_TILE;
    if (s->rank == 4)
        return before == ROLE_BOXES && s->dim[1] == node_of(p, k - 1)->plan.y.dim[1] ? ROLE_MASKS
                                                                                     : ROLE_NONE;
    if (s->rank != 3)
        return ROLE_NONE;
    if (node_of(p, k)->plan.y_kind == TENSOR_INDICES || s->dim[2] < MARK_REGION ||
        s->dim[2] > MARK_FOUND)
        return ROLE_TILE;
    for (int i = k - 1; i >= 0; i--)
        if (is_image(&node_of(p, i)->plan.y))
            return ROLE_BOXES;
    return ROLE_NONE;
}

int picture_check(const struct replica_picture *p, struct err *err) {
    enum role role = ROLE_NONE;

    for (int k = 0; k < p->n_show; k++) {
        const struct node *node = node_of(p, k);
        char text[SHAPE_TEXT];
        role = role_of(p, k, role);
        if (role == ROLE_NONE)
            return pos_error(err, node->pos,
                             "show: found a tensor %s, expected images [n, h, w, 1 or 3] or class "
                             "maps [n, h, w], as argmax(logits) gives; or, behind an image, boxes "
                             "[n, m, 4 to 6] and behind those masks [n, m, h, w]",
                             shape_text(&node->plan.y, text));
    }
    return 0;
}

static void copy_values(const struct tensor *y, int64_t len, float *values) {
    for (int64_t i = 0; i < len; i++)
        values[i] = y->kind == TENSOR_INDICES ? (float)y->indices[i] : (float)y->data[i];
}

/* What the graph gives for n samples from number `first` on. */
static void compute(const struct replica_picture *p, const struct gallery *g, int64_t first,
                    int64_t n, struct shown *shown) {
    const struct run_context context = {.first = first};
    const int n_fields = loader_n_fields(g->loader);
    struct field fields[LOADER_MAX_FIELDS];

    feed_graph_fields(loader_field(g->loader, 0), n_fields, fields);
    feed_point(p->plan, fields, n_fields, &g->samples, first);
    run_resize(p->plan, n);
    run_forward(p->plan, &context);
    for (int k = 0; k < p->n_show; k++)
        copy_values(&p->plan->nodes[p->show[k]].call.y, n * shown[k].len,
                    shown[k].values + first * shown[k].len);
}

/* Tiles of p->n_show tensors, with boxes and masks on them; mark has room for as many. */
static int lay_out(const struct replica_picture *p, const struct gallery *g,
                   const struct shown *shown, struct grid_tile *tile, struct marks *mark) {
    int n_tiles = 0, n_marks = 0;
    struct grid_tile *on = NULL; /* the last image */

    for (int k = 0; k < p->n_show; k++) {
        const struct shape *s = &node_of(p, k)->plan.y;
        if (shown[k].role == ROLE_MASKS) {
            mark[n_marks - 1].masks = shown[k].values;
            mark[n_marks - 1].mask_h = s->dim[2], mark[n_marks - 1].mask_w = s->dim[3];
        } else if (shown[k].role == ROLE_BOXES) {
            mark[n_marks] = (struct marks){.kind = (enum mark_kind)s->dim[2],
                                           .rows = shown[k].values,
                                           .count = s->dim[1],
                                           .picture_h = on->h,
                                           .picture_w = on->w,
                                           .least = p->job->score,
                                           .name = dataset_mark_name,
                                           .context = g->dataset};
            if (!on->n_marks++)
                on->marks = &mark[n_marks];
            n_marks++;
        } else {
            tile[n_tiles] = (struct grid_tile){.h = s->dim[1],
                                               .w = s->dim[2],
                                               .c = s->rank == 4 ? s->dim[3] : 0,
                                               .values = shown[k].values,
                                               .low = p->job->range[0],
                                               .high = p->job->range[1]};
            if (tile[n_tiles].c)
                on = &tile[n_tiles];
            n_tiles++;
        }
    }
    return n_tiles;
}

static int write_grid(const struct replica_picture *p, const struct gallery *g, const char *file,
                      int64_t n, const struct shown *shown, struct err *err) {
    struct pool pool = {0};
    struct grid_tile *tile = pool_take(&pool, (size_t)p->n_show * sizeof *tile);
    struct marks *mark = pool_take(&pool, (size_t)p->n_show * sizeof *mark);
    const int n_tiles = lay_out(p, g, shown, tile, mark);

    for (int i = 0; i < n_tiles; i++)
        if (!(tile[i].low < tile[i].high))
            grid_find_range(&tile[i], n);
    const int rc = grid_write(file, tile, n_tiles, n, p->job->columns, err);
    pool_release(&pool);
    return rc;
}

static int write_picture(const struct replica_picture *p, const struct gallery *g, const char *file,
                         struct err *err) {
    const int64_t n = g->samples.n < p->job->count ? g->samples.n : p->job->count;
    struct shown *shown = calloc((size_t)p->n_show, sizeof *shown);
    int rc = shown ? 0 : err_set(err, ERR_IO, "%s: no memory", file);

    for (int k = 0; !rc && k < p->n_show; k++) {
        struct shape sample = node_of(p, k)->plan.y;
        sample.dim[0] = 1;
        shown[k].role = role_of(p, k, k ? shown[k - 1].role : ROLE_NONE);
        shown[k].len = shape_len(&sample);
        shown[k].values = malloc((size_t)(n * shown[k].len) * sizeof(float));
        if (!shown[k].values)
            rc = err_set(err, ERR_IO, "%s: no memory for %lld samples", file, (long long)n);
    }
    for (int64_t first = 0; !rc && first < n; first += p->graph->batch) {
        const int64_t left = n - first;
        compute(p, g, first, left < p->graph->batch ? left : p->graph->batch, shown);
    }
    if (!rc)
        rc = write_grid(p, g, file, n, shown, err);
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
    g->dataset = feeds->validate.dataset;
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
