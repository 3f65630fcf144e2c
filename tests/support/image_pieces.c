/* image_pieces OUT < LIST: pieces of pictures by image_decode_piece, for programs that compare
 * them. A line of LIST: path channels left top width height bound_left bound_top bound_width
 * bound_height out_width out_height mirrored reduced. OUT gets their bytes one after another;
 * stdout the processor's seconds for decoding and turning into normalised floats. */
#define _POSIX_C_SOURCE 200809L
#include "io/image/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct job {
    char path[512];
    int channels;
    struct image_piece piece;
    unsigned char *bytes, *out;
    size_t len;
};

static int fail(const char *text) {
    fprintf(stderr, "image_pieces: %s\n", text);
    return 1;
}

static int read_job(struct job *j) {
    struct image_piece *p = &j->piece;
    int mirrored, reduced;

    if (scanf("%511s %d %lf %lf %lf %lf %d %d %d %d %d %d %d %d", j->path, &j->channels, &p->left,
              &p->top, &p->width, &p->height, &p->bound_left, &p->bound_top, &p->bound_width,
              &p->bound_height, &p->out_width, &p->out_height, &mirrored, &reduced) != 14)
        return -1;
    p->mirrored = mirrored;
    p->reduced = reduced;
    FILE *file = fopen(j->path, "rb");
    if (!file)
        return -1;
    fseek(file, 0, SEEK_END);
    j->len = (size_t)ftell(file);
    rewind(file);
    j->bytes = malloc(j->len);
    j->out = malloc((size_t)p->out_width * (size_t)p->out_height * (size_t)j->channels);
    const size_t got = j->bytes ? fread(j->bytes, 1, j->len, file) : 0;
    fclose(file);
    if (!j->out || got != j->len)
        return -1;
    memset(j->out, 1, (size_t)p->out_width * (size_t)p->out_height * (size_t)j->channels);
    return 0;
}

static int run(struct job *job, int n) {
    struct image_room room = {0};
    struct err err = {0};
    int status = 0;

    for (int i = 0; i < n && !status; i++) {
        const struct image_piece *p = &job[i].piece;
        const enum image_mode mode = job[i].channels == 1 ? IMAGE_GREY : IMAGE_COLOUR;
        int width, height, channels;

        status =
            image_size(job[i].bytes, job[i].len, job[i].path, &width, &height, &channels, &err) ||
            image_decode_piece(job[i].bytes, job[i].len, job[i].path, mode, p, &room, job[i].out,
                               &err);
    }
    image_room_release(&room);
    return status ? fail(err.msg) : 0;
}

int main(int argc, char **argv) {
    struct job *job = malloc(sizeof *job);
    struct timespec a, b;
    int n = 0;

    while (job && !read_job(&job[n])) {
        n++;
        job = realloc(job, ((size_t)n + 1) * sizeof *job);
    }
    FILE *out = argc == 2 ? fopen(argv[1], "wb") : NULL;
    if (!job || !out || !n)
        return fail("expected a file to write and a list of pieces");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    if (run(job, n))
        return 1;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    printf("%.9f\n", (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec));
    for (int i = 0; i < n; i++)
        fwrite(job[i].out, (size_t)job[i].channels,
               (size_t)job[i].piece.out_width * (size_t)job[i].piece.out_height, out);
    return fclose(out) ? fail("cannot write") : 0;
}
