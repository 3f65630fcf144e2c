/* predictor.h - networks with their weights, and the expression over them that is predicted: what
 * the job measures (of logits the probabilities, of a regression its values), what it draws, or
 * what the user writes. Knows no files; one rank's. */
#pragma once
#include "train/replica.h"

/* What a prediction is of one sample. */
enum predictor_kind {
    PREDICT_CLASSES, /* [classes] probabilities */
    PREDICT_MASK,    /* [.., classes] of each pixel */
    PREDICT_INDICES, /* [..] classes as numbers, or one of them: argmax of the user's own */
    PREDICT_IMAGE,   /* [h, w, 1 or 3] to look at */
    PREDICT_VALUES,  /* whatever it is */
};

/* Turned copies of a sample, of whose predictions the mean is taken, turned back. */
enum predictor_turns {
    PREDICT_PLAIN,
    PREDICT_FLIP,  /* left and right exchanged: 2 copies */
    PREDICT_FLIPS, /* every dimension: 4 of pictures, 8 of volumes */
    PREDICT_ROT90, /* quarter turns: 4, of squares */
};

struct predictor_config {
    struct job *job;
    const struct field *fields; /* [n_fields] as the networks were trained on; copied */
    int n_fields;
    const char *output; /* an expression of the job language; NULL: found in the job */
    int64_t batch;      /* most samples at a time */
    int threads;
    const char *data_name; /* for messages */
    enum predictor_turns turns;
};

struct predictor {
    struct replica replica; /* validation of one sample at a time; what follows is its own */
    struct graph *graph;
    struct plan *plan;
    struct arena arena;
    int node;
    enum predictor_kind kind;
    bool binary;                 /* one channel, the probability of the second of two classes */
    const struct field *classes; /* the field whose classes they are, or NULL: of the replica */
    const struct field *input;   /* the field of numbers that is read; NULL: none */
    const struct field *label;   /* the field of classes that is read; NULL: none */
    const struct job_picture *picture; /* that it is drawn in, or NULL */
    struct shape sample;               /* of one prediction; rank 0: one number */
    int64_t batch;
    enum predictor_turns turns;
    float *turned, *sum; /* [batch, sample], where samples are turned */
    const char *what;    /* "softmax of logits in [validate]": for the user */
};

/* Find the output, plan and allocate; weights are to be loaded into p->replica. {0} before, to be
 * released on errors, too.
 * Errors: ERR_CONFIG with the place, or what to write where the job does not say what its output
 * is; ERR_IO for lack of memory. */
int predictor_init(struct predictor *p, const struct predictor_config *config, struct err *err);

/* The weights of another predictor of the same job. */
void predictor_copy_weights(struct predictor *p, const struct predictor *from);

/* Numbers of one prediction. */
int64_t predictor_len(const struct predictor *p);

/* Which of all predictions these are, for what is random in them. */
struct predictor_draw {
    uint64_t seed;
    int64_t first;
};

/* Predict n <= batch samples.
 *   input   [n, input->sample], borrowed until the next call; NULL where nothing is read
 *   labels  [n], likewise
 *   out     [n, sample]: probabilities, values, or numbers of classes */
void predictor_run(struct predictor *p, const float *input, const int32_t *labels, int64_t n,
                   const struct predictor_draw *draw, float *out);

/* {0} is fine. */
void predictor_release(struct predictor *p);
