#include "job/job.h"
#include "job/kind.h"

#include <string.h>

#define AT(member) offsetof(struct job, member)

/* runs/NAME is made from it, so it is one plain folder name. */
static int read_name(struct job *job, const struct key *key, const struct entry *entry, void *at,
                     struct err *err) {
    const char *name = entry->value;

    if (!*name || strchr(name, '/') || name[0] == '.')
        return pos_error(err, entry->pos, "%s: found '%s', expected a folder's name", key->name,
                         name);
    return kind_read_text(job, key, entry, at, err);
}

static const struct kind kind_name = {
    .name = "name",
    .form = "a plain folder name, without `/`",
    .read = read_name,
};
static const struct kind kind_folder = {
    .name = "folder",
    .form = "a path, relative to where the program is started",
    .read = kind_read_text,
};
static const struct kind kind_files = {
    .name = "files",
    .form = "paths relative to the file at hand, with blanks between them",
};

static const struct key keys[] = {
    {"name", &kind_name, AT(name), .absent = "the file's name", .help = "names the run: runs/NAME"},
    {"include", &kind_files, .help = "job files to read first"},
    {"model", &kind_net, AT(model), .help = "what `model` stands for"},
    {"epochs", &kind_number, AT(epochs), .min = ARG_ABOVE_0, .max = 1e9, .unit = "epochs",
     .help = "length of the job"},
    {"steps", &kind_whole, AT(steps), .min = 1, .unit = "steps",
     .help = "length of the job instead of epochs"},
    {"seed", &kind_whole, AT(seed), "1", .help = "all randomness follows from it"},
    {"output", &kind_folder, AT(output), "runs", .help = "where the run's folder is made"},
    {"threads", &kind_int, AT(threads), .absent = "cores / ranks", .min = 1, .max = 1024,
     .help = "threads of each rank"},
    {0},
};

static int read_job(struct job *job, const struct section *s, struct err *err) {
    const char *slash = strrchr(job->path, '/'), *stem = slash ? slash + 1 : job->path;
    const char *dot = strrchr(stem, '.');

    job->name = pool_copy(&job->pool, stem, dot ? (size_t)(dot - stem) : strlen(stem));
    return keys_read(job, keys, s, job, err);
}

const struct job_section section_job = {
    .kind = "job",
    .help = "the job as a whole",
    .holds = JOB_KEYS,
    .keys = keys,
    .read = read_job,
};

static int read_section(struct job *job, const struct job_section *kind, const struct section *s,
                        struct err *err) {
    if (kind->read)
        return kind->read(job, s, err);
    return kind->keys ? keys_read(job, kind->keys, s, job, err) : 0;
}

/* Sections that there is one of come first: the others look at what they say. */
static int read_sections(struct job *job, struct err *err) {
    const struct source *source = &job->source;
    const struct job_section *kind;

    for (int i = 0; (kind = job_section_at(i)); i++)
        if (kind->named == JOB_NO_NAME &&
            read_section(job, kind, source_find(source, kind->kind, ""), err))
            return -1;
    for (int i = 0; i < source->n_sections; i++) {
        kind = job_section_find(source->sections[i].kind);
        if (kind->named != JOB_NO_NAME && read_section(job, kind, &source->sections[i], err))
            return -1;
    }
    return 0;
}

/* What the source says, as numbers. */
static int check(struct job *job, struct err *err) {
    job->step_keys = keys_plain(&job->pool, section_step.keys);
    job->validate_keys = keys_plain(&job->pool, section_validate.keys);
    job->picture_keys = keys_plain(&job->pool, section_picture.keys);
    return job_check_keys(job, err) || read_sections(job, err) ? -1 : 0;
}

int job_read(struct job *job, const char *path, const char *const *sets, int n_sets,
             struct err *err) {
    return job_read_files(job, path, NULL, sets, n_sets, err);
}

int job_read_files(struct job *job, const char *path, struct source_files *files,
                   const char *const *sets, int n_sets, struct err *err) {
    *job = (struct job){.path = path};
    if (source_read_files(&job->source, path, files, sets, n_sets, job_all_keys(&job->pool), err))
        return -1;
    return check(job, err);
}

int job_read_text(struct job *job, const char *name, const char *text, const char *const *sets,
                  int n_sets, struct err *err) {
    *job = (struct job){.path = name};
    if (source_read_text(&job->source, name, text, sets, n_sets, job_all_keys(&job->pool), err))
        return -1;
    return check(job, err);
}

void job_release(struct job *job) {
    pool_release(&job->pool);
    source_release(&job->source);
    *job = (struct job){0};
}
