/* starve: the highest rank asks for more memory than there is, while the others wait for it. */
#include "core/base/pool.h"
#include "dist/comm.h"

#include <stdint.h>
#include <stdio.h>

/* The address sanitizer would end the program in place of the allocation. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1:detect_leaks=0";
}

int main(int argc, char **argv) {
    struct pool pool = {0};
    struct comm *comm;
    struct err err = {0};

    if (comm_new(&comm, &argc, &argv, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    if (comm_rank(comm) == comm_size(comm) - 1)
        pool_take(&pool, SIZE_MAX >> 2);
    comm_barrier(comm);
    comm_free(comm);
    return 0;
}
