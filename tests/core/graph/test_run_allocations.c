#define _DEFAULT_SOURCE /* syscall */
#include "core/graph/graph_case.h"
#include "core/graph/nets.h"

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

/* Calls of the system's allocator while `watching`. */
static _Atomic int watching, n_allocations;

#if !SANITIZED
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static void note_allocation(void) {
    n_allocations += watching;
}

void *malloc(size_t bytes) {
    note_allocation();
    return __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes) {
    note_allocation();
    return __libc_calloc(n, bytes);
}

void *realloc(void *p, size_t bytes) {
    note_allocation();
    return __libc_realloc(p, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    note_allocation();
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **p, size_t alignment, size_t bytes) {
    note_allocation();
    *p = __libc_memalign(alignment, bytes);
    return *p ? 0 : -1;
}

void *mmap(void *at, size_t len, int protection, int flags, int file, off_t offset) {
    note_allocation();
    return (void *)syscall(SYS_mmap, at, len, protection, flags, file, offset);
}
#endif

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
    plan_place(step.plan, step.memory, team);
    step_run(&step, image, label, BATCH, 0, NULL);
    n_allocations = 0;
    watching = 1;
    for (int k = 0; k < 5; k++) {
        step_run(&step, image, label, sizes[k], 0, NULL);
        step_run(&step, image, label, 0, 0, NULL);
    }
    watching = 0;
    team_free(team);
    release_one(&job, &step);
    return n_allocations;
}

static void the_count_of_allocations_counts(void **state) {
    (void)state;
    if (SANITIZED)
        skip();
    n_allocations = 0;
    watching = 1;
    void *volatile p = malloc(100);
    watching = 0;
    assert_int_equal(n_allocations, 1);
    free(p);
}

static void a_planned_step_allocates_nothing(void **state) {
    (void)state;
    if (SANITIZED)
        skip();
    for (int i = 0; i < N_NETS; i++)
        assert_int_equal(allocations(&all_nets[i], 1), 0);
}

/* OpenBLAS maps a buffer for each product that is under way at once, and keeps it: one more, once
 * in the life of the process, when both threads first multiply at the same time. */
static void a_second_thread_needs_one_buffer_of_openblas(void **state) {
    (void)state;
    int n = 0;

    if (SANITIZED)
        skip();
    for (int i = 0; i < N_NETS; i++)
        n += allocations(&all_nets[i], 2);
    assert_in_range(n, 0, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_count_of_allocations_counts),
        cmocka_unit_test(a_planned_step_allocates_nothing),
        cmocka_unit_test(a_second_thread_needs_one_buffer_of_openblas),
    };

    return cmocka_run_group_tests(tests, fill_image, NULL);
}
