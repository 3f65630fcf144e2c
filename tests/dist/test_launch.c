#include "dist/launch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The environment of one case: NAME=VALUE lines. */
static const char *environment;

static char *from_environment(const char *name) {
    static char value[64];
    const size_t n = strlen(name);

    for (const char *line = environment; *line; line += strcspn(line, "\n") + 1)
        if (!strncmp(line, name, n) && line[n] == '=') {
            const size_t len = strcspn(line + n + 1, "\n");
            memcpy(value, line + n + 1, len);
            value[len] = '\0';
            return value;
        }
    return NULL;
}

static void accepted(const char *variables, int mpi_size) {
    struct err err = {0};

    environment = variables;
    if (launch_check(from_environment, mpi_size, &err))
        fail_msg("%s", err.msg);
}

static void refused(const char *variables, int mpi_size, const char *msg) {
    struct err err = {0};

    environment = variables;
    assert_int_equal(launch_check(from_environment, mpi_size, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(err.msg, msg);
}

static void one_process_without_a_launcher_is_fine(void **state) {
    (void)state;
    accepted("", 1);
    accepted("SLURM_NTASKS=1\n", 1);
    accepted("SLURM_NTASKS=\nOMPI_COMM_WORLD_SIZE=many\n", 1);
}

static void launchers_that_mpi_agrees_with_are_fine(void **state) {
    (void)state;
    accepted("OMPI_COMM_WORLD_SIZE=4\n", 4);
    accepted("PMI_SIZE=3\n", 3);
    accepted("SLURM_STEP_ID=0\nSLURM_PROCID=2\nSLURM_STEP_NUM_TASKS=4\nSLURM_NTASKS=4\n", 4);
}

static void srun_of_singletons_is_refused(void **state) {
    (void)state;
    refused("SLURM_STEP_ID=0\nSLURM_PROCID=2\nSLURM_STEP_NUM_TASKS=4\nSLURM_NTASKS=4\n", 1,
            "srun started 4 tasks but MPI sees 1 rank: start with srun --mpi=pmix or mpirun");
}

static void a_small_step_of_a_large_job_is_fine(void **state) {
    (void)state;
    accepted("SLURM_STEP_ID=3\nSLURM_PROCID=0\nSLURM_STEP_NUM_TASKS=1\nSLURM_NTASKS=8\n", 1);
}

static void batch_script_without_srun_is_refused(void **state) {
    (void)state;
    const char *const msg =
        "the Slurm job has 8 tasks (SLURM_NTASKS) but MPI sees 1 rank: start with srun "
        "--mpi=pmix or mpirun; if one is meant, put SLURM_NTASKS=1 before the command";

    refused("SLURM_NTASKS=8\n", 1, msg);
    /* the batch step has a number that no step of srun has */
    refused("SLURM_NTASKS=8\nSLURM_PROCID=0\nSLURM_STEP_ID=4294967291\n", 1, msg);
}

static void mpirun_within_slurm_may_run_fewer_ranks(void **state) {
    (void)state;
    accepted("OMPI_COMM_WORLD_SIZE=2\nSLURM_NTASKS=8\n", 2);
    accepted("OMPI_COMM_WORLD_SIZE=1\nSLURM_NTASKS=8\n", 1);
}

static void mpirun_of_another_library_is_refused(void **state) {
    (void)state;
    refused("OMPI_COMM_WORLD_SIZE=2\n", 1,
            "Open MPI's mpirun started 2 processes (OMPI_COMM_WORLD_SIZE) but MPI sees 1 rank: "
            "start with the mpirun of the MPI library that dltrain was built with");
    refused("PMI_SIZE=5\n", 2,
            "the launcher (PMI) started 5 processes (PMI_SIZE) but MPI sees 2 ranks: "
            "start with the mpirun of the MPI library that dltrain was built with");
}

static void rank(const char *variables, int expected) {
    environment = variables;
    assert_int_equal(launch_rank(from_environment), expected);
}

static void the_rank_is_known_without_mpi(void **state) {
    (void)state;
    rank("", 0);
    rank("OMPI_COMM_WORLD_RANK=3\nPMIX_RANK=3\n", 3);
    rank("PMIX_RANK=2\nSLURM_STEP_ID=0\nSLURM_PROCID=2\n", 2);
    rank("PMI_RANK=1\n", 1);
    rank("SLURM_STEP_ID=0\nSLURM_PROCID=5\n", 5);
    /* mpirun starts its helpers on other nodes with srun: their number is not the rank's. */
    rank("OMPI_COMM_WORLD_RANK=0\nSLURM_STEP_ID=0\nSLURM_PROCID=1\n", 0);
    rank("SLURM_PROCID=1\n", 0); /* no step */
}

static void pretended_hosts_are_a_number(void **state) {
    (void)state;
    static const char *const bad[] = {"foo", "-3", "2.5", "0", "", "1e9"};
    struct err err = {0};
    int n = 0;

    environment = "";
    assert_int_equal(launch_hosts(from_environment, &n, &err), 0);
    assert_int_equal(n, 1);
    environment = "DLTRAIN_HOSTS=3\n";
    assert_int_equal(launch_hosts(from_environment, &n, &err), 0);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64], expected[128];
        snprintf(text, sizeof text, "DLTRAIN_HOSTS=%s\n", bad[i]);
        snprintf(expected, sizeof expected, "DLTRAIN_HOSTS is '%s', expected a number of hosts",
                 bad[i]);
        environment = text;
        assert_int_equal(launch_hosts(from_environment, &n, &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_string_equal(err.msg, expected);
    }
}

static void messages_over_tcp_are_sent_unasked_unless_the_user_says_otherwise(void **state) {
    (void)state;
    static const char *const name = "OMPI_MCA_btl_tcp_flags";
    const int put = 2;

    unsetenv(name);
    launch_tune();
    assert_non_null(getenv(name));
    assert_int_equal(atoi(getenv(name)) & put, 0);
    assert_true(atoi(getenv(name)) & 1); /* send */
    setenv(name, "315", 1);
    launch_tune();
    assert_string_equal(getenv(name), "315");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_without_a_launcher_is_fine),
        cmocka_unit_test(launchers_that_mpi_agrees_with_are_fine),
        cmocka_unit_test(srun_of_singletons_is_refused),
        cmocka_unit_test(a_small_step_of_a_large_job_is_fine),
        cmocka_unit_test(batch_script_without_srun_is_refused),
        cmocka_unit_test(mpirun_within_slurm_may_run_fewer_ranks),
        cmocka_unit_test(mpirun_of_another_library_is_refused),
        cmocka_unit_test(the_rank_is_known_without_mpi),
        cmocka_unit_test(pretended_hosts_are_a_number),
        cmocka_unit_test(messages_over_tcp_are_sent_unasked_unless_the_user_says_otherwise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
