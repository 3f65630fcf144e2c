#include "core/ops/detect/measured.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { X_FOUND, X_BOXES, X_DIFFICULT, X_CROWD, X_OVERLAP };

const char *const measured_kinds[] = {"coco", "area", "voc11", NULL};

static bool is_given(const struct shape *x, int n_x, int k) {
    return k < n_x && !(x[k].rank == 1 && x[k].dim[0] == 1);
}

static int check_shapes(const char *name, const struct shape *x, int n_x, struct err *err) {
    static const char *const flag[] = {[X_DIFFICULT] = "difficult", [X_CROWD] = "crowd"};
    char text[2][SHAPE_TEXT];

    if (x[X_FOUND].rank != 3 || x[X_FOUND].dim[2] != FOUND)
        return err_set(err, ERR_CONFIG,
                       "%s: what was found is %s, expected rows of x1, y1, x2, y2, class and score",
                       name, shape_text(&x[X_FOUND], text[0]));
    if (x[X_BOXES].rank != 3 || x[X_BOXES].dim[2] != TRUTH ||
        x[X_BOXES].dim[0] != x[X_FOUND].dim[0])
        return err_set(err, ERR_CONFIG,
                       "%s: boxes are %s, expected rows of x1, y1, x2, y2 and class", name,
                       shape_text(&x[X_BOXES], text[0]));
    for (int k = X_DIFFICULT; k <= X_CROWD; k++)
        if (is_given(x, n_x, k) && (x[k].dim[0] != x[X_BOXES].dim[0] ||
                                    shape_len(&x[k]) * TRUTH != shape_len(&x[X_BOXES])))
            return err_set(err, ERR_CONFIG, "%s: %s is %s, expected a number for each box of %s",
                           name, flag[k], shape_text(&x[k], text[0]),
                           shape_text(&x[X_BOXES], text[1]));
    if (is_given(x, n_x, X_OVERLAP) &&
        !shape_equal(&x[X_OVERLAP],
                     &(struct shape){3, {x[X_FOUND].dim[0], x[X_FOUND].dim[1], x[X_BOXES].dim[1]}}))
        return err_set(err, ERR_CONFIG, "%s: overlap is %s, expected %lldx%lldx%lld", name,
                       shape_text(&x[X_OVERLAP], text[0]), (long long)x[X_FOUND].dim[0],
                       (long long)x[X_FOUND].dim[1], (long long)x[X_BOXES].dim[1]);
    return 0;
}

int measured_plan(const char *name, const struct measured_args *a, const struct shape *x, int n_x,
                  struct op_plan *plan, struct err *err) {
    if (check_shapes(name, x, n_x, err))
        return -1;
    for (int i = 0; a->iou.n > 1 && i < a->iou.n; i++)
        if (!(a->iou.v[i] > 0))
            return err_set(err, ERR_CONFIG, "%s: iou is %g in a list, expected above 0", name,
                           a->iou.v[i]);
    if (!(a->below > a->above))
        return err_set(err, ERR_CONFIG, "%s: below is %g, expected more than above, %g", name,
                       a->below, a->above);
    const size_t n = (size_t)x[X_FOUND].dim[0], rows = n * (size_t)x[X_FOUND].dim[1],
                 boxes = n * (size_t)x[X_BOXES].dim[1];
    op_plan_mean(plan);
    plan->scratch_bytes =
        rows * (sizeof(struct measured_row) + sizeof(double) + sizeof(int64_t) + 1) +
        boxes * (sizeof(double) + 1) + n * sizeof(int64_t);
    plan->flops = 20 * (double)rows * (double)x[X_BOXES].dim[1];
    return 0;
}

double measured_count(const struct op_call *c) {
    (void)c;
    return 1;
}

int measured_n_iou(const struct measured_args *a) {
    return a->iou.n == 1 && !(a->iou.v[0] > 0) ? 10 : a->iou.n;
}

/* Those of COCO to the last bit: its evaluation takes numbers at equal distances. */
double measured_iou(const struct measured_args *a, int i) {
    const double step = (0.95 - 0.5) / 9;

    if (a->iou.n == 1 && !(a->iou.v[0] > 0))
        return i == 9 ? 0.95 : i * step + 0.5;
    return a->iou.v[i];
}

static int by_class(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int best_first(const void *a, const void *b) {
    const struct measured_row *x = a, *y = b;

    if (by_class(&x->class, &y->class))
        return by_class(&x->class, &y->class);
    if (by_class(&x->score, &y->score))
        return by_class(&y->score, &x->score);
    return (x->at > y->at) - (x->at < y->at);
}

static const act *found_at(const struct measured *m, int64_t at) {
    return m->c->x[X_FOUND].data + at * FOUND;
}

static const act *box_at(const struct measured *m, int64_t at) {
    return m->c->x[X_BOXES].data + at * TRUTH;
}

static bool is_flagged(const struct measured *m, int k, int64_t at) {
    const struct tensor *x = &m->c->x[k];

    return k < m->c->n_x && x->shape.rank > 1 && x->data[at] > 0;
}

static bool is_of_size(const struct measured *m, const act *box) {
    const double area = box_area(box);

    return area >= m->a->above && area <= m->a->below;
}

static bool counts(const struct measured *m, int64_t box) {
    return !is_flagged(m, X_DIFFICULT, box) && !is_flagged(m, X_CROWD, box) &&
           is_of_size(m, box_at(m, box));
}

static void collect(struct measured *m) {
    for (int64_t at = 0; at < m->n * m->k; at++) {
        const act *f = found_at(m, at);

        if (!(f[BOX] >= 0))
            continue;
        m->row[m->n_rows++] = (struct measured_row){(double)f[BOX], (double)f[BOX + 1], at};
        m->finite = m->finite && !isnan((double)f[BOX + 1]);
    }
    for (int64_t at = 0; at < m->n * m->m; at++)
        if (box_at(m, at)[BOX] >= 0 && counts(m, at))
            m->class[m->n_classes++] = (double)box_at(m, at)[BOX];
    if (m->finite)
        qsort(m->row, (size_t)m->n_rows, sizeof *m->row, best_first);
    qsort(m->class, (size_t)m->n_classes, sizeof *m->class, by_class);
}

struct measured measured_begin(const struct op_call *c) {
    struct measured m = {.c = c,
                         .a = c->args,
                         .n = c->x[X_FOUND].shape.dim[0],
                         .k = c->x[X_FOUND].shape.dim[1],
                         .m = c->x[X_BOXES].shape.dim[1],
                         .finite = true};

    m.row = c->scratch;
    m.class = (double *)(void *)(m.row + m.n * m.k);
    m.precision = m.class + m.n * m.m;
    m.recalled = (int64_t *)(void *)(m.precision + m.n * m.k);
    m.seen = m.recalled + m.n * m.k;
    m.state = (unsigned char *)(void *)(m.seen + m.n);
    m.taken = m.state + m.n * m.k;
    collect(&m);
    return m;
}

/* How well box number `box` of all is found; of a crowd the share of what was found. */
static double overlap(const struct measured *m, int64_t at, int64_t box) {
    const act *f = found_at(m, at), *b = box_at(m, box);

    if (m->c->n_x > X_OVERLAP && m->c->x[X_OVERLAP].shape.rank > 1)
        return (double)m->c->x[X_OVERLAP].data[at * m->m + box % m->m];
    if (!is_flagged(m, X_CROWD, box))
        return box_iou(f, b);
    return box_area(f) > 0 ? box_shared(f, b) / box_area(f) : 0;
}

/* The box that is overlapped most, of equal ones the last; -1: none is enough. */
static int64_t best_of(const struct measured *m, const struct measured_row *r, double least,
                       bool counted) {
    const int64_t first = r->at / m->k * m->m;
    int64_t best = -1;

    for (int64_t box = first; box < first + m->m; box++) {
        if ((double)box_at(m, box)[BOX] != r->class || counts(m, box) != counted ||
            (m->taken[box] && !is_flagged(m, X_CROWD, box)))
            continue;
        const double o = overlap(m, r->at, box);
        if (o >= least)
            least = o, best = box;
    }
    return best;
}

static enum measured_state match_coco(struct measured *m, const struct measured_row *r,
                                      double iou) {
    const double least = iou < 1 - 1e-10 ? iou : 1 - 1e-10;
    int64_t box = best_of(m, r, least, true);

    if (box >= 0) {
        m->taken[box] = true;
        return MEASURED_HIT;
    }
    box = best_of(m, r, least, false);
    if (box >= 0)
        m->taken[box] = true;
    return box >= 0 || !is_of_size(m, found_at(m, r->at)) ? MEASURED_NEITHER : MEASURED_WRONG;
}

static enum measured_state match_voc(struct measured *m, const struct measured_row *r, double iou) {
    const int64_t first = r->at / m->k * m->m;
    int64_t best = -1;
    double most = -1;

    for (int64_t box = first; box < first + m->m; box++) {
        if ((double)box_at(m, box)[BOX] != r->class)
            continue;
        const double o = overlap(m, r->at, box);
        if (o > most)
            most = o, best = box;
    }
    if (!(most >= iou))
        return is_of_size(m, found_at(m, r->at)) ? MEASURED_WRONG : MEASURED_NEITHER;
    if (!counts(m, best))
        return MEASURED_NEITHER;
    if (m->taken[best])
        return MEASURED_WRONG;
    m->taken[best] = true;
    return MEASURED_HIT;
}

void measured_match(struct measured *m, double iou) {
    memset(m->taken, 0, (size_t)(m->n * m->m));
    for (int64_t i = 0; i < m->n_rows; i++) {
        const struct measured_row *r = &m->row[i];

        if (!i || m->row[i - 1].class != r->class)
            memset(m->seen, 0, (size_t)m->n * sizeof *m->seen);
        if (m->seen[r->at / m->k]++ >= m->a->most && m->a->most)
            m->state[i] = MEASURED_NEITHER;
        else
            m->state[i] = (unsigned char)(m->a->kind == MEASURED_COCO ? match_coco(m, r, iou)
                                                                      : match_voc(m, r, iou));
    }
}

bool measured_next(const struct measured *m, struct measured_class *k) {
    const int64_t begin = k->at;

    if (begin == m->n_classes)
        return false;
    k->class = m->class[begin];
    while (k->at < m->n_classes && !(m->class[k->at] > k -> class))
        k->at++;
    k->boxes = k->at - begin;
    for (k->first += k->n; k->first < m->n_rows && m->row[k->first].class < k->class;)
        k->first++;
    for (k->n = 0; k->first + k->n < m->n_rows && !(m->row[k->first + k->n].class > k->class);)
        k->n++;
    return true;
}

int64_t measured_hits(const struct measured *m, const struct measured_class *k) {
    int64_t hits = 0;

    for (int64_t i = k->first; i < k->first + k->n; i++)
        hits += m->state[i] == MEASURED_HIT;
    return hits;
}

int64_t measured_curve(struct measured *m, const struct measured_class *k) {
    int64_t n = 0, hits = 0;

    for (int64_t i = k->first; i < k->first + k->n; i++) {
        if (m->state[i] == MEASURED_NEITHER)
            continue;
        hits += m->state[i] == MEASURED_HIT;
        m->recalled[n] = hits;
        m->precision[n] = (double)hits / (double)(n + 1);
        n++;
    }
    for (int64_t i = n - 1; i > 0; i--)
        if (m->precision[i - 1] < m->precision[i])
            m->precision[i - 1] = m->precision[i];
    return n;
}

double measured_precision(const struct measured *m, const struct measured_class *k, int64_t n,
                          double recall, int64_t *from) {
    while (*from < n && (double)m->recalled[*from] / (double)k->boxes < recall)
        ++*from;
    return *from < n ? m->precision[*from] : 0;
}

double measured_average(struct measured *m, const struct measured_class *k) {
    const int64_t n = measured_curve(m, k);
    const int points = m->a->kind == MEASURED_COCO ? 101 : 11;
    int64_t from = 0;
    double sum = 0;

    if (m->a->kind == MEASURED_AREA) {
        for (int64_t i = 0; i < n; i++)
            if (m->recalled[i] > (i ? m->recalled[i - 1] : 0))
                sum += m->precision[i];
        return sum / (double)k->boxes;
    }
    for (int i = 0; i < points; i++) /* i * 0.01: COCO's numbers to the last bit */
        sum += measured_precision(m, k, n, points == 101 ? i * 0.01 : i / 10., &from);
    return sum / points;
}
