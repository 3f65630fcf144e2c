/* flip_bit.c - `dltrain train` on ranks of which one has a broken memory: after a step, one bit of
 * its replica is another one.
 *   FLIP="RANK STEP BIT NAME[, TENSOR]"  flip_bit JOB.ini ...
 * BIT is that of the last 32 of the tensor: 0 the lowest of a float, 22 the highest of its
 * fraction. It listens to the run as any sink does, and changes what it is only to look at. */
#include "cmd/jobargs.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flipper {
    struct sink sink;
    int64_t step; /* after which it flips */
    int bit;
    const char *name;
    bool done;
};

/* Flip it in the tensor of that name, if the span has it. */
static bool flip(const struct span *span, const char *name, int bit) {
    char text[512];

    for (int i = 0; i < span_n_pieces(span); i++) {
        const struct span_piece piece = span_piece(span, i);
        snprintf(text, sizeof text, "%s%s%s", span->name, piece.name ? ", " : "",
                 piece.name ? piece.name : "");
        if (strcmp(text, name))
            continue;
        ((unsigned char *)piece.data)[piece.bytes - 4 + (size_t)bit / 8] ^=
            (unsigned char)(1 << bit % 8);
        return true;
    }
    return false;
}

static void take(struct sink *sink, const struct event *e) {
    struct flipper *f = (struct flipper *)sink;

    if (e->kind != EVENT_STEP || e->progress->step != f->step)
        return;
    for (int i = 0; i < e->replica->n_spans; i++)
        f->done = f->done || flip(&e->replica->spans[i], f->name, f->bit);
    if (!f->done)
        fprintf(stderr, "dltrain: there is no %s\n", f->name);
}

static const struct sink_kind kind = {.take = take};

int main(int argc, char **argv) {
    struct flipper flipper = {.sink = {&kind}};
    struct sink *const list[] = {&flipper.sink};
    struct err err = {0};
    struct jobargs a;
    int rc = jobargs_init(&a, argc, argv, JOBARGS_RESUME, &err);

    if (!rc) {
        char *at = getenv("FLIP");
        const long rank = at ? strtol(at, &at, 10) : -1;
        flipper.step = at ? strtol(at, &at, 10) : 0;
        flipper.bit = at ? (int)strtol(at, &at, 10) : 0;
        flipper.name = at ? at + strspn(at, " ") : "";
        const struct sinks sinks = {list, comm_rank(a.comm) == rank};
        const struct train_options options = {
            .resume = a.resume, .threads = a.threads, .places = &a.places, .sinks = &sinks};
        rc = train(&a.job, &options, a.comm, &err);
    }
    jobargs_release(&a, &err);
    return rc ? (int)err.kind : 0;
}
