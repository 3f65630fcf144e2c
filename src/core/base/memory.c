#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "core/base/memory.h"
#include "core/base/unfinished.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int memory_probe(size_t bytes, const char *what, struct err *err) {
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return err_set(err, ERR_IO, "not enough memory: %s needs %zu MiB", what, bytes >> 20);
    munmap(at, bytes);
    return 0;
}

__attribute__((weak)) void memory_end(size_t bytes) {
    fprintf(stderr, "dltrain: not enough memory: %zu bytes are needed\n", bytes);
    unfinished_remove();
    _exit(ERR_IO);
}
