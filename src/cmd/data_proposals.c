/* dltrain data proposals: regions of every picture, by selective search, as the field proposals. */
#include "cmd/data.h"
#include "cmd/data_pace.h"
#include "cmd/data_regions.h"
#include "cmd/options.h"
#include "core/base/parallel.h"
#include "io/dataset/dataset_file.h"
#include "io/h5/h5_copy.h"
#include "io/regions/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 5, PER_THREAD = 4, PATH = 512 };

struct proposals_args {
    int64_t n, seed, jobs;
    bool fast, quality;
};

static const struct option_spec specs[] = {
    {"n", OPTION_WHOLE, .offset = offsetof(struct proposals_args, n), .min = 1, .max = 100000},
    {"seed", OPTION_WHOLE, .offset = offsetof(struct proposals_args, seed), .min = 0,
     .max = INT64_MAX},
    {"jobs", OPTION_WHOLE, .offset = offsetof(struct proposals_args, jobs), .min = 1,
     .max = DATA_MOST_JOBS},
    {"fast", OPTION_FLAG, .offset = offsetof(struct proposals_args, fast)},
    {"quality", OPTION_FLAG, .offset = offsetof(struct proposals_args, quality)},
    {0},
};

/* Some pictures at a time, shared by threads. */
struct batch {
    struct search_options options;
    int64_t first, n;
    struct image *image; /* [room] */
    float *boxes, *rows; /* [room, n_boxes, 5], [room, n, 5] */
    struct err *err;     /* [room] */
    int64_t n_boxes;
};

/* Of all splits. */
struct proposing {
    struct dataset_file file; /* to write */
    struct h5 *from;
    struct team *team;
    struct batch batch;
    int64_t room;
    int64_t done, total; /* pictures */
    int64_t met, boxes;  /* of the split: boxes that a region meets by half, and all */
    int64_t regions;
};

static void search(void *context, int64_t begin, int64_t end) {
    struct batch *b = context;

    for (int64_t i = begin; i < end; i++) {
        const struct image *image = &b->image[i];
        struct search_options options = b->options;
        float *row = b->rows + i * options.most * NUMBERS;
        struct search_box *box;
        int64_t n;

        options.sample = (uint64_t)(b->first + i);
        if (regions_search(image->pixels, image->height, image->width, image->channels, &options,
                           &box, &n, &b->err[i]))
            continue;
        for (int64_t k = 0; k < options.most; k++, row += NUMBERS) {
            for (int j = 0; j < 4; j++)
                row[j] = k < n ? (float)box[k].at[j] : 0;
            row[4] = k < n ? 0 : -1;
        }
        free(box);
    }
}

static double iou(const float *a, const float *b) {
    const double w = fmin((double)a[2], (double)b[2]) - fmax((double)a[0], (double)b[0]);
    const double h = fmin((double)a[3], (double)b[3]) - fmax((double)a[1], (double)b[1]);
    const double shared = w > 0 && h > 0 ? w * h : 0;
    const double all = ((double)a[2] - (double)a[0]) * ((double)a[3] - (double)a[1]) +
                       ((double)b[2] - (double)b[0]) * ((double)b[3] - (double)b[1]) - shared;

    return all > 0 ? shared / all : 0;
}

static void count_met(struct proposing *p) {
    const struct batch *b = &p->batch;

    for (int64_t i = 0; i < b->n; i++) {
        const float *rows = b->rows + i * b->options.most * NUMBERS;
        for (int64_t k = 0; k < b->options.most; k++)
            p->regions += rows[k * NUMBERS + 4] >= 0;
        for (int64_t m = 0; m < b->n_boxes; m++) {
            const float *box = b->boxes + (i * b->n_boxes + m) * NUMBERS;
            double best = 0;
            if (box[4] < 0)
                continue;
            for (int64_t k = 0; k < b->options.most; k++)
                best = fmax(best, iou(box, rows + k * NUMBERS));
            p->boxes++;
            p->met += best >= 0.5;
        }
    }
}

static int propose_batch(struct proposing *p, struct region_split *s, struct h5_data *data,
                         struct err *err) {
    struct batch *b = &p->batch;
    int rc = region_split_read(s, b->first, b->n, b->image, b->boxes, NULL, err);

    memset(b->err, 0, (size_t)b->n * sizeof *b->err);
    if (!rc)
        team_run(p->team, b->n, search, b);
    for (int64_t i = 0; i < b->n; i++) {
        if (!rc && b->err[i].msg[0]) {
            *err = b->err[i];
            rc = -1;
        }
        image_release(&b->image[i]);
    }
    if (rc || h5_data_append(data, b->n, b->rows, err))
        return -1;
    count_met(p);
    p->done += b->n;
    data_show_progress(NULL, p->done, p->total);
    return 0;
}

static int batch_init(struct proposing *p, const struct region_split *s, struct err *err) {
    struct batch *b = &p->batch;
    const size_t room = (size_t)p->room;

    b->n_boxes = s->n_boxes;
    b->image = calloc(room, sizeof *b->image);
    b->err = calloc(room, sizeof *b->err);
    b->rows = malloc(room * (size_t)b->options.most * NUMBERS * sizeof(float));
    b->boxes = malloc((room * (size_t)b->n_boxes * NUMBERS + 1) * sizeof(float));
    return b->image && b->err && b->rows && b->boxes
               ? 0
               : err_set(err, ERR_IO, "no memory for %lld pictures at a time", (long long)room);
}

static void batch_release(struct batch *b) {
    free(b->image);
    free(b->err);
    free(b->rows);
    free(b->boxes);
    *b = (struct batch){.options = b->options};
}

/* The group with all that is in it but earlier proposals. */
static int copy_group(struct proposing *p, const char *group, struct err *err) {
    struct h5_list list;
    char path[PATH];
    int rc = 0;

    snprintf(path, sizeof path, "/%s", group);
    if (h5_group_create(p->file.h5, path, err) ||
        h5_copy_attrs(p->from, path, p->file.h5, path, (const char *const[]){NULL}, err) ||
        h5_list(p->from, path, &list, err))
        return -1;
    for (int i = 0; i < list.n && !rc; i++) {
        if (!strcmp(list.entry[i].name, "proposals"))
            continue;
        snprintf(path, sizeof path, "/%s/%s", group, list.entry[i].name);
        rc = h5_copy_object(p->from, path, p->file.h5, path, err);
    }
    h5_list_release(&list);
    return rc;
}

static int propose_split(struct proposing *p, const char *group, struct err *err) {
    const int64_t sample[] = {p->batch.options.most, NUMBERS};
    struct region_split s = {0};
    struct h5_data *data = NULL;
    char path[PATH];

    snprintf(path, sizeof path, "/%s/proposals", group);
    p->met = p->boxes = p->regions = 0;
    int rc = copy_group(p, group, err) || region_split_open(&s, h5_name(p->from), group, err) ||
                     batch_init(p, &s, err) ||
                     h5_data_create(&data, p->file.h5, path, H5_TYPE_F32, 3, sample, 0, err)
                 ? -1
                 : 0;
    const int64_t n = rc ? 0 : dataset_len(s.dataset);
    for (p->batch.first = 0; p->batch.first < n && !rc; p->batch.first += p->batch.n) {
        p->batch.n = n - p->batch.first < p->room ? n - p->batch.first : p->room;
        rc = propose_batch(p, &s, data, err);
    }
    h5_data_close(data);
    if (!rc)
        rc = h5_attr_write_text(p->file.h5, path, "kind", "boxes", err);
    if (!rc)
        printf("%s: %lld pictures, %.0f regions each", group, (long long)n,
               (double)p->regions / (double)n);
    if (!rc && p->boxes)
        printf("; of %lld boxes %.1f %% are met by a region (IoU of 0.5)", (long long)p->boxes,
               100 * (double)p->met / (double)p->boxes);
    if (!rc)
        putchar('\n');
    batch_release(&p->batch);
    region_split_release(&s);
    return rc;
}

/* How many pictures there are, and whether all groups have some: before anything is searched. */
static int look(struct proposing *p, const struct h5_list *list, struct err *err) {
    for (int i = 0; i < list->n; i++) {
        struct region_split s = {0};
        if (!list->entry[i].group)
            continue;
        const int rc = region_split_open(&s, h5_name(p->from), list->entry[i].name, err);
        if (!rc)
            p->total += dataset_len(s.dataset);
        region_split_release(&s);
        if (rc)
            return -1;
    }
    return 0;
}

static int propose(struct proposing *p, const char *to, struct err *err) {
    static const char *const but[] = {"dltrain_dataset", NULL};
    struct h5_list list = {0};
    int rc = region_splits(p->from, &list, err);

    if (!rc)
        rc = look(p, &list, err) || dataset_file_init(&p->file, to, err) ||
                     h5_copy_attrs(p->from, "/", p->file.h5, "/", but, err)
                 ? -1
                 : 0;
    for (int i = 0; i < list.n && !rc; i++) {
        char path[PATH];
        snprintf(path, sizeof path, "/%s", list.entry[i].name);
        rc = list.entry[i].group ? propose_split(p, list.entry[i].name, err)
                                 : h5_copy_object(p->from, path, p->file.h5, path, err);
    }
    h5_list_release(&list);
    return rc ? -1 : dataset_file_finish(&p->file, err);
}

int data_proposals(int argc, char **argv, struct err *err) {
    struct proposals_args args = {.n = 2000, .seed = 1, .jobs = data_default_jobs()};
    const int first = options_read(&args, specs, "data", argc, argv, err);
    struct proposing p = {0};

    if (first < 0)
        return -1;
    if (argc - first < 1 || argc - first > 2)
        return err_set(err, ERR_USAGE,
                       "data: proposals takes FILE.h5, and the file to write if it is another; see "
                       "dltrain help data");
    if (args.fast && args.quality)
        return err_set(err, ERR_USAGE, "data: proposals takes --fast or --quality, not both");
    p.batch.options = (struct search_options){
        .quality = args.quality, .most = args.n, .seed = (uint64_t)args.seed};
    p.room = PER_THREAD * args.jobs;
    int rc = h5_open(&p.from, argv[first], err) || team_new(&p.team, (int)args.jobs, err) ||
                     propose(&p, argv[argc - 1], err)
                 ? -1
                 : 0;
    team_free(p.team);
    dataset_file_release(&p.file);
    h5_close(p.from);
    return rc;
}
