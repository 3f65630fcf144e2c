/* Ranks that were started in folders of their own, with other jobs, programs or data in them, are
 * refused before they compute anything, with one line that says who has what. */
#include "support/program.h"
#include "core/base/err.h"
#include "io/dataset/dataset_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { SIDE = 4, CLASSES = 3, MOST = 64 };

/* What a host's a.h5 is like. */
struct content {
    int n_train, side;
    int odd_label, swapped; /* samples that have another label, two pixels exchanged; -1: none */
    const char *first_class;
};

static const struct content usual = {48, SIDE, -1, -1, "cat"};

static const char job[] = "[job]\nepochs = 2\nthreads = 1\n"
                          "[data]\ntrain = a.h5:train\nvalidate = a.h5:val\nbatch = 8\n"
                          "[net c(image, classes=3)]\n"
                          "h = image | conv(4) | relu | global_avgpool\nfc = h | linear(classes)\n"
                          "[step]\nloss = cross_entropy(c(image), label)\ntrain = c\n"
                          "optimizer = sgd(lr=0.1)\n"
                          "[validate]\ntop1 = accuracy(c(image), label)\n";

static int write_group(struct dataset_writer *w, const char *group, const struct content *c, int n,
                       struct err *err) {
    const struct shape sample = {3, {c->side, c->side, 3}};
    static unsigned char images[MOST * 8 * 8 * 3];
    static int32_t labels[MOST];
    const int bytes = c->side * c->side * 3;

    for (int i = 0; i < n; i++) {
        for (int k = 0; k < bytes; k++)
            images[i * bytes + k] = (unsigned char)(i * 37 + k * 11);
        labels[i] = (i + (i == c->odd_label)) % CLASSES;
        if (i == c->swapped) { /* which leaves mean and std */
            images[i * bytes] = 3 * 11;
            images[i * bytes + 3] = 0;
        }
    }
    return dataset_writer_split(w, group, &sample, err) ||
           dataset_writer_append(w, images, labels, n, err);
}

static void write_data(const char *path, const struct content *c) {
    const char *const names[CLASSES] = {c->first_class, "dog", "fox"};
    struct content val = usual;
    struct dataset_writer *w;
    struct err err = {0};

    val.side = c->side;
    if (dataset_writer_new(&w, path, &err) || write_group(w, "train", c, c->n_train, &err) ||
        write_group(w, "val", &val, 12, &err) || dataset_writer_finish(w, names, CLASSES, &err))
        fail_msg("%s", err.msg);
    dataset_writer_free(w);
}

/* Two hosts, all of whose files are the same. */
static void write_hosts(void) {
    assert_int_equal(system("rm -rf h0 h1; mkdir h0 h1"), 0);
    write_data("h0/a.h5", &usual);
    write_data("h1/a.h5", &usual);
    program_write("h0/j.ini", "%s", job);
    program_write("h1/j.ini", "%s", job);
}

/* One rank on host 0 and n on host 1, with what each is to run. Nothing is written. */
static void differ(int n, int code, const char *message, const char *first, const char *others) {
    program_expect(code, message,
                   "OMPI_MCA_odls_base_sigkill_timeout=0 $MPIRUN -np 1 -wdir $PWD/h0 %s : "
                   "-np %d -wdir $PWD/h1 %s",
                   first, n, others);
    assert_int_equal(access("h0/runs", F_OK), -1);
    assert_int_equal(access("h1/runs", F_OK), -1);
}

/* Rank 1 is told something else by its command line. */
static void jobs_differ(const char *set, const char *mine, const char *first) {
    char message[512], host[128], command[256];

    assert_int_equal(gethostname(host, sizeof host), 0);
    snprintf(message, sizeof message, "dltrain: rank 1 on %s has %s, rank 0 on %s has %s; ", host,
             mine, host, first);
    snprintf(command, sizeof command, "$DLTRAIN j.ini --set \"%s\"", set);
    write_hosts();
    differ(1, ERR_CONFIG, message, "$DLTRAIN j.ini", command);
}

static void what_is_the_same_trains_and_threads_may_differ(void **state) {
    (void)state;
    write_hosts();
    program_expect(0, NULL,
                   "$MPIRUN -np 1 -wdir $PWD/h0 $DLTRAIN j.ini : "
                   "-np 1 -wdir $PWD/h1 $DLTRAIN train j.ini --set threads=2");
    assert_int_equal(access("h0/runs/j/last.h5", F_OK), 0);
    assert_int_equal(access("h1/runs", F_OK), -1); /* rank 0 alone writes */
}

/* What rank 0 has read is the job, with what it includes. */
static void hosts_without_the_job_train_on_it(void **state) {
    (void)state;
    write_hosts();
    assert_int_equal(system("rm h1/j.ini; mkdir h0/sub; mv h0/j.ini h0/sub/base.ini; "
                            "echo wrong > h1/sub"),
                     0);
    program_write("h0/j.ini", "[job]\ninclude = sub/base.ini\nepochs = 1\n");
    program_expect(0, NULL,
                   "$MPIRUN -np 1 -wdir $PWD/h0 $DLTRAIN j.ini : "
                   "-np 2 -wdir $PWD/h1 $DLTRAIN j.ini");
    program_expect(0, NULL,
                   "cd h0; $MPIRUN -np 3 $DLTRAIN j.ini --set name=here; "
                   "$SAME runs/here/last.h5 runs/j/last.h5");
    program_write("h0/sub/base.ini", "%s[nonsense]\n", job);
    program_expect(ERR_CONFIG, ": sub/base.ini:17:1: unknown section [nonsense]",
                   "$MPIRUN -np 1 -wdir $PWD/h0 $DLTRAIN "
                   "j.ini : -np 2 -wdir $PWD/h1 $DLTRAIN j.ini");
    program_expect(ERR_CONFIG, " (included by j.ini:2)",
                   "$MPIRUN -np 1 -wdir $PWD/h0 $DLTRAIN j.ini : "
                   "-np 2 -wdir $PWD/h1 $DLTRAIN j.ini");
}

/* They need not have it, but no other one of its name. */
static void another_job_file_is_refused(void **state) {
    (void)state;
    write_hosts();
    program_write("h1/j.ini", "%s; another end\n", job);
    differ(2, ERR_CONFIG,
           ": j.ini is another file than the one that rank 0 has read for all; make them the same",
           "$DLTRAIN j.ini", "$DLTRAIN j.ini");
    program_write("h1/j.ini", "[job]\n");
    differ(1, ERR_CONFIG, "dltrain: rank 1 on ", "$DLTRAIN j.ini", "$DLTRAIN j.ini");
    write_hosts();
    program_write("h0/j.ini", "[job]\ninclude = base.ini\n");
    assert_int_equal(system("cp h0/j.ini h1/j.ini"), 0);
    program_write("h0/base.ini", "%s", job);
    program_write("h1/base.ini", "%s; another end\n", job);
    differ(1, ERR_CONFIG, ": base.ini is another file", "$DLTRAIN j.ini", "$DLTRAIN j.ini");
}

/* A run, too, is read by rank 0; its weights are every rank's to read. */
static void hosts_without_the_run_say_so_of_its_weights(void **state) {
    (void)state;
    write_hosts();
    program_expect(0, NULL, "cd h0; $DLTRAIN j.ini; mv runs r");
    differ(1, ERR_IO, "dltrain: rank 1 on ", "$DLTRAIN eval r/j", "$DLTRAIN eval r/j");
    assert_int_equal(system("cp -r h0/r h1; rm h0/j.ini h1/j.ini"), 0);
    differ(1, 0, NULL, "$DLTRAIN eval r/j", "$DLTRAIN eval r/j");
}

static void a_key_that_differs_is_named_with_both_values(void **state) {
    (void)state;
    jobs_differ("step.loss=5 * cross_entropy(c(image), label)",
                "[step] loss = 5 * cross_entropy(c(image), label)",
                "[step] loss = cross_entropy(c(image), label)");
    jobs_differ("epochs=1", "[job] epochs = 1", "[job] epochs = 2");
    jobs_differ("data.sampling=balanced", "[data] sampling = balanced", "no [data] sampling");
}

static void every_rank_is_compared(void **state) {
    (void)state;
    write_hosts();
    differ(2, ERR_CONFIG, "has [data] batch = 6, rank 0 on ", "$DLTRAIN j.ini",
           "$DLTRAIN j.ini --set data.batch=6");
    program_expect(ERR_CONFIG, "dltrain: rank 3 on ",
                   "$MPIRUN -np 3 -wdir $PWD/h0 $DLTRAIN j.ini : "
                   "-np 1 -wdir $PWD/h1 $DLTRAIN j.ini --set data.batch=6");
}

static void commands_and_surroundings_are_compared(void **state) {
    static const struct {
        int code;
        const char *message, *others;
    } cases[] = {
        {ERR_CONFIG, " has [job] seed = 2, rank 0 on ", "$DLTRAIN j.ini --set seed=2"},
        {ERR_USAGE, ": --set: nothing is called 'sed'", "$DLTRAIN j.ini --set sed=2"},
        {ERR_CONFIG, " has the command = train --resume j.ini, rank 0 on ",
         "$DLTRAIN j.ini --resume"},
        {ERR_CONFIG, " has the command = eval j.ini, rank 0 on ", "$DLTRAIN eval j.ini"},
        {ERR_CONFIG, " has the command = bench, rank 0 on ", "$DLTRAIN bench j.ini"},
        {ERR_CONFIG, " has the command = train k.ini, rank 0 on ", "$DLTRAIN k.ini"},
        {ERR_CONFIG, " has hash of the program = ", "./other j.ini"},
        {ERR_CONFIG, " has DLTRAIN_ISA = generic, rank 0 on ",
         "env DLTRAIN_ISA=generic $DLTRAIN j.ini"},
        {ERR_USAGE, " has DLTRAIN_HOSTS = 2, rank 0 on ", "env DLTRAIN_HOSTS=2 $DLTRAIN j.ini"},
        {ERR_USAGE, ": DLTRAIN_HOSTS is ", "env DLTRAIN_HOSTS=two $DLTRAIN j.ini"},
    };

    (void)state;
    write_hosts();
    assert_int_equal(system("cp h1/j.ini h1/k.ini; cp \"$DLTRAIN\" h1/other; echo >> h1/other"), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        differ(1, cases[i].code, cases[i].message, "$DLTRAIN j.ini", cases[i].others);
}

/* What a host has installed is nobody's choice, and no host may differ in it. */
static void libraries_that_differ_are_named(void **state) {
    (void)state;
    write_hosts();
    differ(1, ERR_CONFIG, " has the MPI library = Other MPI v1.0, rank 0 on ", "$DLTRAIN j.ini",
           "env UNLIKE=mpi LD_PRELOAD=" UNLIKE_LIBRARY " $DLTRAIN j.ini");
    differ(2, ERR_CONFIG, " has the BLAS library = OpenBLAS 0.1.0, rank 0 on ", "$DLTRAIN j.ini",
           "env UNLIKE=blas LD_PRELOAD=" UNLIKE_LIBRARY " $DLTRAIN j.ini");
    program_expect(0, NULL,
                   "$MPIRUN -np 1 -wdir $PWD/h0 $DLTRAIN j.ini : -np 1 -wdir $PWD/h1 env "
                   "LD_PRELOAD=" UNLIKE_LIBRARY " $DLTRAIN j.ini");
}

/* Hosts may have other processors; who asks for the same bits everywhere asks for the same kernels.
 */
static void kernels_may_differ_where_bits_may(void **state) {
    static const char other[] = "env OPENBLAS_CORETYPE=Prescott $DLTRAIN j.ini";
    static const char exact[] = " --set dist.reduction=reproducible";
    char first[128], others[128];

    (void)state;
    write_hosts();
    snprintf(first, sizeof first, "$DLTRAIN j.ini%s", exact);
    snprintf(others, sizeof others, "%s%s", other, exact);
    differ(1, ERR_CONFIG, ", BLAS for Prescott, rank 0 on ", first, others);
    program_expect(0, NULL, "$MPIRUN -np 1 -wdir $PWD/h0 $DLTRAIN j.ini : -np 1 -wdir $PWD/h1 %s",
                   other);
}

/* What ranks do next depends on them: those that have other ones would wait for ever. */
static void options_of_commands_are_compared(void **state) {
    static const struct {
        const char *message, *first, *others;
    } cases[] = {
        {" has the command = bench, rank 0 on ", "bench --comm --sizes 1KiB", "bench j.ini"},
        {" has the command = bench --comm --sizes 1MiB, rank 0 on ", "bench --comm --sizes 1KiB",
         "bench --comm --sizes 1MiB"},
        {" has the command = scale --ranks 2 --per-host 1 --link 1Gbit,5us --profile p.json "
         "j.ini, ",
         "scale j.ini --ranks 2 --per-host 1 --link 1Gbit,5us",
         "scale j.ini --ranks 2 --per-host 1 --link 1Gbit,5us --profile p.json"},
    };

    (void)state;
    write_hosts();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char first[256], others[256];
        snprintf(first, sizeof first, "$DLTRAIN %s", cases[i].first);
        snprintf(others, sizeof others, "$DLTRAIN %s", cases[i].others);
        differ(1, ERR_CONFIG, cases[i].message, first, others);
    }
}

static void what_one_rank_cannot_read_it_says(void **state) {
    static const struct {
        const char *damage, *message;
        int code;
    } cases[] = {
        {"rm h0/j.ini", "dltrain: rank 0 on ", ERR_IO},
        {"echo wrong >> h0/j.ini", ": j.ini:17:1: found ", ERR_CONFIG},
        {"rm h1/a.h5", ": a.h5: No such file or directory", ERR_IO},
        {"rm h0/a.h5", ": a.h5: No such file or directory", ERR_IO},
        {"echo wrong > h1/a.h5", ": a.h5: is not an HDF5 file", ERR_DATA},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_hosts();
        assert_int_equal(system(cases[i].damage), 0);
        differ(1, cases[i].code, cases[i].message, "$DLTRAIN j.ini", "$DLTRAIN j.ini");
    }
}

/* bench needs none, but takes what it says of the classes. */
static void a_host_without_data_says_so(void **state) {
    (void)state;
    write_hosts();
    assert_int_equal(system("rm h1/a.h5"), 0);
    differ(1, ERR_DATA,
           " has the field label = class numbers of any number of classes: its data is ",
           "$DLTRAIN bench j.ini --set data.image=[4,4,3]",
           "$DLTRAIN bench j.ini --set data.image=[4,4,3]");
}

/* Host 1 has data of another content: `command` is refused with the message. */
static void data_differ(const struct content *content, const char *message, const char *command) {
    write_hosts();
    write_data("h1/a.h5", content);
    differ(1, ERR_DATA, message, command, command);
}

static void data_that_differ_are_named(void **state) {
    struct content c = usual;

    (void)state;
    c.n_train = 24;
    data_differ(&c, "has image of a.h5:train = 24 rows of bytes 4x4x3, rank 0 on ",
                "$DLTRAIN j.ini");
    c.n_train = 47;
    data_differ(&c, "has image of a.h5:train = 47 rows of bytes 4x4x3, rank 0 on ",
                "$DLTRAIN j.ini");
    c = usual, c.side = 5;
    data_differ(&c, "has image of a.h5:train = 48 rows of bytes 5x5x3, rank 0 on ",
                "$DLTRAIN j.ini");
    data_differ(&c, "has the field image = reals 5x5x3, rank 0 on ", "$DLTRAIN bench j.ini");
    c = usual, c.odd_label = 13;
    data_differ(&c, "has the fingerprint of a.h5:train = ", "$DLTRAIN j.ini");
    c = usual, c.swapped = 0;
    data_differ(&c, "has sample 0 of image of a.h5:train = hash ", "$DLTRAIN j.ini");
    c = usual, c.first_class = "bat";
    data_differ(&c, "has classes of label of a.h5:train = 3: bat, dog, fox, rank 0 on ",
                "$DLTRAIN j.ini");
    write_hosts();
    program_expect(0, NULL, "cd h0; $DLTRAIN j.ini; mv runs/j/last.h5 ../w.h5; rm -r runs");
    data_differ(&c, "a.h5:val: class 'bat' of label, first in sample 0, is not known to ../w.h5",
                "$DLTRAIN eval j.ini --weights ../w.h5");
}

static void weights_that_differ_are_not_evaluated(void **state) {
    (void)state;
    write_hosts();
    program_expect(0, NULL,
                   "cd h0; $DLTRAIN j.ini; mv runs/j/last.h5 ../h1/w.h5; "
                   "$DLTRAIN j.ini --set step.optimizer=\"sgd(lr=0.2)\"; mv runs/j/last.h5 w.h5; "
                   "rm -r runs");
    differ(1, ERR_DATA, "weights as they were read: rank 1 on ",
           "$DLTRAIN eval j.ini --weights w.h5", "$DLTRAIN eval j.ini --weights w.h5");
    assert_int_equal(system("cp h0/w.h5 h1/w.h5"), 0);
    differ(1, 0, NULL, "$DLTRAIN eval j.ini --weights w.h5", "$DLTRAIN eval j.ini --weights w.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_the_same_trains_and_threads_may_differ),
        cmocka_unit_test(hosts_without_the_job_train_on_it),
        cmocka_unit_test(another_job_file_is_refused),
        cmocka_unit_test(hosts_without_the_run_say_so_of_its_weights),
        cmocka_unit_test(a_key_that_differs_is_named_with_both_values),
        cmocka_unit_test(every_rank_is_compared),
        cmocka_unit_test(commands_and_surroundings_are_compared),
        cmocka_unit_test(libraries_that_differ_are_named),
        cmocka_unit_test(kernels_may_differ_where_bits_may),
        cmocka_unit_test(options_of_commands_are_compared),
        cmocka_unit_test(what_one_rank_cannot_read_it_says),
        cmocka_unit_test(a_host_without_data_says_so),
        cmocka_unit_test(data_that_differ_are_named),
        cmocka_unit_test(weights_that_differ_are_not_evaluated),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
