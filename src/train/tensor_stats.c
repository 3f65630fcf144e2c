#include "train/tensor_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Cuts that do not depend on the threads, so that sums do not. */
enum { BLOCKS = 32 };

struct stats_block {
    int64_t finite, zeros, counts[STATS_BINS];
    double min, max, sum, squares; /* squares: of distances from the mean */
};

struct stats_room {
    struct stats_block block[BLOCKS];
    unsigned char *alive; /* [BLOCKS][channels] is any value of it not 0? */
};

struct job_of_threads {
    const float *v;
    int64_t n, row; /* elements; of a row, which is not cut: the channels, or 1 */
    bool by_channel;
    const struct tensor_stats *stats; /* for the second pass */
    struct stats_room *room;
};

struct stats_room *stats_room_new(int64_t channels) {
    struct stats_room *room = calloc(1, sizeof *room);

    if (room && !(room->alive = malloc((size_t)BLOCKS * (size_t)(channels + 1)))) {
        free(room);
        return NULL;
    }
    return room;
}

void stats_room_free(struct stats_room *room) {
    if (room)
        free(room->alive);
    free(room);
}

/* Where block b begins, in elements. */
static int64_t begin_of(const struct job_of_threads *j, int64_t b) {
    return j->n / j->row * b / BLOCKS * j->row;
}

static void look_at(const struct job_of_threads *j, struct stats_block *b, int64_t begin,
                    int64_t end) {
    *b = (struct stats_block){.min = HUGE_VAL, .max = -HUGE_VAL};
    for (int64_t i = begin; i < end; i++) {
        const double x = (double)j->v[i];
        if (!isfinite(x))
            continue;
        b->finite++;
        b->zeros += j->v[i] == 0;
        b->min = x < b->min ? x : b->min;
        b->max = x > b->max ? x : b->max;
        b->sum += x;
    }
}

static void find_alive(const struct job_of_threads *j, unsigned char *alive, int64_t begin,
                       int64_t end) {
    memset(alive, 0, (size_t)j->row);
    for (int64_t i = begin; i < end; i += j->row)
        for (int64_t c = 0; c < j->row; c++)
            alive[c] = (unsigned char)(alive[c] | (j->v[i + c] != 0));
}

static void first_pass(void *context, int64_t begin, int64_t end) {
    const struct job_of_threads *j = context;

    for (int64_t b = begin; b < end; b++) {
        look_at(j, &j->room->block[b], begin_of(j, b), begin_of(j, b + 1));
        if (j->by_channel)
            find_alive(j, j->room->alive + b * j->row, begin_of(j, b), begin_of(j, b + 1));
    }
}

static void second_pass(void *context, int64_t begin, int64_t end) {
    const struct job_of_threads *j = context;
    const double min = j->stats->min, mean = j->stats->mean, width = j->stats->max - min;
    const double scale = width > 0 ? STATS_BINS / width : 0;

    for (int64_t b = begin; b < end; b++)
        for (int64_t i = begin_of(j, b); i < begin_of(j, b + 1); i++) {
            const double x = (double)j->v[i];
            if (!isfinite(x))
                continue;
            const int bin = (int)((x - min) * scale);
            j->room->block[b].counts[bin < STATS_BINS ? bin : STATS_BINS - 1]++;
            j->room->block[b].squares += (x - mean) * (x - mean);
        }
}

static double dead_share(const struct job_of_threads *j) {
    int64_t dead = 0;

    for (int64_t c = 0; c < j->row; c++) {
        bool alive = false;
        for (int64_t b = 0; b < BLOCKS && !alive; b++)
            alive = j->room->alive[b * j->row + c];
        dead += !alive;
    }
    return (double)dead / (double)j->row;
}

void tensor_stats_of(const float *v, int64_t n, int64_t channels, struct stats_room *room,
                     struct team *team, struct tensor_stats *out) {
    struct job_of_threads j = {v, n, channels ? channels : 1, channels > 0, out, room};
    double min = HUGE_VAL, max = -HUGE_VAL, sum = 0, squares = 0;
    int64_t finite = 0, zeros = 0;

    team_run(team, BLOCKS, first_pass, &j);
    for (int b = 0; b < BLOCKS; b++) {
        const struct stats_block *block = &room->block[b];
        finite += block->finite, zeros += block->zeros, sum += block->sum;
        min = fmin(min, block->min), max = fmax(max, block->max);
    }
    *out = (struct tensor_stats){.n = n, .not_finite = n - finite, .dead = (double)NAN};
    out->min = finite ? min : (double)NAN;
    out->max = finite ? max : (double)NAN;
    out->mean = sum / (double)finite;
    out->zeros = (double)zeros / (double)n;
    if (channels && zeros && out->min >= 0)
        out->dead = dead_share(&j);
    if (finite)
        team_run(team, BLOCKS, second_pass, &j);
    for (int b = 0; b < BLOCKS; b++) {
        for (int i = 0; i < STATS_BINS; i++)
            out->counts[i] += room->block[b].counts[i];
        squares += room->block[b].squares;
    }
    out->std = sqrt(squares / (double)finite);
}
