#include "io/import/encoded_finish.h"

#include "io/dataset/dataset_file.h"
#include "io/import/import_counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The columns of one group; owned. */
struct encoded_columns {
    int64_t *offset;
    int32_t *label;
    const char **sample;
    struct row_hash *rows;
};

static void columns_release(struct encoded_columns *c) {
    row_hash_free(c->rows);
    free(c->offset);
    free(c->label);
    free(c->sample);
}

/* Those samples of the split that are kept. */
static int fill(const struct encoded_state *s, int k, struct encoded_columns *c,
                struct encoded_group *group, struct err *err) {
    const struct encoded_part *part = &s->part[k];
    const struct encoded_source *source = s->source;
    const size_t n = (size_t)part->kept;
    int64_t row = 0;

    c->offset = calloc(n + 1, sizeof *c->offset);
    c->label = calloc(n + 1, sizeof *c->label);
    c->sample = calloc(n + 1, sizeof *c->sample);
    c->rows = row_hash_new(0);
    if (!c->offset || !c->label || !c->sample || !c->rows)
        return err_set(err, ERR_IO, "%s: out of memory", s->folder);
    for (int64_t i = 0; i < part->n; i++) {
        const struct encoded_entry *entry = &s->entry[part->begin + i];

        if (entry->len < 0)
            continue;
        if (row_hash_add_value(c->rows, entry->hash))
            return err_set(err, ERR_IO, "%s: out of memory", s->folder);
        c->label[row] = source->class(source->context, k, i);
        c->sample[row] = source->name(source->context, k, i);
        c->offset[row + 1] = c->offset[row] + entry->len;
        row++;
    }
    *group = (struct encoded_group){.name = source->split[k].name,
                                    .place = part->place,
                                    .bytes = part->bytes,
                                    .offset = c->offset,
                                    .label = c->label,
                                    .sample = c->sample,
                                    .n = row,
                                    .hash = part->hash,
                                    .rows = c->rows};
    return 0;
}

/* Grey or colour, as the options say or the most are. */
static int choose_channels(const struct encoded_state *s, const struct import_options *options,
                           struct import_result *result) {
    struct import_votes votes = {0};
    enum image_mode mode = options->mode;

    for (int64_t i = 0; i < s->n; i++) {
        votes.n_grey += s->entry[i].len >= 0 && s->entry[i].channels == 1;
        votes.n_colour += s->entry[i].len >= 0 && s->entry[i].channels == 3;
    }
    if (mode == IMAGE_AS_STORED)
        mode = import_votes_mode(&votes, NULL, result);
    return mode == IMAGE_GREY ? 1 : 3;
}

/* Of pixels scaled to 0 .. 1. A channel that never varies gets 1: dividing by it is harmless. */
static void statistics(const struct encoded_tally *t, struct encoded_frame *frame) {
    const double n = (double)(t->n_pixels ? t->n_pixels : 1);

    for (int c = 0; c < frame->channels; c++) {
        const int from = frame->channels == 1 ? 3 : c;
        const double mean = (double)t->sum[from] / n;
        const double variance = (double)t->squares[from] / n - mean * mean;

        frame->mean[c] = mean / 255;
        frame->std[c] = variance > 1e-6 ? sqrt(variance) / 255 : 1;
    }
}

static int write_file(struct encoded_state *s, const char *target, struct encoded_frame *frame,
                      struct err *err) {
    const int n = s->source->n_splits;
    struct encoded_columns *columns = calloc((size_t)n, sizeof *columns);
    struct encoded_group *group = calloc((size_t)n, sizeof *group);
    int status = 0;

    if (!columns || !group)
        status = err_set(err, ERR_IO, "%s: out of memory", target);
    for (int k = 0; k < n && !status; k++)
        status = fill(s, k, &columns[k], &group[k], err);
    frame->group = group;
    frame->n_groups = n;
    if (!status)
        status = encoded_frame_write(frame, s->frame_path, s->data_path, err);
    if (!status)
        status = dataset_file_rename(s->data_path, target, err);
    for (int k = 0; columns && k < n; k++)
        columns_release(&columns[k]);
    free(columns);
    free(group);
    return status;
}

/* What became of files that are no longer what they were. */
static void note_made(const struct encoded_state *s, const struct import_options *options,
                      struct import_result *result) {
    int64_t n[3] = {0};

    for (int64_t i = 0; i < s->n; i++)
        if (s->entry[i].len >= 0)
            n[s->entry[i].made % 3]++;
    if (n[1] + n[2])
        import_note(
            result,
            "%lld %s became smaller JPEGs of quality %d, their shorter side %d; %lld stay as "
            "they are",
            (long long)(n[1] + n[2]), n[1] + n[2] == 1 ? "image" : "images", options->quality,
            options->resize_short, (long long)n[0]);
    if (n[2])
        import_note(result, "%lld of them were PNG or other files and are JPEGs now",
                    (long long)n[2]);
}

/* All that is said of pictures, in the order of the file. */
static void note_facts(const struct encoded_state *s, const struct import_options *options,
                       struct import_result *result) {
    struct import_facts facts = {0};

    for (int k = 0; k < s->source->n_splits; k++)
        for (int64_t i = 0; i < s->part[k].n; i++) {
            const int64_t at = s->part[k].begin + i;
            struct import_seen seen = {.facts = s->entry[at].facts};

            if (s->entry[at].len < 0)
                continue;
            if (s->text[at])
                strncpy(seen.flaw, s->text[at], sizeof seen.flaw - 1);
            import_facts_add(&facts, &seen, s->source->name(s->source->context, k, i));
        }
    import_facts_note(&facts, options, result);
}

static int note_counts(const struct encoded_state *s, struct import_result *result,
                       struct err *err) {
    const struct encoded_source *source = s->source;
    int64_t *n = calloc((size_t)source->n_splits * (size_t)source->n_classes, sizeof *n);
    const char **name = calloc((size_t)source->n_splits, sizeof *name);
    const int status = n && name ? 0 : err_set(err, ERR_IO, "%s: out of memory", s->folder);

    for (int k = 0; k < source->n_splits && !status; k++) {
        name[k] = source->split[k].name;
        for (int64_t i = 0; i < s->part[k].n; i++)
            if (s->entry[s->part[k].begin + i].len >= 0)
                n[(int64_t)k * source->n_classes + source->class(source->context, k, i)]++;
    }
    if (!status)
        import_counts_note(&(struct import_counts){source->n_splits, source->n_classes, name,
                                                   source->class_name, n},
                           result);
    free(n);
    free(name);
    return status;
}

static int list_skipped(struct encoded_state *s, struct import_result *result, struct err *err) {
    for (int64_t i = 0; i < s->n; i++)
        result->n_skipped += s->entry[i].len < 0;
    if (!result->n_skipped)
        return 0;
    result->skipped = calloc((size_t)result->n_skipped, sizeof *result->skipped);
    if (!result->skipped)
        return err_set(err, ERR_IO, "%s: out of memory", s->folder);
    for (int64_t i = 0, n = 0; i < s->n; i++)
        if (s->entry[i].len < 0) {
            result->skipped[n++] = s->text[i];
            s->text[i] = NULL; /* the result's now */
        }
    return 0;
}

int encoded_finish(struct encoded_state *s, const char *target,
                   const struct import_options *options, struct import_result *result,
                   struct err *err) {
    struct encoded_frame frame = {.class_name = s->source->class_name,
                                  .n_classes = s->source->n_classes};

    for (int k = 0; k < s->source->n_splits; k++)
        if (!s->part[k].kept)
            return err_set(err, ERR_DATA, "%s: none of its %lld images can be read",
                           s->source->split[k].name, (long long)s->part[k].n);
    frame.channels = choose_channels(s, options, result);
    statistics(&s->tally, &frame);
    if (note_counts(s, result, err))
        return -1;
    note_facts(s, options, result);
    note_made(s, options, result);
    if (write_file(s, target, &frame, err))
        return -1;
    for (int k = 0; k < s->source->n_splits; k++) {
        result->n_images += s->part[k].kept;
        result->n_bytes += s->part[k].bytes;
    }
    result->n_splits = s->source->n_splits;
    result->n_classes = s->source->n_classes;
    const int status = list_skipped(s, result, err);
    encoded_state_remove(s);
    return status;
}
