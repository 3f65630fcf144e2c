#include "core/ops/parts/binary.h"

#include <string.h>

/* Elements per stretch: a row of temporary numbers fits the first-level cache. Stretches of
 * gradients that are summed into fewer numbers go by ranges that no team changes. */
enum { STRETCH = 512, SUM_RANGES = 16 };

/* y and both operands as nested loops; dimensions that are walked alike are merged. Steps in
 * elements, 0 where an operand is repeated. */
struct binary_walk {
    int rank;
    int64_t dim[SHAPE_MAX_RANK], step[2][SHAPE_MAX_RANK];
};

static bool is_number(const struct shape *s) {
    return s->rank == 1 && s->dim[0] == 1;
}

/* s with as many dimensions as y has; false where that cannot be. */
static bool stretched(const struct shape *s, int rank, struct shape *out) {
    *out = (struct shape){rank, {0}};
    for (int i = 0; i < rank; i++)
        out->dim[i] = 1;
    if (s->rank == rank) {
        *out = *s;
    } else if (s->rank == 2) {
        out->dim[0] = s->dim[0];
        out->dim[rank - 1] = s->dim[1];
    }
    return s->rank == rank || s->rank == 2 || is_number(s);
}

int binary_plan(const char *name, const struct shape *x, struct op_plan *plan, struct err *err) {
    const int rank = x[0].rank > x[1].rank ? x[0].rank : x[1].rank;
    struct shape a, b;
    bool fits = stretched(&x[0], rank, &a) && stretched(&x[1], rank, &b);

    plan->y = (struct shape){rank, {0}};
    for (int i = 0; fits && i < rank; i++) {
        fits = a.dim[i] == b.dim[i] || a.dim[i] == 1 || b.dim[i] == 1;
        plan->y.dim[i] = a.dim[i] == 1 ? b.dim[i] : a.dim[i];
    }
    if (!fits) {
        char text[2][SHAPE_TEXT];

        return err_set(err, ERR_CONFIG, "%s: shapes %s and %s do not match", name,
                       shape_text(&x[0], text[0]), shape_text(&x[1], text[1]));
    }
    int64_t largest = 0; /* operand that is summed over samples */
    for (int i = 0; i < 2; i++)
        if (shape_len(&x[i]) < shape_len(&plan->y) && shape_len(&x[i]) > largest)
            largest = shape_len(&x[i]);
    plan->scratch_bytes = SUM_RANGES * (size_t)largest * sizeof(act);
    plan->flops = (double)shape_len(&plan->y);
    return 0;
}

static struct binary_walk walk_of(const struct op_call *c) {
    const struct shape *y = &c->y.shape;
    int64_t step[2][SHAPE_MAX_RANK];
    struct binary_walk w = {0};

    for (int operand = 0; operand < 2; operand++) {
        struct shape s;
        int64_t len = 1;

        stretched(&c->x[operand].shape, y->rank, &s);
        for (int i = y->rank - 1; i >= 0; i--) {
            step[operand][i] = s.dim[i] == 1 ? 0 : len;
            len *= s.dim[i];
        }
    }
    for (int i = 0; i < y->rank; i++) {
        if (y->dim[i] == 1 && (w.rank || i < y->rank - 1))
            continue;
        const int last = w.rank - 1;
        if (w.rank && w.step[0][last] == step[0][i] * y->dim[i] &&
            w.step[1][last] == step[1][i] * y->dim[i]) {
            w.dim[last] *= y->dim[i];
            w.step[0][last] = step[0][i], w.step[1][last] = step[1][i];
        } else {
            w.dim[w.rank] = y->dim[i];
            w.step[0][w.rank] = step[0][i], w.step[1][w.rank] = step[1][i];
            w.rank++;
        }
    }
    return w;
}

/* Where operand `operand` is at element i of y. */
static int64_t place(const struct binary_walk *w, int operand, int64_t i) {
    int64_t at = 0;

    for (int d = w->rank - 1; d >= 0; d--) {
        at += i % w->dim[d] * w->step[operand][d];
        i /= w->dim[d];
    }
    return at;
}

/* The stretch from element i of y to the end of the innermost loop, to `end` or STRETCH. */
static struct binary_row row_at(const struct op_call *c, const struct binary_walk *w, int64_t i,
                                int64_t end) {
    const int inner = w->rank - 1;
    int64_t len = w->dim[inner] - i % w->dim[inner];

    len = len < end - i ? len : end - i;
    len = len < STRETCH ? len : STRETCH;
    return (struct binary_row){c->x[0].data + place(w, 0, i), c->x[1].data + place(w, 1, i),
                               w->step[0][inner], w->step[1][inner], len};
}

struct binary_task {
    const struct op_call *c;
    const struct binary *f;
    struct binary_walk walk;
    int operand;
    int64_t block; /* elements of y that belong to one sum */
    act *into;     /* gradient of the operand, or partial sums [SUM_RANGES, its length] */
    bool put;      /* into is overwritten, or holds nothing yet */
};

static void forward_part(void *context, int64_t begin, int64_t end) {
    const struct binary_task *job = context;

    for (int64_t i = begin; i < end;) {
        const struct binary_row row = row_at(job->c, &job->walk, i, end);

        job->f->value(&row, job->c->y.data + i);
        i += row.len;
    }
}

static void forward_of_means(const struct binary_task *job) {
    const struct tensor *x = job->c->x;

    for (int64_t i = 0; i < shape_len(&job->c->y.shape); i++)
        job->c->y.reals[i] = (real)job->f->of_means((double)x[0].reals[place(&job->walk, 0, i)],
                                                    (double)x[1].reals[place(&job->walk, 1, i)]);
}

void binary_forward(const struct binary *f, const struct op_call *c) {
    struct binary_task job = {.c = c, .f = f, .walk = walk_of(c)};

    if (c->y.kind == TENSOR_REALS) {
        forward_of_means(&job);
        return;
    }
    team_run(c->team, shape_len(&c->y.shape), forward_part, &job);
}

/* Add the gradient of elements [begin, end) of y, or put it where they are as many as those of x.
 */
static void add_part(const struct binary_task *job, act *into, bool put, int64_t begin,
                     int64_t end) {
    act tmp[STRETCH];

    for (int64_t i = begin; i < end;) {
        const struct binary_row row = row_at(job->c, &job->walk, i, end);
        const act *restrict g = job->f->pull_back(&row, job->operand, job->c->dy.data + i, tmp);
        act *restrict to = into + place(&job->walk, job->operand, i);

        if (put) { /* dx may be dy */
            memmove(to, g, (size_t)row.len * sizeof(act));
        } else if (job->operand ? row.step_b : row.step_a) {
            for (int64_t k = 0; k < row.len; k++)
                to[k] += g[k];
        } else {
            double sum = 0;

            for (int64_t k = 0; k < row.len; k++)
                sum += (double)g[k];
            *to += (act)sum;
        }
        i += row.len;
    }
}

static void backward_part(void *context, int64_t begin, int64_t end) {
    const struct binary_task *job = context;

    if (begin < end)
        add_part(job, job->into, job->put, begin, end);
}

/* Samples whose gradients go to places of their own. */
static void backward_samples(void *context, int64_t begin, int64_t end) {
    const struct binary_task *job = context;

    const int64_t len = shape_sample_len(&job->c->x[job->operand].shape);

    if (job->put)
        memset(job->into + begin * len, 0, (size_t)((end - begin) * len) * sizeof(act));
    if (begin < end)
        add_part(job, job->into, false, begin * job->block, end * job->block);
}

static void backward_ranges(void *context, int64_t begin, int64_t end) {
    const struct binary_task *job = context;
    const int64_t len = shape_len(&job->c->y.shape);
    const int64_t len_x = shape_len(&job->c->x[job->operand].shape);

    for (int64_t r = begin; r < end; r++) {
        act *sums = job->into + r * len_x;

        memset(sums, 0, (size_t)len_x * sizeof(act));
        add_part(job, sums, false, r * len / SUM_RANGES, (r + 1) * len / SUM_RANGES);
    }
}

static void backward_operand(const struct binary *f, const struct op_call *c, int operand) {
    const struct shape *x = &c->x[operand].shape, *y = &c->y.shape;
    const int64_t len = shape_len(y), len_x = shape_len(x);
    act *dx = c->dx[operand].data;
    const bool first = c->dx_first >> operand & 1;
    struct binary_task job = {
        c, f, walk_of(c), operand, shape_sample_len(y), dx, first || dx == c->dy.data};

    if (len_x == len) {
        team_run(c->team, len, backward_part, &job);
    } else if (x->rank > 1 && x->dim[0] == y->dim[0]) {
        team_run(c->team, y->dim[0], backward_samples, &job);
    } else {
        job.into = c->scratch;
        team_run(c->team, SUM_RANGES, backward_ranges, &job);
        if (first)
            memset(dx, 0, (size_t)len_x * sizeof(act));
        for (int r = 0; r < SUM_RANGES; r++)
            for (int64_t i = 0; i < len_x; i++)
                dx[i] += job.into[r * len_x + i];
    }
}

void binary_backward(const struct binary *f, const struct op_call *c) {
    /* dx[0] may overwrite dy, and then comes last; or begin what dx[1], the same memory, adds to.
     */
    const int last = c->dx_first & 1;

    for (int i = 0; i < 2; i++) {
        const int operand = i == 1 ? last : !last;

        if (c->dx[operand].data &&
            !(c->dx[operand].data == c->dy.data && !operand && f->slope_a_is_one))
            backward_operand(f, c, operand);
    }
}
