/* tensors.h - the parameters of a net as matrices in its span of gradients. */
#pragma once
#include "core/graph/model.h"
#include "dist/allreduce/allreduce.h"

/* Say of a span of gradients which tensors are in it.
 *   span  its v and len are those of net->dw; tensor becomes memory of the pool */
void tensors_list(struct allreduce_vector *span, const struct net *net, struct pool *pool);
