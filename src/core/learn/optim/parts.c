#include "core/learn/optim/parts.h"

/* In the order of their bits. */
const char *const optim_excludes[] = {"bias", "norm", NULL};

bool optim_adapts(int exclude, const struct optim_call *c) {
    return c->decay || !(exclude & (c->norm ? OPTIM_NORMS : OPTIM_BIASES));
}
