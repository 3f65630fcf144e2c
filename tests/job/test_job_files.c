/* Jobs whose files rank 0 alone has. */
#include "support/mpi_main.h"

#include "job/job.h"
#include "job/job_files.h"

#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/dltrain_XXXXXX";

static const char *path_of(const char *name) {
    static char path[64];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* On rank 0. */
static void write_file(const char *name, const char *text) {
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* What all ranks are given: empty, includes, one that two files include, and no line end. */
static void write_all(void) {
    write_file("job.ini", "[job]\ninclude = a.ini\n  b.ini empty.ini\n[let]\nlr = 0.5");
    write_file("a.ini", "[job]\ninclude = b.ini\nepochs = 3\n[let]\nlr = 0.1\n");
    write_file("b.ini", "[data]\nbatch = 7\n");
    write_file("empty.ini", "");
}

static void remove_all(void) {
    static const char *const names[] = {"job.ini", "a.ini", "b.ini", "empty.ini", ""};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(remove(path_of(names[i])), 0);
}

/* The job that each rank makes is printed the same, though only rank 0 has ever had the files. */
static void every_rank_has_the_job_of_rank_0(void **state) {
    const bool first = comm_rank(comm) == 0;
    const char *const sets[] = {"data.batch=9"};
    struct source_files files = {0};
    struct err err = {0};
    struct job job;

    (void)state;
    if (first) {
        assert_non_null(mkdtemp(folder));
        write_all();
        assert_int_equal(job_read_files(&job, path_of("job.ini"), &files, NULL, 0, &err), 0);
        assert_int_equal(files.n, 4);
        job_release(&job);
        remove_all();
    }
    job_files_broadcast(comm, &files);
    assert_int_equal(files.n, 4);
    if (job_read_files(&job, "none.ini", &files, sets, 1, &err))
        fail_msg("%s", err.msg);
    char *text = source_print(&job.source), first_text[1024] = "";
    assert_true(strlen(text) < sizeof first_text);
    strcpy(first_text, text);
    comm_bcast(comm, first_text, sizeof first_text, 0);
    assert_string_equal(text, first_text);
    assert_true(job.epochs > 2.5 && job.batch == 9);
    assert_string_equal(job.name, "none");
    free(text);
    job_release(&job);
    source_files_release(&files);
    source_files_release(&files);
}

/* With the place in the file of rank 0, and who includes it. */
static void errors_are_those_of_the_files(void **state) {
    struct source_files files = {0};
    struct err err = {0};
    struct job job;

    (void)state;
    if (comm_rank(comm) == 0) {
        source_files_add(&files,
                         &(struct source_file){"j.ini", "[job]\ninclude = x.ini\n", 22, 1, 1});
        source_files_add(&files, &(struct source_file){"x.ini", "[job]\nepochs = x\n", 17, 1, 2});
    }
    job_files_broadcast(comm, &files);
    assert_int_equal(job_read_files(&job, "j.ini", &files, NULL, 0, &err), -1);
    source_explain(&job.source, &err);
    assert_non_null(strstr(err.msg, "x.ini:2:10: found 'x', expected "));
    assert_non_null(strstr(err.msg, " (included by j.ini:2)"));
    job_release(&job);
    source_files_release(&files);
}

/* Nothing is looked for on the disk. */
static void a_file_that_rank_0_has_not_opened_is_not_there(void **state) {
    struct source_files files = {.complete = false};
    struct err err = {0};
    struct job job;

    (void)state;
    if (comm_rank(comm) == 0)
        source_files_add(&files, &(struct source_file){
                                     "j.ini", "[job]\ninclude = /proc/self/status\n", 34, 1, 1});
    job_files_broadcast(comm, &files);
    assert_int_equal(job_read_files(&job, "j.ini", &files, NULL, 0, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(err.msg, "j.ini:2:11: cannot open '/proc/self/status': No such file or "
                                 "directory");
    job_release(&job);
    source_files_release(&files);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_rank_has_the_job_of_rank_0),
    cmocka_unit_test(errors_are_those_of_the_files),
    cmocka_unit_test(a_file_that_rank_0_has_not_opened_is_not_there),
};

MPI_MAIN(tests)
