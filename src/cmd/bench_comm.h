/* bench_comm.h - `dltrain bench --comm`: how fast vectors are summed over ranks, by size and by
 * algorithm, beside what memory or the links between hosts give. Private to bench*.c. */
#pragma once
#include "dist/allreduce/allreduce.h"
#include "dist/link.h"

/* One size and one algorithm. */
struct bench_sum {
    int64_t bytes;
    const char *algorithm;  /* as it was written */
    double median_s, min_s; /* of n_timed sums, each by its slowest rank */
    double bus_bytes_per_s; /* 2 (P - 1) / P * bytes over the median, as nccl-tests has it */
    double limit_s;         /* in which memory, or the slowest link, would carry it; 0: none */
    int n_timed;
    double wrong; /* numbers that were not the sum, of all ranks */
};

struct bench_sums {
    struct link_figures link;
    int n_ranks;
    bool shared; /* vectors lay in memory of their hosts, as gradients do in training */
    const struct bench_sum *sum;
    int n;
};

/* By rank 0. Errors: ERR_IO. */
void bench_comm_print_table(const struct bench_sums *r);
int bench_comm_print_json(const struct bench_sums *r, struct err *err);

/* The command, where --comm is among its arguments. */
int bench_comm(int argc, char **argv, struct err *err);
