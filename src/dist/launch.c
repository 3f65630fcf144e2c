#include "dist/launch.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

/* The number in a variable, or -1 where there is none. Slurm's own step numbers of batch scripts
 * and the like are near 2^32, beyond int: none, too. */
static int number(char *(*env)(const char *name), const char *name) {
    const char *text = env(name);
    char *end;

    if (!text || !*text)
        return -1;
    const long v = strtol(text, &end, 10);
    return *end || v < 0 || v > INT_MAX ? -1 : (int)v;
}

int launch_check(char *(*env)(const char *name), int mpi_size, struct err *err) {
    /* Hydra says more than PMI asks for. */
    const bool hydra = number(env, "MPI_LOCALRANKID") >= 0;
    const char *const launcher[][2] = {
        {"OMPI_COMM_WORLD_SIZE", "Open MPI's mpirun"},
        {"PMI_SIZE", hydra ? "MPICH's mpiexec" : "the launcher (PMI)"},
    };
    const char *const ranks = mpi_size == 1 ? "rank" : "ranks";

    for (size_t i = 0; i < sizeof launcher / sizeof *launcher; i++) {
        const int started = number(env, launcher[i][0]);
        if (started > mpi_size)
            return err_set(err, ERR_USAGE,
                           "%s started %d processes (%s) but MPI sees %d %s: start with the "
                           "mpirun of the MPI library that dltrain was built with",
                           launcher[i][1], started, launcher[i][0], mpi_size, ranks);
        if (started > 0)
            return 0;
    }
    const bool step = number(env, "SLURM_STEP_ID") >= 0 && number(env, "SLURM_PROCID") >= 0;
    int tasks = step ? number(env, "SLURM_STEP_NUM_TASKS") : -1;
    if (tasks < 0)
        tasks = number(env, "SLURM_NTASKS");
    if (tasks <= mpi_size)
        return 0;
    if (step)
        return err_set(err, ERR_USAGE,
                       "srun started %d tasks but MPI sees %d %s: start with srun --mpi=pmix or "
                       "mpirun",
                       tasks, mpi_size, ranks);
    return err_set(err, ERR_USAGE,
                   "the Slurm job has %d tasks (SLURM_NTASKS) but MPI sees %d %s: start with srun "
                   "--mpi=pmix or mpirun; if one is meant, put SLURM_NTASKS=1 before the command",
                   tasks, mpi_size, ranks);
}

int launch_check_alone(char *(*env)(const char *name), const char *what, const char *advice,
                       struct err *err) {
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (number(env, sizes[i]) > 1)
            return err_set(err, ERR_USAGE, "%s: found %d processes of it, expected one; %s", what,
                           number(env, sizes[i]), advice);
    return 0;
}

int launch_rank(char *(*env)(const char *name)) {
    static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};

    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        if (number(env, ranks[i]) >= 0)
            return number(env, ranks[i]);
    return number(env, "SLURM_STEP_ID") >= 0 && number(env, "SLURM_PROCID") > 0
               ? number(env, "SLURM_PROCID")
               : 0;
}

int launch_hosts(char *(*env)(const char *name), int *n, struct err *err) {
    const char *text = env("DLTRAIN_HOSTS");
    char *end = NULL;
    const long v = text ? strtol(text, &end, 10) : 1;

    if (text && (end == text || *end || v < 1 || v > 1000000))
        return err_set(err, ERR_USAGE, "DLTRAIN_HOSTS is '%s', expected a number of hosts", text);
    *n = (int)v;
    return 0;
}

void launch_tune(void) {
    /* send 1, inplace 8, need-ack 16, need-csum 32, hetero-rdma 256: the default without put, 2 */
    setenv("OMPI_MCA_btl_tcp_flags", "313", 0);
}
