/* predict.h - dltrain predict in its parts: what is read, what is computed, what is written.
 * Private to cmd/predict*.c. */
#pragma once
#include "cmd/jobargs.h"
#include "core/base/pool.h"
#include "dist/gather.h"
#include "io/augment/augment.h"
#include "io/loader/loader.h"
#include "train/event.h"
#include "train/predictor.h"
#include "train/trained.h"
#include "train/windows.h"

#include <stdio.h>

/* The command line. */
struct predict_args {
    struct jobargs job; /* first */
    const char *out;    /* -o; NULL: standard output */
    const char *output; /* an expression, or NULL */
    const char *class;  /* of generated samples, or NULL */
    int64_t top, batch, count, seed;
    double overlap; /* of windows; < 0: none */
    double range[2];
    enum predictor_turns turns;
    bool whole, skip_broken, overlay, stretch;
};

/* What is predicted for: files, the rows of a dataset, or so many samples of noise. {0} is
 * releasable. */
struct predict_inputs {
    int64_t n;
    const char **path; /* [n] of files; NULL: there are none */
    const char **name; /* [n] below the folder that they were found in */
    const char *spec;  /* of a dataset, or NULL */
    char *texts;       /* that of all files, and room for the lists */
};

/* Find all inputs: rank 0 looks, and tells the others. Collective. Errors, the same on all ranks:
 * ERR_USAGE for inputs of two kinds; ERR_IO, ERR_DATA for what is not there or no picture. */
int predict_inputs_init(struct predict_inputs *in, const struct predict_args *a, struct err *err);
void predict_inputs_release(struct predict_inputs *in);

/* How an input is called in messages and results: its path, or "sample 17 of a.h5:test". In text.
 */
enum { PREDICT_NAME = 512 };

/* Where samples come from. */
struct predict_source {
    struct dataset *dataset; /* of files too; NULL: noise */
    struct loader *loader;   /* NULL: pictures of their own sizes, or noise */
    int field;               /* of the dataset, that the network reads */
    int labels;              /* of the dataset, beside it, of one class a sample; -1: none */
    const int32_t *label;    /* [n] of noise: the classes to generate; NULL: none are read */
    struct applied pipeline[AUGMENT_MAX];
    int n_pipeline;
    struct augment_fit fit;
    struct augment_source source; /* of a picture file, of any size */
    struct augment_plan seen;     /* of files that are brought to one size */
    int32_t *made;                /* `label` */
};

/* All that one rank has. */
struct predict {
    struct predict_args args;
    struct trained trained;
    struct meta_field *trained_on; /* [n_trained_on] in pool */
    int n_trained_on;
    struct field fields[LOADER_MAX_FIELDS]; /* likewise, as graphs know them */
    int n_fields;
    struct pool pool;
    struct predict_inputs inputs;
    struct predict_source source;
    struct predictor predictor;
    struct windows windows;  /* --window */
    struct predictor whole;  /* --whole: of pictures of the last size */
    struct shape whole_size; /* rank 0: there was none */
    struct shape given;      /* of one prediction, where all are alike */
    const struct sinks *sinks;
    struct predict_out *out;
    FILE *lines; /* of this rank's share of a batch */
    int64_t n_broken;
    const char **class_name; /* [n_classes] in pool; NULL: numbers */
    int n_classes;           /* that the output chooses from, or 0 */
};

/* Open what the samples are read from, once the predictor is there. Local. */
int predict_source_open(struct predict *p, struct err *err);
void predict_source_close(struct predict_source *s);

/* A picture file as numbers [height, width, channels] at its own size: *out is malloc'd. */
int predict_read_picture(const struct predict *p, int64_t i, float **out, struct shape *shape,
                         struct err *err);

/* One prediction. */
struct predicted {
    int64_t index;
    const float *values; /* [shape]; NULL: it could not be read */
    struct shape shape;
    int64_t label;     /* that the data has; -1: none */
    const char *error; /* why there are no values */
};

/* Predict everything, batch by batch, and write it down. Collective. Errors, the same on all ranks:
 * those of reading and writing; ERR_STOPPED. */
int predict_run(struct predict *p, struct err *err);

/* Plan --whole for pictures of that size, p->whole, which is kept for the next. */
int predict_suit_whole(struct predict *p, const struct shape *shape, struct err *err);

/* --- what is written --- */

enum predict_format { PREDICT_JSONL, PREDICT_CSV, PREDICT_H5, PREDICT_FOLDER };

struct predict_out {
    enum predict_format format;
    const char *path; /* of the file; of a folder's predictions.jsonl; NULL: standard output */
    const char *folder;
    int fd;        /* rank 0; 1 + the file's, 0: none is open */
    int64_t done;  /* samples that an earlier call has written */
    struct h5 *h5; /* rank 0 */
    struct h5_data *values, *classes, *labels;
    char *beside;                  /* what h5 is written to, at first */
    struct unfinished *unfinished; /* that file */
};

/* Which format does the command line ask for? Errors: ERR_USAGE. */
int predict_out_find(struct predict_out *o, struct predict *p, struct err *err);

/* Open it; with --resume find what is done. Collective. */
int predict_out_open(struct predict_out *o, struct predict *p, struct err *err);

/* This rank's bytes for one prediction, to p->lines; pictures of it to files. Errors: ERR_IO. */
int predict_out_take(struct predict *p, const struct predicted *v, struct err *err);

/* Rank 0: the bytes of all ranks for a batch, in order. */
int predict_out_write(struct predict_out *o, const struct predict *p, const void *bytes, size_t len,
                      struct err *err);

/* End it well: everything is there. Rank 0. */
int predict_out_finish(struct predict_out *o, const struct predict *p, struct err *err);
void predict_out_release(struct predict_out *o);

/* May it be written to: is nothing there but predictions of that format, and are pictures of the
 * folder none of the inputs? Rank 0. Errors: ERR_USAGE naming what would be lost. */
int predict_target_check(const struct predict_out *o, const struct predict *p, struct err *err);

/* The part of a name before its ending: its length. */
size_t predict_stem(const char *name);

/* A line of JSON or CSV; the first line of CSV. picture: of the prediction, or NULL. */
int predict_json(const struct predict *p, const struct predicted *v, const char *picture);
void predict_csv_header(const struct predict *p, FILE *to);
void predict_csv(const struct predict *p, const struct predicted *v);

/* Classes by their probabilities, the largest first: place[n], of most n. Returns how many. */
int predict_top(const struct predict *p, const float *probabilities, int *place, int n);

/* The class of a pixel, by its probabilities or as it is. */
int64_t predict_class_at(const struct predict *p, const float *values);
/* Pixels of a mask [shape], without channels. */
int64_t predict_pixels(const struct predict *p, const struct shape *shape);
const char *predict_class_name(const struct predict *p, int64_t class, char number[24]);

/* Write the mask or image of a prediction below the folder: *written is its name there, in `name`.
 * Errors: ERR_IO; ERR_DATA where it has no PNG. */
int predict_draw(struct predict *p, const struct predicted *v, char name[PREDICT_NAME],
                 struct err *err);

/* Has the prediction pixels to draw? */
bool predict_is_drawn(const struct predict *p);
