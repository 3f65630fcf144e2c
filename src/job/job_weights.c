/* job_weights.c - the keys of a [weights]. */
#include "job/kind.h"

#define AT(member) offsetof(struct job_weights, member)

static const char *const no_yes[] = {"false", "true", NULL};

static int read_rules(struct job *job, const struct key *key, const struct entry *entry,
                      bool arrows, struct renames *rules, struct err *err) {
    struct err inner = {0};

    if (rename_parse(rules, &job->pool, entry->value, arrows, &inner))
        return pos_error(err, entry->pos, "%s: %s", key->name, inner.msg);
    return 0;
}

static int read_renames(struct job *job, const struct key *key, const struct entry *entry, void *at,
                        struct err *err) {
    return read_rules(job, key, entry, true, at, err);
}

static int read_patterns(struct job *job, const struct key *key, const struct entry *entry,
                         void *at, struct err *err) {
    return read_rules(job, key, entry, false, at, err);
}

static const struct kind kind_file = {
    .name = "file",
    .form = "a path, relative to where the program is started",
    .read = kind_read_text,
};
static const struct kind kind_renames = {
    .name = "rules",
    .form = "`module ->, *.gamma -> *.weight`",
    .read = read_renames,
};
static const struct kind kind_patterns = {
    .name = "patterns",
    .form = "`fc, *.bias`",
    .read = read_patterns,
};

static const struct key keys[] = {
    {"file", &kind_file, AT(file), .missing = "key file, where they are",
     .help = "weights to begin with: a checkpoint (.h5) or .safetensors"},
    {"from", &kind_net, AT(from), .help = "the net in the file, if it has another name there"},
    {"rename", &kind_renames, AT(renames), .help = "names in the file that differ, OLD -> NEW"},
    {"skip", &kind_patterns, AT(skips), .help = "what stays as it was initialised"},
    {"partial", &kind_flag, AT(partial), "false", .words = no_yes,
     .help = "so does whatever the file lacks"},
    {0},
};

static int read_weights(struct job *job, const struct section *s, struct err *err) {
    struct job_weights *w = &job->weights[job->n_weights];

    if (job->n_weights == JOB_MAX_WEIGHTS)
        return pos_error(err, s->pos, "more than %d [weights]", JOB_MAX_WEIGHTS);
    *w = (struct job_weights){.section = s,
                              .net = s->name,
                              .rename = section_find(s, "rename"),
                              .skip = section_find(s, "skip")};
    if (keys_read(job, keys, s, w, err))
        return -1;
    job->n_weights++;
    return 0;
}

const struct job_section section_weights = {
    .kind = "weights",
    .help = "weights that a net begins with",
    .named = JOB_NEEDS_NAME,
    .holds = JOB_KEYS,
    .keys = keys,
    .read = read_weights,
};
