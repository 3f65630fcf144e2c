#include "train/alike.h"

static void add_span(struct alike *a, struct pool *pool, const struct span *span) {
    for (int i = 0; i < span_n_pieces(span); i++) {
        const struct span_piece piece = span_piece(span, i);
        a->item = pool_grow(pool, a->item, a->n, sizeof *a->item);
        a->item[a->n++] = (struct audit_item){span->name, piece.name, piece.data, piece.bytes};
    }
}

static void take_hashes(struct alike *a, struct pool *pool) {
    a->hash = pool_take(pool, (size_t)(a->n + comm_size(a->comm)) * sizeof *a->hash);
}

void alike_init(struct alike *a, struct replica *r, struct comm *comm) {
    struct pool *pool = &r->model.pool;

    *a = (struct alike){.replica = r, .comm = comm};
    for (int i = 0; i < r->n_spans; i++)
        add_span(a, pool, &r->spans[i]);
    take_hashes(a, pool);
}

void alike_add_labels(struct alike *a, struct replica *r, const struct dataset *ds) {
    struct pool *pool = &r->model.pool;

    for (int i = 0; i < dataset_n_fields(ds); i++) {
        const struct dataset_field *f = dataset_field(ds, i);
        const int32_t *labels = dataset_labels(ds, i);
        if (!labels)
            continue;
        a->item = pool_grow(pool, a->item, a->n, sizeof *a->item);
        a->item[a->n++] =
            (struct audit_item){pool_print(pool, "data in memory of %s", dataset_name(ds)), f->name,
                                labels, (size_t)f->rows * sizeof *labels};
    }
    take_hashes(a, pool);
}

void alike_broadcast(const struct alike *a) {
    for (int i = 0; i < a->replica->n_spans; i++)
        comm_bcast(a->comm, a->replica->spans[i].data, a->replica->spans[i].bytes, 0);
}

int alike_check(struct alike *a, struct err *err) {
    return audit(a->comm, a->item, a->n, a->hash, &a->differs, err);
}
