#define _GNU_SOURCE /* sched_getaffinity */
#include "support/mpi_main.h"

#include "dist/place_text.h"

#include <sched.h>
#include <string.h>

enum { MOST = 1024 };

/* A job of pretended ranks. */
static struct rank_place rank[MOST];
static int size;

/* Add n ranks of one host with so many cores of one processor each, which all may use those from
 * `first` to before `end`. */
static void add_ranks(const char *host, int n, int n_cores, int first, int end) {
    const int leader = size;

    for (int i = 0; i < n; i++) {
        struct rank_place *p = &rank[size++];
        *p = (struct rank_place){.kernels = "avx2",
                                 .machine = 7,
                                 .leader = leader,
                                 .binds = true,
                                 .known = true,
                                 .n_processors = end - first,
                                 .n_cores = n_cores,
                                 .n_host_processors = n_cores,
                                 .n_nodes = 1,
                                 .n_sockets = 1,
                                 .shares = true};
        for (const char *c = host; *c; c++)
            p->machine = p->machine * 31 + (uint64_t)*c;
        snprintf(p->host, sizeof p->host, "%s", host);
        for (int c = first; c < end; c++) {
            core_set_add(&p->allowed, c);
            core_set_add(&p->cores, c);
        }
    }
}

static struct places deal(void) {
    places_deal(rank, size);
    return (struct places){.rank = rank, .size = size};
}

static void assert_rank(int r, int threads, const char *cores, bool own) {
    struct pool pool = {0};

    assert_int_equal(rank[r].threads, threads);
    assert_string_equal(core_set_text(&pool, &rank[r].cores), cores);
    assert_int_equal(rank[r].own, own);
    pool_release(&pool);
}

/* What is drawn of the pretended ranks, lines joined by line ends. */
static void assert_drawn(const char *expected) {
    struct places p = deal();
    struct place_line *line;
    const char *text = "";
    const int n = places_draw(&p, &line);

    for (int i = 0; i < n; i++)
        text = pool_print(&p.pool, "%s%s%s", text, i ? "\n" : "", line[i].text);
    assert_string_equal(text, expected);
    pool_release(&p.pool);
    size = 0;
}

/* expected: the only warning; NULL: there is none. */
static void assert_warned(const char *expected) {
    struct places p = deal();
    struct place_line *line;
    const int n = places_warn(&p, &line);

    assert_int_equal(n, expected != NULL);
    if (expected)
        assert_string_equal(line[0].text, expected);
    pool_release(&p.pool);
    size = 0;
}

/* --- threads and cores --- */

static void ranks_that_share_cores_get_a_block_each(void **state) {
    (void)state;
    add_ranks("a", 3, 8, 0, 8);
    add_ranks("b", 1, 8, 0, 8);
    deal();
    assert_rank(0, 2, "0-1", true);
    assert_rank(1, 2, "2-4", true);
    assert_rank(2, 2, "5-7", true);
    assert_rank(3, 8, "0-7", false);
    size = 0;
}

/* Sockets of 4 cores, as mpirun binds more than two ranks. */
static void a_socket_is_shared_by_its_ranks(void **state) {
    (void)state;
    add_ranks("a", 2, 8, 0, 4);
    add_ranks("a", 2, 8, 4, 8);
    deal();
    assert_rank(0, 2, "0-1", true);
    assert_rank(1, 2, "2-3", true);
    assert_rank(2, 2, "4-5", true);
    assert_rank(3, 2, "6-7", true);
    size = 0;
}

/* Two names for one machine, as containers or pretended hosts are. */
static void parts_of_one_machine_share_its_cores(void **state) {
    (void)state;
    add_ranks("a", 1, 4, 0, 4);
    add_ranks("b", 1, 4, 0, 4);
    rank[1].machine = rank[0].machine;
    deal();
    assert_rank(0, 2, "0-1", true);
    assert_rank(1, 2, "2-3", true);
    size = 0;
}

static void what_a_launcher_bound_is_left(void **state) {
    (void)state;
    add_ranks("a", 1, 8, 0, 2);
    add_ranks("a", 1, 8, 2, 4);
    deal();
    assert_rank(0, 2, "0-1", false);
    assert_rank(1, 2, "2-3", false);
    assert_true(rank[0].alone && rank[1].alone);
    size = 0;
}

static void more_ranks_than_cores_are_not_bound(void **state) {
    (void)state;
    add_ranks("a", 3, 2, 0, 2);
    deal();
    for (int r = 0; r < 3; r++)
        assert_rank(r, 1, "0-1", false);
    size = 0;
}

static void nor_are_more_threads_than_cores_or_those_who_do_not_wish_so(void **state) {
    (void)state;
    add_ranks("a", 2, 8, 0, 8);
    rank[1].wish = 5;
    deal();
    assert_rank(0, 4, "0-7", false);
    assert_rank(1, 5, "0-7", false);
    size = 0;
    add_ranks("a", 2, 8, 0, 8);
    rank[1].binds = false;
    deal();
    assert_rank(0, 4, "0-7", false);
    size = 0;
    add_ranks("a", 2, 8, 0, 8);
    rank[0].wish = 3;
    deal();
    assert_rank(0, 3, "0-3", true);
    assert_rank(1, 4, "4-7", true);
    size = 0;
}

static void of_a_rank_nobody_knows_where_it_runs_one_thread(void **state) {
    (void)state;
    add_ranks("a", 2, 8, 0, 0);
    rank[0].known = rank[1].known = false;
    deal();
    assert_rank(0, 1, "", false);
    assert_int_equal(rank[0].n_processors, 1);
    assert_drawn("a: 2 ranks x 1 thread (avx2); the system does not tell on which cores");
}

/* --- what is drawn --- */

static void hosts_that_are_alike_are_one_line(void **state) {
    (void)state;
    add_ranks("a", 2, 4, 0, 4);
    assert_drawn("a: 2 ranks x 2 threads on 4 cores (avx2): cores 0-1 | 2-3");
    add_ranks("node1", 1, 4, 0, 2);
    add_ranks("node2", 1, 4, 0, 2);
    for (int r = 0; r < 2; r++)
        rank[r].n_sockets = 2, rank[r].n_nodes = 4, rank[r].n_host_processors = 8;
    assert_drawn("2 hosts, node1 node2, each: 1 rank x 2 threads on 2 of 4 cores of 2 sockets, 4 "
                 "NUMA nodes, 8 hardware threads (avx2): cores 0-1");
}

static void hosts_that_are_not_are_a_line_for_each_kind(void **state) {
    (void)state;
    add_ranks("a", 2, 2, 0, 2);
    add_ranks("b", 3, 2, 0, 2);
    add_ranks("c", 2, 2, 0, 2);
    rank[1].wish = 2; /* on the first host threads do not fit */
    assert_drawn("3 hosts, 7 ranks:\n"
                 "  1: a: 2 ranks x 1-2 threads on 2 cores (avx2): cores 0-1 (2 ranks)\n"
                 "  1: b: 3 ranks x 1 thread on 2 cores (avx2): cores 0-1 (3 ranks)\n"
                 "  1: c: 2 ranks x 1 thread on 2 cores (avx2): cores 0 | 1");
}

static void a_thousand_ranks_are_one_short_line(void **state) {
    char host[16];

    (void)state;
    for (int h = 0; h < 16; h++) {
        snprintf(host, sizeof host, "n%d", h);
        add_ranks(host, 64, 64, 0, 64);
    }
    assert_drawn("16 hosts, n0 n1 .. n15, each: 64 ranks x 1 thread on 64 cores (avx2): cores 0 | "
                 "1 | 2 | .. | 63");
}

/* --- what is wrong --- */

static void what_fits_is_not_warned_of(void **state) {
    (void)state;
    add_ranks("a", 2, 8, 0, 8);
    add_ranks("b", 2, 8, 0, 8);
    assert_warned(NULL);
}

static void threads_that_share_cores_are_counted(void **state) {
    (void)state;
    add_ranks("a", 1, 2, 0, 2);
    add_ranks("b", 3, 2, 0, 2);
    add_ranks("c", 3, 2, 0, 2);
    assert_warned("on b, 3 threads of 3 ranks share 2 cores, 0-1 (and 1 host more): start fewer "
                  "ranks or set [job] threads");
    add_ranks("a", 1, 2, 0, 2);
    rank[0].wish = 500;
    assert_warned("on a, 500 threads of 1 rank share 2 cores, 0-1: start fewer ranks or set [job] "
                  "threads");
    add_ranks("a", 1, 4, 0, 2);
    add_ranks("a", 1, 4, 0, 3);
    rank[0].wish = 2;
    rank[1].wish = 2;
    assert_warned("on a, 4 threads of 2 ranks share 3 cores, 0-2: bind ranks to different ones "
                  "(mpirun --bind-to core) or set [job] threads");
}

static void two_ranks_on_one_core_are_named(void **state) {
    (void)state;
    add_ranks("a", 1, 4, 0, 1);
    add_ranks("a", 2, 4, 2, 3);
    assert_warned("on a, ranks 1 and 2 are bound to one core, 2: bind each to its own (mpirun "
                  "--bind-to core)");
}

static void hosts_that_are_unlike_are_named(void **state) {
    (void)state;
    add_ranks("a", 1, 4, 0, 4);
    add_ranks("b", 1, 4, 0, 4);
    add_ranks("c", 1, 4, 0, 4);
    strcpy(rank[2].kernels, "avx512");
    assert_warned("hosts are unlike: a has 4 cores and avx2, c 4 and avx512; in every step all "
                  "wait for the slowest");
}

static void a_busy_host_and_one_without_shared_memory_are_named(void **state) {
    (void)state;
    add_ranks("a", 1, 4, 0, 4);
    add_ranks("b", 1, 4, 0, 4);
    rank[1].load = 3;
    rank[0].load = 2;
    assert_warned("b is busy: 3 other processes run on its 4 cores; all ranks wait for those that "
                  "must share");
    add_ranks("a", 1, 4, 0, 4);
    add_ranks("b", 2, 4, 0, 4);
    rank[0].shares = rank[1].shares = rank[2].shares = false;
    assert_warned("b has no /dev/shm for its ranks to share memory in");
}

/* --- this machine --- */

static struct core_set allowed_now(void) {
    struct core_set set = {{0}};
    cpu_set_t now;

    assert_int_equal(sched_getaffinity(0, sizeof now, &now), 0);
    for (int p = 0; p < CORE_SET_MOST && p < CPU_SETSIZE; p++)
        if (CPU_ISSET((size_t)p, &now))
            core_set_add(&set, p);
    return set;
}

static void no_more_is_used_than_is_allowed(void **state) {
    const struct core_set before = allowed_now();
    const struct place_wish wish = {0, true, "avx2"};
    struct places p;

    (void)state;
    places_init(&p, comm, &wish);
    const struct core_set after = allowed_now();
    const struct rank_place *mine = places_mine(&p);
    assert_true(core_set_within(&after, &before));
    assert_true(core_set_count(&after) > 0);
    assert_string_equal(mine->host, comm_host(comm));
    assert_int_equal(mine->leader, comm_rank(comm) - comm_local_rank(comm));
    assert_true(mine->threads >= 1 && mine->n_processors >= 1);
    assert_true(mine->n_cores >= 1 && mine->n_cores <= mine->n_host_processors);
    struct core_set pinned = {{0}};
    for (int c = 0; c < p.n_cores; c++) {
        assert_true(core_set_count(&p.core[c]) >= 1);
        assert_true(core_set_within(&p.core[c], &after));
        core_set_join(&pinned, &p.core[c]);
    }
    assert_true(p.n_cores == 0 || core_set_equal(&pinned, &after));
    places_release(&p);
    places_release(&p);
}

/* Whether ranks were bound before or by the test above, no two that own a core own the same. */
static void owners_share_no_core(void **state) {
    const struct place_wish wish = {1, true, "avx2"};
    struct places p;

    (void)state;
    places_init(&p, comm, &wish);
    for (int a = 0; a < p.size; a++)
        for (int b = 0; b < a; b++)
            for (int c = 0; c < CORE_SET_MOST && p.rank[a].own && p.rank[b].own; c++)
                assert_false(core_set_has(&p.rank[a].cores, c) &&
                             core_set_has(&p.rank[b].cores, c));
    places_release(&p);
}

static void a_topology_knows_every_processor_that_may_be_used(void **state) {
    const struct core_set now = allowed_now();
    struct core_set odd = {{0}};
    struct topology t;

    (void)state;
    topology_read(&t, &now);
    const struct core_set cores = topology_cores(&t, &now);
    const struct core_set back = topology_processors(&t, &now, &cores);
    assert_true(core_set_equal(&back, &now));
    assert_true(core_set_count(&cores) <= t.n_cores);
    /* One that hwloc does not show: then processors are what there is. */
    core_set_add(&odd, 3);
    core_set_add(&odd, CORE_SET_MOST - 1);
    topology_read(&t, &odd);
    assert_int_equal(t.n_cores, 2);
    assert_int_equal(t.n_processors, 2);
    assert_int_equal(t.core[3], 0);
    assert_int_equal(t.core[CORE_SET_MOST - 1], 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(ranks_that_share_cores_get_a_block_each),
    cmocka_unit_test(a_socket_is_shared_by_its_ranks),
    cmocka_unit_test(parts_of_one_machine_share_its_cores),
    cmocka_unit_test(what_a_launcher_bound_is_left),
    cmocka_unit_test(more_ranks_than_cores_are_not_bound),
    cmocka_unit_test(nor_are_more_threads_than_cores_or_those_who_do_not_wish_so),
    cmocka_unit_test(of_a_rank_nobody_knows_where_it_runs_one_thread),
    cmocka_unit_test(hosts_that_are_alike_are_one_line),
    cmocka_unit_test(hosts_that_are_not_are_a_line_for_each_kind),
    cmocka_unit_test(a_thousand_ranks_are_one_short_line),
    cmocka_unit_test(what_fits_is_not_warned_of),
    cmocka_unit_test(threads_that_share_cores_are_counted),
    cmocka_unit_test(two_ranks_on_one_core_are_named),
    cmocka_unit_test(hosts_that_are_unlike_are_named),
    cmocka_unit_test(a_busy_host_and_one_without_shared_memory_are_named),
    cmocka_unit_test(a_topology_knows_every_processor_that_may_be_used),
    cmocka_unit_test(no_more_is_used_than_is_allowed),
    cmocka_unit_test(owners_share_no_core),
};

MPI_MAIN(tests)
