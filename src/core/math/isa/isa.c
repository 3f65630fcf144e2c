#include "core/math/isa/isa.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* What avx512.c is compiled for: x86-64-v4. */
static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

static const struct isa *const known[] = {&isa_generic, &isa_avx2, &isa_avx512};
enum { N_KNOWN = 3 };

static int n_supported(void) {
    return has_avx512() ? 3 : has_avx2() ? 2 : 1;
}
#else
static const struct isa *const known[] = {&isa_generic};
enum { N_KNOWN = 1 };

static int n_supported(void) {
    return 1;
}
#endif

const struct isa *const *isa_table(int *n) {
    *n = n_supported();
    return known;
}

const struct isa *isa_get(void) {
    static const struct isa *chosen; /* always the same: a race writes it twice */
    const struct isa *found = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    const char *wish;
    int n;

    if (found)
        return found;
    wish = getenv("DLTRAIN_ISA");
    found = isa_table(&n)[n - 1];
    for (int i = 0; wish && i < n; i++)
        if (!strcmp(known[i]->name, wish))
            found = known[i];
    __atomic_store_n(&chosen, found, __ATOMIC_RELAXED);
    return found;
}

int isa_check(struct err *err) {
    const char *wish = getenv("DLTRAIN_ISA");

#if defined(__AVX2__)
    if (!has_avx2())
        return err_set(err, ERR_CONFIG,
                       "this processor has no AVX2, which this program was compiled for: build it "
                       "with -DDLTRAIN_ARCH=x86-64");
#endif
    if (!wish || !*wish)
        return 0;
    for (int i = 0; i < N_KNOWN; i++)
        if (!strcmp(known[i]->name, wish))
            return i < n_supported()
                       ? 0
                       : err_set(err, ERR_CONFIG, "DLTRAIN_ISA=%s: this processor has no %s", wish,
                                 wish);
    return err_set(err, ERR_CONFIG, "DLTRAIN_ISA=%s: expected generic, avx2 or avx512", wish);
}
