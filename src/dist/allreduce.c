#include "dist/allreduce.h"
#include "dist/ring.h"

#include <string.h>

static const struct allreduce_algorithm *const table[] = {
    &allreduce_ring,
};

const struct allreduce_algorithm *allreduce_at(int i) {
    return i >= 0 && (size_t)i < sizeof table / sizeof *table ? table[i] : NULL;
}

static const struct allreduce_algorithm *find(const char *name, struct err *err) {
    char names[256] = "";

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!strcmp(table[i]->name, name))
            return table[i];
        strncat(names, " ", sizeof names - strlen(names) - 1);
        strncat(names, table[i]->name, sizeof names - strlen(names) - 1);
    }
    err_set(err, ERR_CONFIG, "no all-reduce is called '%s'; there are:%s", name, names);
    return NULL;
}

int allreduce_new(struct allreduce **out, struct comm *comm, const char *algorithm, int64_t len,
                  struct err *err) {
    const struct allreduce_algorithm *found = find(algorithm, err);
    struct allreduce *a;
    int tag;

    if (!found || comm_take_tags(comm, 1, &tag, err) || found->plan(&a, comm, len, err))
        return -1;
    a->algorithm = found;
    a->comm = comm;
    a->len = len;
    a->tag = tag;
    *out = a;
    return 0;
}

void allreduce_free(struct allreduce *a) {
    if (a)
        a->algorithm->free(a);
}

void allreduce_start(struct allreduce *a, real *v) {
    a->algorithm->start(a, v);
}

bool allreduce_progress(struct allreduce *a) {
    return a->algorithm->progress(a);
}

void allreduce_run(struct allreduce *a, real *v) {
    allreduce_start(a, v);
    while (!allreduce_progress(a))
        ; /* MPI itself gives way when it has fewer processors than ranks */
}
