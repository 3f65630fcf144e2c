#include "core/ops/parts/norm_rows.h"

#include <stddef.h>

THEN_INLINE void value(const struct norm_row *row, enum then_kind kind, bool add) {
    const struct norm_row r = *row;

    THEN_ANY_ORDER
    for (int64_t i = 0; i < r.len; i++) {
        const act v = (act)((r.x[i] - r.mean[i]) * r.scale[i] + r.bias[i]);

        r.y[i] = then_value(kind, r.then.slope, add ? v + r.other[i] : v);
    }
}

void norm_row_value(const struct norm_row *r) {
#define CASE(kind)                                                                                 \
    if (r->other)                                                                                  \
        value(r, kind, true);                                                                      \
    else                                                                                           \
        value(r, kind, false)
    THEN_SWITCH(r->then.kind, CASE)
#undef CASE
}

/* The gradient before `then` at i. */
THEN_INLINE act pulled(const struct norm_row *r, enum then_kind kind, bool by_y, int64_t i) {
    const act v = by_y ? r->y[i] : (act)((r->x[i] - r->mean[i]) * r->scale[i] + r->bias[i]);

    return then_pull(kind, r->then.slope, r->dy[i], v);
}

THEN_INLINE void products(const struct norm_row *row, enum then_kind kind, bool by_y) {
    const struct norm_row r = *row;

    THEN_ANY_ORDER
    for (int64_t i = 0; i < r.len; i++) {
        const act g = pulled(&r, kind, by_y, i);

        r.s[i] += g;
        r.q[i] += g * (r.x[i] - r.mean[i]);
    }
}

void norm_row_products(const struct norm_row *r) {
#define CASE(kind)                                                                                 \
    if (r->other)                                                                                  \
        products(r, kind, true);                                                                   \
    else                                                                                           \
        products(r, kind, false)
    THEN_SWITCH(r->then.kind, CASE)
#undef CASE
}

THEN_INLINE void gradient(const struct norm_row *row, enum then_kind kind, bool by_y, bool put) {
    const struct norm_row r = *row;

    THEN_ANY_ORDER
    for (int64_t i = 0; i < r.len; i++) {
        const act g = pulled(&r, kind, by_y, i);
        const act d = (act)(g * r.scale[i] - r.offset[i] - (r.x[i] - r.mean[i]) * r.slope[i]);

        r.dx[i] = put ? d : r.dx[i] + d;
    }
}

THEN_INLINE void other_gradient(const struct norm_row *row, enum then_kind kind, bool put) {
    const struct norm_row r = *row;

    THEN_ANY_ORDER
    for (int64_t i = 0; i < r.len; i++) {
        const act g = pulled(&r, kind, true, i);

        r.dother[i] = put ? g : r.dother[i] + g;
    }
}

/* dother first: dx may take dy's memory. What is read twice stays in the nearest cache. */
void norm_row_gradient(const struct norm_row *r) {
#define CASE(kind)                                                                                 \
    if (r->dother && r->put_other)                                                                 \
        other_gradient(r, kind, true);                                                             \
    else if (r->dother)                                                                            \
        other_gradient(r, kind, false);                                                            \
    if (r->dx && r->other && r->put)                                                               \
        gradient(r, kind, true, true);                                                             \
    else if (r->dx && r->other)                                                                    \
        gradient(r, kind, true, false);                                                            \
    else if (r->dx && r->put)                                                                      \
        gradient(r, kind, false, true);                                                            \
    else if (r->dx)                                                                                \
    gradient(r, kind, false, false)
    THEN_SWITCH(r->then.kind, CASE)
#undef CASE
}
