/* job_picture.c - the keys of a [picture]. */
#include "job/kind.h"

#define AT(member) offsetof(struct job_picture, member)

enum { MOST_TILES = 4096 };

static const struct kind kind_tensors = {
    .name = "tensors",
    .form = "one or several tensors: `image, argmax(model(image))`",
    .is_statement = true,
};

static const struct key keys[] = {
    {"show", &kind_tensors, .missing = "key show, the tensors to draw",
     .help = "images, or class maps as colours; boxes and masks on the image before them"},
    {"count", &kind_int, AT(count), "64", .min = 1, .max = MOST_TILES, .unit = "samples",
     .help = "the first of the validation set"},
    {"columns", &kind_int, AT(columns), .absent = "as fits", .min = 1, .max = MOST_TILES,
     .unit = "samples", .help = "in a row"},
    {"range", &kind_range, AT(range), .absent = "least and largest",
     .help = "values of black and white"},
    {"score", &kind_number, AT(score), "0.3", .min = 0, .max = 1,
     .help = "of boxes that were found: worse ones are not drawn"},
    {0},
};

static int read_picture(struct job *job, const struct section *s, struct err *err) {
    struct job_picture *picture = &job->picture[job->n_pictures];

    if (job->n_pictures == JOB_MAX_PICTURES)
        return pos_error(err, s->pos, "more than %d pictures", JOB_MAX_PICTURES);
    *picture = (struct job_picture){.section = s, .name = s->name};
    if (keys_read(job, keys, s, picture, err))
        return -1;
    if (!job->validate)
        return pos_error(err, s->pos,
                         "[picture %s] is drawn at every validation, but there is no [validate]",
                         s->name);
    job->n_pictures++;
    return 0;
}

const struct job_section section_picture = {
    .kind = "picture",
    .help = "samples drawn at every validation",
    .named = JOB_NEEDS_NAME,
    .holds = JOB_KEYS_AND_STATEMENTS,
    .keys = keys,
    .read = read_picture,
};
