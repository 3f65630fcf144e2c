#include "report/tensorboard.h"
#include "report/lost.h"
#include "core/base/clock.h"
#include "io/file/file.h"
#include "train/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers of fields: event.proto, summary.proto and tensor.proto of TensorFlow. */
enum {
    RECORD_WALL_TIME = 1,
    RECORD_AT = 2,
    RECORD_FILE_VERSION = 3,
    RECORD_SUMMARY = 5,
    RECORD_LOG = 7
};
enum { LOG_STATUS = 1, STATUS_START = 1 };
enum { SUMMARY_VALUE = 1 };
enum {
    POINT_TAG = 1,
    POINT_SIMPLE = 2,
    POINT_IMAGE = 4,
    POINT_HISTO = 5,
    POINT_TENSOR = 8,
    POINT_METADATA = 9
};
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_COLORSPACE = 3, IMAGE_ENCODED = 4, IMAGE_RGB = 3 };
enum { HISTO_MIN = 1, HISTO_MAX, HISTO_NUM, HISTO_SUM, HISTO_SQUARES, HISTO_LIMIT, HISTO_BUCKET };
enum { METADATA_PLUGIN = 1, PLUGIN_NAME = 1 };
enum { TENSOR_DTYPE = 1, TENSOR_SHAPE = 2, TENSOR_STRINGS = 8, DTYPE_STRING = 7 };
enum { SHAPE_DIM = 2, DIM_SIZE = 1 };

enum { TAG_TEXT = 512, PATH_TEXT = 1024, HOST_TEXT = 64 };

/* --- records --- */

static void begin_event(struct tensorboard *t, int64_t step, double time) {
    proto_clear(&t->event);
    proto_clear(&t->summary);
    proto_double(&t->event, RECORD_WALL_TIME, time);
    proto_int(&t->event, RECORD_AT, step);
}

static int append(struct tensorboard *t, struct err *err) {
    if (t->event.failed)
        return err_set(err, ERR_IO, "tensorboard: not enough memory for a record");
    return tfrecord_append(t->file, t->event.bytes, t->event.len, err);
}

/* The values that were added, if any. */
static void end_event(struct tensorboard *t) {
    struct err err = {0};

    if (!t->summary.len)
        return;
    proto_message(&t->event, RECORD_SUMMARY, &t->summary);
    lost_tell(&t->lost, append(t, &err), &err, "the record is lost", t->warn);
}

static void begin_value(struct tensorboard *t, const char *tag) {
    proto_clear(&t->value);
    proto_clear(&t->part);
    proto_text(&t->value, POINT_TAG, tag);
}

static void end_value(struct tensorboard *t) {
    proto_message(&t->summary, SUMMARY_VALUE, &t->value);
}

static void add_scalar(struct tensorboard *t, const char *group, const char *prefix,
                       const char *name, double value) {
    char tag[TAG_TEXT];

    snprintf(tag, sizeof tag, "%s/%s%s%s", group, prefix, prefix[0] ? "." : "", name);
    begin_value(t, tag);
    proto_float(&t->value, POINT_SIMPLE, (float)value);
    end_value(t);
}

/* The job's text, indented as Markdown wants what is to be shown as it is. */
static void add_text(struct tensorboard *t, const char *tag, const char *text) {
    begin_value(t, tag);
    proto_clear(&t->piece);
    for (const char *line = text; *line;) {
        const size_t len = strcspn(line, "\n");
        proto_raw(&t->piece, "    ", 4);
        proto_raw(&t->piece, line, len);
        proto_raw(&t->piece, "\n", 1);
        line += len + (line[len] == '\n');
    }
    struct proto dim = {0}, shape = {0}, plugin = {0};
    proto_int(&dim, DIM_SIZE, 1);
    proto_message(&shape, SHAPE_DIM, &dim);
    proto_int(&t->part, TENSOR_DTYPE, DTYPE_STRING);
    proto_message(&t->part, TENSOR_SHAPE, &shape);
    proto_message(&t->part, TENSOR_STRINGS, &t->piece);
    proto_message(&t->value, POINT_TENSOR, &t->part);
    proto_text(&plugin, PLUGIN_NAME, "text");
    proto_clear(&shape);
    proto_message(&shape, METADATA_PLUGIN, &plugin);
    proto_message(&t->value, POINT_METADATA, &shape);
    end_value(t);
    proto_release(&dim);
    proto_release(&shape);
    proto_release(&plugin);
}

/* --- the file --- */

static int create(struct tensorboard *t, const char *folder, struct err *err) {
    char path[PATH_TEXT], host[HOST_TEXT] = "";

    snprintf(path, sizeof path, "%s/tensorboard", folder);
    if (file_make_folders(path, err))
        return -1;
    gethostname(host, sizeof host - 1);
    snprintf(path, sizeof path, "%s/tensorboard/events.out.tfevents.%010lld.%s.%ld.0", folder,
             (long long)clock_utc(), host, (long)getpid());
    return tfrecord_create(&t->file, path, err);
}

/* Records of earlier files with this step or a later one do not count. */
static int begin_file(struct tensorboard *t, int64_t purge, struct err *err) {
    struct proto log = {0};

    begin_event(t, purge, clock_utc());
    proto_text(&t->event, RECORD_FILE_VERSION, "brain.Event:2");
    if (append(t, err))
        return -1;
    begin_event(t, purge, clock_utc());
    proto_int(&log, LOG_STATUS, STATUS_START);
    proto_message(&t->event, RECORD_LOG, &log);
    proto_release(&log);
    return append(t, err);
}

static int open_file(struct sink *sink, const struct event *start, struct err *err) {
    struct tensorboard *t = (struct tensorboard *)sink;

    if (!start->job->tensorboard)
        return 0;
    return create(t, start->folder, err) || begin_file(t, start->progress->step + 1, err) ? -1 : 0;
}

/* --- events --- */

/* At the first step of this process, so that one that begins again there replaces it. */
static void start(struct tensorboard *t, const struct event *e) {
    char *text = source_print(&e->job->source);

    if (!text)
        return;
    begin_event(t, e->progress->step + 1, clock_utc());
    add_text(t, "job/text_summary", text);
    end_event(t);
    free(text);
}

static void step(struct tensorboard *t, const struct event *e) {
    if (!e->step.logged)
        return;
    begin_event(t, e->progress->step, e->step.time);
    for (int i = 0; i < e->job->n_steps; i++) {
        if (!e->step.ran[i])
            continue;
        add_scalar(t, "train", e->job->step[i].name, "loss", e->step.loss[i]);
        add_scalar(t, "train", e->job->step[i].name, "lr", e->step.lr[i]);
    }
    add_scalar(t, "speed", "", "img_per_s", e->step.img_per_s);
    end_event(t);
}

static void validation(struct tensorboard *t, const struct event *e) {
    const char *name;
    double value;

    begin_event(t, e->progress->step, clock_utc());
    for (int i = 0; evaluate_measure(e->replica, i, &name, &value); i++)
        add_scalar(t, "validate", "", name, value);
    end_event(t);
}

/* Of a PNG, which begins with 8 bytes of its own, then the length and the name of IHDR. */
static int64_t size_of_png(const char *bytes, int which) {
    const unsigned char *at = (const unsigned char *)bytes + 16 + 4 * which;

    return (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static void picture(struct tensorboard *t, const struct event *e) {
    enum { LEAST = 24 };
    char tag[TAG_TEXT], *bytes;
    struct err err = {0};
    size_t len;

    if (file_read(e->picture.file, &bytes, &len, &err)) {
        sinks_warn(t->warn, "%s; the record is lost, training goes on", err.msg);
        return;
    }
    begin_event(t, e->progress->step, clock_utc());
    snprintf(tag, sizeof tag, "pictures/%s", e->picture.name);
    begin_value(t, tag);
    if (len >= LEAST) {
        proto_int(&t->part, IMAGE_HEIGHT, size_of_png(bytes, 1));
        proto_int(&t->part, IMAGE_WIDTH, size_of_png(bytes, 0));
    }
    proto_int(&t->part, IMAGE_COLORSPACE, IMAGE_RGB);
    proto_bytes(&t->part, IMAGE_ENCODED, bytes, len);
    proto_message(&t->value, POINT_IMAGE, &t->part);
    end_value(t);
    end_event(t);
    free(bytes);
}

/* One bucket where all numbers are equal: limits must grow. */
static void add_histogram(struct tensorboard *t, const struct event_tensor *tensor) {
    static const char *const groups[] = {[EVENT_WEIGHT] = "weights",
                                         [EVENT_GRADIENT] = "gradients",
                                         [EVENT_ACTIVATION] = "activations"};
    const struct tensor_stats *s = &tensor->stats;
    const double n = (double)(s->n - s->not_finite), width = (s->max - s->min) / STATS_BINS;
    const int bins = width > 0 ? STATS_BINS : 1;
    double limit[STATS_BINS], count[STATS_BINS];
    char tag[TAG_TEXT];

    for (int i = 0; i < bins; i++) {
        limit[i] = i + 1 < bins ? s->min + (i + 1) * width : s->max;
        count[i] = (double)s->counts[i];
    }
    snprintf(tag, sizeof tag, "%s/%s%s%s", groups[tensor->kind], tensor->net,
             tensor->net[0] ? "." : "", tensor->name);
    begin_value(t, tag);
    proto_double(&t->part, HISTO_MIN, s->min);
    proto_double(&t->part, HISTO_MAX, s->max);
    proto_double(&t->part, HISTO_NUM, n);
    proto_double(&t->part, HISTO_SUM, s->mean * n);
    proto_double(&t->part, HISTO_SQUARES, (s->std * s->std + s->mean * s->mean) * n);
    proto_doubles(&t->part, HISTO_LIMIT, limit, bins);
    proto_doubles(&t->part, HISTO_BUCKET, count, bins);
    proto_message(&t->value, POINT_HISTO, &t->part);
    end_value(t);
}

static void tensors(struct tensorboard *t, const struct event *e) {
    begin_event(t, e->progress->step, clock_utc());
    for (int i = 0; i < e->tensors.n; i++)
        if (e->tensors.item[i].there && isfinite(e->tensors.item[i].stats.mean))
            add_histogram(t, &e->tensors.item[i]);
    end_event(t);
}

/* The folder is made again; so is the file in it, and no earlier one is beside it. */
static void begin_again(struct tensorboard *t, const struct event *e) {
    struct err err = {0};

    tfrecord_close(t->file);
    t->file = NULL;
    if (create(t, e->folder, &err) || begin_file(t, 0, &err))
        sinks_warn(t->warn, "%s; training goes on", err.msg);
}

static void take(struct sink *sink, const struct event *e) {
    struct tensorboard *t = (struct tensorboard *)sink;

    if (t->file && e->kind == EVENT_FOLDER)
        begin_again(t, e);
    if (!t->file)
        return;
    if (e->kind == EVENT_START)
        start(t, e);
    else if (e->kind == EVENT_STEP)
        step(t, e);
    else if (e->kind == EVENT_VALIDATION)
        validation(t, e);
    else if (e->kind == EVENT_PICTURE)
        picture(t, e);
    else if (e->kind == EVENT_TENSORS)
        tensors(t, e);
}

static const struct sink_kind kind = {.open = open_file, .take = take};

void tensorboard_init(struct tensorboard *t, const struct sinks *warn) {
    *t = (struct tensorboard){.sink = {&kind}, .warn = warn};
}

void tensorboard_release(struct tensorboard *t) {
    tfrecord_close(t->file);
    proto_release(&t->event);
    proto_release(&t->summary);
    proto_release(&t->value);
    proto_release(&t->part);
    proto_release(&t->piece);
    *t = (struct tensorboard){0};
}
