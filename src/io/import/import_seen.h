/* import_seen.h - how importers read pictures, and what they say of them once all are read. */
#pragma once
#include "core/base/parallel.h"
#include "io/import/import.h"

/* What is kept of one picture. */
struct import_seen {
    unsigned facts; /* of enum image_fact */
    char flaw[80];
};

/* What is to be said of all. {0}: nothing. */
struct import_facts {
    int64_t n[IMAGE_N_FACTS];
    char first[IMAGE_N_FACTS][256]; /* the path of the first such picture */
    char flaw[80];                  /* the first one's */
};

/* Read a picture, upright unless the options leave it as it is stored. Local to a thread.
 * Errors: those of image_read. */
int import_read(const char *path, enum image_mode mode, const struct import_options *options,
                struct image *out, struct import_seen *seen, struct err *err);

/* Count a picture, in the order of the files. */
void import_facts_add(struct import_facts *facts, const struct import_seen *seen, const char *path);

/* A note for each fact of which there were pictures. */
void import_facts_note(const struct import_facts *facts, const struct import_options *options,
                       struct import_result *result);

/* How many pictures are grey as stored, and how many in colour, by their headers; those without one
 * that can be read have no vote. */
struct import_votes {
    int64_t n_grey, n_colour;
};

/* Read the headers of path[n]. Errors: ERR_IO without memory. */
int import_votes_add(struct import_votes *votes, const char *const *path, int64_t n,
                     struct team *team, struct err *err);

/* What the most are, colour where both are as many; noted where they are not all alike. `what`: the
 * field, where a file has several of images; or NULL. */
enum image_mode import_votes_mode(const struct import_votes *votes, const char *what,
                                  struct import_result *result);
