#define _GNU_SOURCE /* dladdr, syscall */
#include "core/graph/graph_case.h"
#include "core/graph/nets.h"
#include "core/math/gemm.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { BATCH = 6, SAMPLE = 8 * 8 * 3 };

static act image[BATCH * SAMPLE];
static const int32_t label[BATCH] = {0, 3, 1, 4, 2, 3};

static int fill_image(void **state) {
    (void)state;
    fill_numbers(image, BATCH * SAMPLE, 2);
    return 0;
}

/* A job's step with room for BATCH samples. */
static void prepare(struct job_case *job, struct step_case *step, const char *text,
                    const char *name) {
    job_init(job, text);
    job->batch = BATCH;
    step_init(step, job, name);
    job_allocate(job, step, 1);
    step_place(step);
}

/* Calls of the system's allocator while `watching`, but for those of packs_small_product: of what
 * those took, n_packs is not yet given back. */
static _Atomic int watching, n_allocations, n_packs;

#if !SANITIZED
enum { MAX_PACK_BYTES = 1 << 16 };

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static bool in_openblas(const void *caller, Dl_info *at) {
    return dladdr(caller, at) && strstr(at->dli_fname, "libopenblas");
}

/* OpenBLAS (0.3.21) packs small products for AVX-512 in memory that it takes from malloc and gives
 * back within the same call: dgemm_small_kernel_nn_COOPERLAKE and its like of other types and
 * processors. No other function of it is excused. */
static bool packs_small_product(const void *caller) {
    Dl_info at = {0};

    return in_openblas(caller, &at) && at.dli_sname && strstr(at.dli_sname, "gemm_small_kernel");
}

static void note_allocation(const void *caller, size_t bytes) {
    if (!watching)
        return;
    if (bytes <= MAX_PACK_BYTES && packs_small_product(caller))
        n_packs++;
    else
        n_allocations++;
}

void *malloc(size_t bytes) {
    note_allocation(__builtin_return_address(0), bytes);
    return __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes) {
    note_allocation(__builtin_return_address(0), n * bytes);
    return __libc_calloc(n, bytes);
}

void *realloc(void *p, size_t bytes) {
    note_allocation(__builtin_return_address(0), bytes);
    return __libc_realloc(p, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    note_allocation(__builtin_return_address(0), bytes);
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **p, size_t alignment, size_t bytes) {
    note_allocation(__builtin_return_address(0), bytes);
    *p = __libc_memalign(alignment, bytes);
    return *p ? 0 : -1;
}

void *mmap(void *at, size_t len, int protection, int flags, int file, off_t offset) {
    note_allocation(__builtin_return_address(0), len);
    return (void *)syscall(SYS_mmap, at, len, protection, flags, file, offset);
}

void free(void *p) {
    Dl_info at = {0};

    if (p && watching && in_openblas(__builtin_return_address(0), &at))
        n_packs--;
    __libc_free(p);
}
#endif

static void watch(void) {
    n_allocations = n_packs = 0;
    watching = 1;
}

/* Allocations since watch(); packs that were kept are some. */
static int watched(void) {
    const int n_kept = n_packs;

    watching = 0;
    return n_allocations + abs(n_kept);
}

/* Allocations of a few runs of other sizes on so many threads; libraries may prepare themselves in
 * the first. */
static int allocations(const struct job_text *net, int n_threads) {
    static const int64_t sizes[] = {BATCH, 3, 1, BATCH, 2};
    struct job_case job;
    struct step_case step;
    struct team *team = NULL;
    struct err err = {0};

    prepare(&job, &step, net->text, net->step);
    assert_int_equal(team_new(&team, n_threads, &err), 0);
    plan_place(step.plan, step.memory, team, NULL);
    step_run(&step, image, label, BATCH, 0, NULL);
    watch();
    for (int k = 0; k < 5; k++) {
        step_run(&step, image, label, sizes[k], 0, NULL);
        step_run(&step, image, label, 0, 0, NULL);
    }
    const int n = watched();
    team_free(team);
    release_one(&job, &step);
    return n;
}

static void the_count_of_allocations_counts(void **state) {
    (void)state;
    watch();
    void *volatile p = malloc(100);
    assert_int_equal(watched(), 1);
    free(p);
}

/* A product of OpenBLAS's, of any size, takes nothing that it keeps. */
static void products_keep_nothing(void **state) {
    enum { MAX = 300 };
    static double a[MAX * MAX], b[MAX * MAX], c[MAX * MAX];

    (void)state;
    gemm_double(false, false, MAX, MAX, MAX, a, MAX, b, MAX, 0, c, MAX);
    for (int trans = 0; trans < 4; trans++)
        for (int n = 1; n <= MAX; n += n + 1) {
            watch();
            gemm_double(trans & 1, trans & 2, n, n, n, a, n, b, n, trans & 1, c, n);
            assert_int_equal(watched(), 0);
        }
}

static void a_planned_step_allocates_nothing(void **state) {
    (void)state;
    for (int i = 0; i < N_NETS; i++)
        assert_int_equal(allocations(&all_nets[i], 1), 0);
}

/* OpenBLAS maps a buffer for each product that is under way at once, and keeps it: one more, once
 * in the life of the process, when both threads first multiply at the same time. */
static void a_second_thread_needs_one_buffer_of_openblas(void **state) {
    (void)state;
    int n = 0;

    for (int i = 0; i < N_NETS; i++)
        n += allocations(&all_nets[i], 2);
    assert_in_range(n, 0, 1);
}

int main(void) {
    if (SANITIZED) {
        printf("skipped: the allocator is the sanitizer's\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_count_of_allocations_counts),
        cmocka_unit_test(products_keep_nothing),
        cmocka_unit_test(a_planned_step_allocates_nothing),
        cmocka_unit_test(a_second_thread_needs_one_buffer_of_openblas),
    };

    return cmocka_run_group_tests(tests, fill_image, NULL);
}
