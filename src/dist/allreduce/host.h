/* host.h - arguments of the all-reduce within hosts and between them, for those who choose them. */
#pragma once
#include "dist/allreduce/ring.h"

struct host_args {
    struct ring_args ring; /* first: some take all for those of a ring */
    int leaders;           /* ranks of a host that talk to other hosts */
};
