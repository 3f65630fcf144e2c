/* What a replica consists of, and that ranks hold it alike. */
#include "train/job_text.h"

#include "support/mpi_main.h"
#include "io/dataset/dataset_writer.h"
#include "train/alike.h"

#include <unistd.h>

static const char text[] =
    "[net gen(z)]\nh = z | linear(6, bias=false)\nn = h | bn\nout = n | linear(4)\n"
    "[net disc(x)]\nscore = x | linear(1, spectral=true)\n"
    "[step disc]\nfake = detach(gen(image))\nloss = mse(disc(image), disc(fake))\ntrain = disc\n"
    "optimizer = adam(lr=0.1)\n"
    "[step gen]\nloss = mse(disc(gen(image)), 1)\ntrain = gen\n"
    "optimizer = sgd(lr=0.1, momentum=0.9)\nema = 0.9\n";

struct fixture {
    struct job job;
    struct replica replica;
    struct alike alike;
};

static void make(struct fixture *f) {
    const struct field fields[] = {{.name = "image", .sample = {1, {4}}}};
    struct err err = {0};

    *f = (struct fixture){0};
    const int rc = job_of_text(&f->job, text, &err);
    const struct replica_config config = {.job = &f->job,
                                          .fields = fields,
                                          .n_fields = 1,
                                          .batch = 2,
                                          .training = true,
                                          .threads = 1};
    if (rc || replica_init(&f->replica, &config, &err) ||
        replica_allocate(&f->replica, &config, &err))
        fail_msg("%s", err.msg);
    alike_init(&f->alike, &f->replica, comm);
}

static void end(struct fixture *f) {
    replica_release(&f->replica);
    job_release(&f->job);
}

static void all_state_is_listed_by_name_and_place(void **state) {
    static const struct {
        const char *name, *path;
        int n_pieces;
    } expected[] = {
        {"weights of gen", "/nets/gen", 5},
        {"running statistics of gen", "/nets/gen", 2},
        {"weights of disc", "/nets/disc", 2},
        {"running statistics of disc", "/nets/disc", 2},
        {"averaged weights of gen", "/ema/gen", 5},
        {"moment 0 of step disc for disc", "/optimizer/disc/disc/0", 2},
        {"moment 1 of step disc for disc", "/optimizer/disc/disc/1", 2},
        {"number of updates of step disc", NULL, 1},
        {"moment 0 of step gen for gen", "/optimizer/gen/gen/0", 5},
        {"number of updates of step gen", NULL, 1},
    };
    const int n = sizeof expected / sizeof *expected;
    struct fixture f;
    int tensors = 0;

    (void)state;
    make(&f);
    assert_int_equal(f.replica.n_spans, n);
    for (int i = 0; i < n; i++) {
        /* nets are in order of first use */
        const struct span *span = NULL;
        for (int k = 0; k < n; k++)
            if (!strcmp(f.replica.spans[k].name, expected[i].name))
                span = &f.replica.spans[k];
        if (!span)
            fail_msg("%s is not listed", expected[i].name);
        assert_int_equal(span->path == NULL, expected[i].path == NULL);
        if (span->path)
            assert_string_equal(span->path, expected[i].path);
        assert_int_equal(span_n_pieces(span), expected[i].n_pieces);
        assert_non_null(span->data);
        tensors += span_n_pieces(span);
    }
    assert_int_equal(f.alike.n, tensors);
    end(&f);
}

/* Spans do not overlap, and what has a net is that net's. */
static void spans_are_memory_of_their_own(void **state) {
    struct fixture f;

    (void)state;
    make(&f);
    for (int i = 0; i < f.replica.n_spans; i++)
        for (int k = 0; k < f.replica.n_spans; k++) {
            const struct span *a = &f.replica.spans[i], *b = &f.replica.spans[k];
            const char *end_of_a = (const char *)a->data + a->bytes;
            assert_true(i == k || end_of_a <= (const char *)b->data ||
                        (const char *)b->data + b->bytes <= (const char *)a->data);
        }
    assert_true(f.replica.step[1].nets[0].moment[0][0] == 0);
    f.replica.step[1].nets[0].moment[0][0] = 3;
    for (int i = 0; i < f.replica.n_spans; i++)
        if (!strcmp(f.replica.spans[i].name, "moment 0 of step gen for gen"))
            assert_true(*(real *)f.replica.spans[i].data == 3);
    end(&f);
}

/* The lowest bit of any tensor on any rank is found, named, and mended by a broadcast. */
static void one_bit_of_any_state_is_found_and_named(void **state) {
    const int size = comm_size(comm);
    struct fixture f;

    (void)state;
    make(&f);
    for (int i = 0; i < f.alike.n; i++) {
        const struct audit_item *item = &f.alike.item[i];
        const int odd = size > 2 ? i % size : size - 1;
        struct err err = {0};
        char expected[256], rank[32];
        if (comm_rank(comm) == odd)
            ((unsigned char *)(uintptr_t)item->data)[item->bytes - 1 - (size_t)i % 4] ^= 1;
        const int rc = alike_check(&f.alike, &err);
        assert_int_equal(rc, size > 1 ? -1 : 0);
        snprintf(rank, sizeof rank, "rank %d on ", odd);
        snprintf(expected, sizeof expected, ": the replicas differ: %s%s%s has hash ", item->span,
                 item->tensor ? ", " : "", item->tensor ? item->tensor : "");
        if (rc && (strncmp(err.msg, rank, strlen(rank)) || !strstr(err.msg, expected)))
            fail_msg("found '%s', expected '%s%s'", err.msg, rank, expected);
        alike_broadcast(&f.alike);
        assert_int_equal(alike_check(&f.alike, &err), 0);
    }
    end(&f);
}

static void a_replica_of_the_same_seed_is_alike(void **state) {
    struct fixture f;
    struct err err = {0};

    (void)state;
    make(&f);
    if (alike_check(&f.alike, &err))
        fail_msg("%s", err.msg);
    end(&f);
}

/* A dataset of a host of its own: four pixels and their labels. */
static struct dataset *write_dataset(void) {
    static const unsigned char images[4] = {1, 2, 3, 4};
    static const int32_t labels[4] = {0, 1, 1, 0};
    const struct shape sample = {3, {1, 1, 1}};
    char path[] = "/tmp/dltrain_XXXXXX";
    struct dataset_writer *w;
    struct dataset *ds = NULL;
    struct err err = {0};

    close(mkstemp(path));
    unlink(path);
    if (dataset_writer_new(&w, path, &err) || dataset_writer_split(w, "train", &sample, &err) ||
        dataset_writer_append(w, images, labels, 4, &err) ||
        dataset_writer_finish(w, NULL, 0, &err) || dataset_open(&ds, path, 1 << 20, &err))
        fail_msg("%s", err.msg);
    dataset_writer_free(w);
    unlink(path);
    return ds;
}

/* They are no state, but each rank has its own. */
static void labels_in_memory_are_compared(void **state) {
    const int size = comm_size(comm);
    struct fixture f;
    struct err err = {0};

    (void)state;
    make(&f);
    struct dataset *ds = write_dataset();
    alike_add_labels(&f.alike, &f.replica, ds);
    const struct audit_item *item = &f.alike.item[f.alike.n - 1];
    assert_ptr_equal(item->data, dataset_labels(ds, 1));
    assert_int_equal(item->bytes, 4 * sizeof(int32_t));
    if (comm_rank(comm) == size - 1)
        ((unsigned char *)(uintptr_t)item->data)[8] ^= 1;
    const int rc = alike_check(&f.alike, &err);
    assert_int_equal(rc, size > 1 ? -1 : 0);
    if (rc && (!strstr(err.msg, ": the replicas differ: data in memory of /tmp/dltrain_") ||
               !strstr(err.msg, ", label has hash ")))
        fail_msg("%s", err.msg);
    dataset_close(ds);
    end(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(all_state_is_listed_by_name_and_place),
    cmocka_unit_test(spans_are_memory_of_their_own),
    cmocka_unit_test(one_bit_of_any_state_is_found_and_named),
    cmocka_unit_test(a_replica_of_the_same_seed_is_alike),
    cmocka_unit_test(labels_in_memory_are_compared),
};

MPI_MAIN(tests)
