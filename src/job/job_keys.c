/* job_keys.c - the sections and keys that a job may have. */
#include "job/job.h"
#include "core/base/nearest.h"
#include "core/learn/optim.h"
#include "core/ops/op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct job_key job_keys[] = {
    {"job", "name", "text = the file's name", "names the run: runs/NAME"},
    {"job", "include", "files", "job files to read first, relative to this one"},
    {"job", "model", "net", "what `model` stands for, as in resnet20(classes=10)"},
    {"job", "epochs", "number", "length of the job; fractions are allowed"},
    {"job", "steps", "number", "length of the job instead of epochs"},
    {"job", "seed", "number = 1", "all randomness follows from it"},
    {"job", "output", "folder = runs", "where the run's folder is made"},
    {"job", "threads", "number = processors / ranks", "threads of each rank"},
    {"data", "train", "FILE.h5:GROUP", "samples to train on"},
    {"data", "validate", "FILE.h5:GROUP", "samples to validate on"},
    {"data", "augment", "pipeline = image", "what happens to each image"},
    {"data", "batch", "number = 128", "samples of one step, of all ranks together"},
    {"data", "accumulate", "number = 1", "parts that a batch is computed in, to save memory"},
    {"data", "sampling", "shuffle | balanced = shuffle", "balanced: each class equally often"},
    {"data", "image", "[h, w, c]", "what the network sees, for show and bench without the data"},
    {"data", "fields", "names with sizes", "other fields likewise: mask 256x256, a 64x64x3"},
    {"data", "cache", "number = 1024", "MiB of images that each rank keeps in memory at most"},
    {"weights", "file", "FILE", "weights to begin with: a checkpoint (.h5) or .safetensors"},
    {"weights", "from", "net", "the net in the file, if it has another name there"},
    {"weights", "rename", "OLD -> NEW, ...",
     "names in the file that differ: module ->, fc -> head"},
    {"weights", "skip", "parts", "what stays as it was initialised: fc, *.bias"},
    {"weights", "partial", "true | false = false", "so does whatever the file lacks"},
    {"step", "train", "nets", "the nets that this step updates"},
    {"step", "optimizer", "optimizer", "how they are updated, as in sgd(lr=0.1, momentum=0.9)"},
    {"step", "freeze", "nets, parts", "they stay as they are: model, model.layer1"},
    {"step", "lr_scale", "parts with numbers", "factors of the learning rate: model.fc 10"},
    {"step", "ema", "number = none", "decay of an average of the weights, which is validated"},
    {"step", "clip_weights", "number = none", "largest magnitude of a weight"},
    {"step", "every", "number = 1", "run in every so-many-th step of the job"},
    {"step", "clip_norm", "number = none", "largest norm of all gradients of the step"},
    {"step", "clip_value", "number = none", "largest magnitude of a gradient"},
    {"validate", "every", "interval = 1 epoch", "how often"},
    {"validate", "best", "statement", "the measure that decides which weights are the best"},
    {"validate", "batch", "number = [data] batch", "samples at a time, of all ranks together"},
    {"validate", "on", "all | rank0 = all", "who computes"},
    {"validate", "patience", "number = none", "validations without a new best before the job ends"},
    {"picture", "show", "tensors", "images, or class maps as colours: fake, argmax(logits)"},
    {"picture", "count", "number = 64", "samples: the first of the validation set"},
    {"picture", "columns", "number = as fits", "samples in a row"},
    {"picture", "range", "[black, white]", "values of both; least and largest if not given"},
    {"checkpoint", "last", "interval = 1 epoch", "how often last.h5 is replaced"},
    {"checkpoint", "every", "interval = never", "how often a checkpoint of its own is kept"},
    {"checkpoint", "best", "true | false = true", "keep the best weights in best.h5"},
    {"dist", "allreduce", "algorithm = ring", "how gradients are summed over ranks"},
    {"dist", "audit", "number = 0",
     "steps between comparisons of what ranks hold; always before validating and saving"},
    {"dist", "bucket", "number = 4", "MiB of gradients that are sent at a time"},
    {"log", "every", "number = 10", "steps between lines of metrics.jsonl"},
    {"run", "fusion", "on | off = on", "compute chains as conv | bn | relu in one pass"},
    {"run", "winograd", "on | off = on", "3x3 convolutions with fewer products, by transforms"},
    {0},
};

const char *const job_step_keys[] = {
    "train",        "optimizer", "every",  "clip_norm", "clip_value",
    "clip_weights", "ema",       "freeze", "lr_scale",  NULL};
const char *const job_picture_keys[] = {"count", "columns", "range", NULL};
const char *const job_validate_keys[] = {"every", "best", "batch", "on", "patience", NULL};

static const char *nearest_key(const struct section *s, const struct entry *entry) {
    const char *keys[64];
    int n = 0;

    for (const struct job_key *k = job_keys; k->section && n < 64; k++)
        if (!strcmp(k->section, s->kind))
            keys[n++] = k->key;
    return nearest(entry->key, keys, n);
}

/* 1, 2 epochs, sgd(lr=0.1): what a key holds and a statement does not. */
static bool is_plain(const char *value) {
    char *end, word[64] = "";

    (void)strtod(value, &end);
    if (end != value)
        return !end[strspn(end, " \tabcdefghijklmnopqrstuvwxyz")];
    return sscanf(value, "%63[a-z0-9_]", word) == 1 && optim_find(word);
}

/* Among the statements of [step] and [validate]: the value of a key under almost its name, as in
 * clip_nrm = 1. Any other name is a statement's. */
static bool is_misspelt(const struct section *s, const struct entry *entry) {
    const char *key = nearest_key(s, entry);

    return key && strcmp(key, entry->key) && is_plain(entry->value);
}

static int unknown_key(const struct section *s, const struct entry *entry, struct err *err) {
    const char *near = nearest_key(s, entry);

    return pos_error(err, entry->key_pos, "[%s] has no key '%s'%s%s%s", s->kind, entry->key,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bool is_key(const char *section, const char *key) {
    for (const struct job_key *k = job_keys; k->section; k++)
        if (!strcmp(k->section, section) && !strcmp(k->key, key))
            return true;
    return false;
}

/* What a section may be. */
struct section_kind {
    const char *kind;
    enum { NO_NAME, MAY_HAVE_NAME, NEEDS_NAME } named;
    enum { STATEMENTS, KEYS, KEYS_AND_STATEMENTS } holds;
    bool is_word; /* its name is one of the language's */
};

static const struct section_kind kinds[] = {
    {"job", NO_NAME, KEYS, false},
    {"let", NO_NAME, STATEMENTS, false},
    {"net", NEEDS_NAME, STATEMENTS, true},
    {"block", NEEDS_NAME, STATEMENTS, true},
    {"data", NO_NAME, KEYS, false},
    {"weights", NEEDS_NAME, KEYS, false},
    {"step", MAY_HAVE_NAME, KEYS_AND_STATEMENTS, false},
    {"validate", NO_NAME, KEYS_AND_STATEMENTS, false},
    {"picture", NEEDS_NAME, KEYS_AND_STATEMENTS, false},
    {"checkpoint", NO_NAME, KEYS, false},
    {"dist", NO_NAME, KEYS, false},
    {"log", NO_NAME, KEYS, false},
    {"run", NO_NAME, KEYS, false},
};

static const struct section_kind *find_kind(const struct section *s, struct err *err) {
    enum { N_KINDS = sizeof kinds / sizeof *kinds };
    const char *names[N_KINDS];

    for (int i = 0; i < N_KINDS; i++) {
        names[i] = kinds[i].kind;
        if (!strcmp(kinds[i].kind, s->kind))
            return &kinds[i];
    }
    const char *near = nearest(s->kind, names, N_KINDS);
    pos_error(err, s->pos, "unknown section [%s]%s%s%s", s->kind, near ? "; did you mean [" : "",
              near ? near : "", near ? "]?" : "");
    return NULL;
}

static int check_name(const struct section *s, const struct section_kind *kind, struct err *err) {
    if (kind->named == NEEDS_NAME && !s->name[0])
        return pos_error(err, s->pos, "[%s] needs a name", s->kind);
    if (kind->named == NO_NAME && s->name[0])
        return pos_error(err, s->pos, "[%s] takes no name", s->kind);
    if (kind->is_word && op_find(s->name))
        return pos_error(err, s->pos,
                         "[%s %s] has the name of an operator, which is what its uses would mean",
                         s->kind, s->name);
    return 0;
}

int job_check_keys(const struct job *job, struct err *err) {
    for (int i = 0; i < job->source.n_sections; i++) {
        const struct section *s = &job->source.sections[i];
        const struct section_kind *kind = find_kind(s, err);
        if (!kind || check_name(s, kind, err))
            return -1;
        for (int k = 0; k < s->n_entries; k++)
            if ((kind->holds == KEYS && !is_key(s->kind, s->entries[k].key)) ||
                (kind->holds == KEYS_AND_STATEMENTS && is_misspelt(s, &s->entries[k])))
                return unknown_key(s, &s->entries[k], err);
    }
    return 0;
}
