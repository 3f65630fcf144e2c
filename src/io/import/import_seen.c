#include "io/import/import_seen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int import_read(const char *path, enum image_mode mode, const struct import_options *options,
                struct image *out, struct import_seen *seen, struct err *err) {
    const int status = options->unturned ? image_read_unturned(path, mode, out, err)
                                         : image_read(path, mode, out, err);

    *seen = (struct import_seen){.facts = status ? 0 : out->facts};
    if (seen->facts & IMAGE_FLAWED)
        memcpy(seen->flaw, out->flaw, sizeof seen->flaw);
    return status;
}

void import_facts_add(struct import_facts *facts, const struct import_seen *seen,
                      const char *path) {
    for (int i = 0; i < IMAGE_N_FACTS; i++) {
        if (!(seen->facts & 1U << i) || facts->n[i]++)
            continue;
        snprintf(facts->first[i], sizeof facts->first[i], "%.255s", path);
        if (1U << i == IMAGE_FLAWED)
            memcpy(facts->flaw, seen->flaw, sizeof facts->flaw);
    }
}

void import_facts_note(const struct import_facts *facts, const struct import_options *options,
                       struct import_result *result) {
    const struct {
        enum image_fact fact;
        const char *text;
    } texts[] = {
        {IMAGE_ORIENTED,
         options->encoded    ? "not upright as stored: whoever decodes them turns them as the "
                               "orientation tag says"
         : options->unturned ? "not upright as stored: left so, whatever the orientation tag says "
                               "(--orientation ignore)"
                             : "turned upright, as the orientation tag says (--orientation ignore "
                               "leaves images as stored)"},
        {IMAGE_FLAWED, "not quite by the rules of the format, but whole"},
        {IMAGE_DEEP, "of 16 bits a channel: divided by 257, to 8"},
        {IMAGE_TRANSPARENT, "transparent: laid on white (of masks the numbers stay)"},
        {IMAGE_FRAMES, "of several frames or pages: the first was taken"},
        {IMAGE_INKS, "in CMYK: became RGB, without the colour profile"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int bit = 0;

        while (1U << bit != texts[i].fact)
            bit++;
        if (!facts->n[bit])
            continue;
        import_note(result, "%lld %s %s; the first: %s%s%s", (long long)facts->n[bit],
                    facts->n[bit] == 1 ? "image" : "images", texts[i].text, facts->first[bit],
                    texts[i].fact == IMAGE_FLAWED ? ": " : "",
                    texts[i].fact == IMAGE_FLAWED ? facts->flaw : "");
    }
}

struct ballot {
    const char *const *path; /* [n] */
    unsigned char *channels; /* [n] */
};

static void look(void *context, int64_t begin, int64_t end) {
    struct ballot *b = context;

    for (int64_t i = begin; i < end; i++)
        b->channels[i] = (unsigned char)image_channels(b->path[i]);
}

int import_votes_add(struct import_votes *votes, const char *const *path, int64_t n,
                     struct team *team, struct err *err) {
    struct ballot b = {path, malloc((size_t)n + 1)};

    if (!b.channels)
        return err_set(err, ERR_IO, "out of memory for %lld images", (long long)n);
    team_run(team, n, look, &b);
    for (int64_t i = 0; i < n; i++) {
        votes->n_grey += b.channels[i] == 1;
        votes->n_colour += b.channels[i] == 3;
    }
    free(b.channels);
    return 0;
}

enum image_mode import_votes_mode(const struct import_votes *votes, const char *what,
                                  struct import_result *result) {
    const bool grey = votes->n_grey > votes->n_colour;
    const long long n = votes->n_grey + votes->n_colour;
    const long long most = grey ? votes->n_grey : votes->n_colour;

    if (most < n)
        import_note(result,
                    "%s%s%s: %lld of %lld images; %lld %s became %s (--grey and --colour decide "
                    "otherwise)",
                    what ? what : "", what ? ": " : "", grey ? "grey" : "colour", most, n, n - most,
                    n - most == 1 ? "other" : "others", grey ? "grey" : "coloured");
    return grey ? IMAGE_GREY : IMAGE_COLOUR;
}
