/* launch.h - what launchers and MPI libraries say, and are told, by the environment. Pure, but for
 * launch_tune. A job that was meant to be one of N ranks and runs as N jobs of one rank looks
 * healthy and trains nothing of use, so it is refused. */
#pragma once
#include "core/base/err.h"

/* Compare the size of MPI's world with what the environment says.
 *   env   the value of a variable of that name, or NULL; getenv in the program
 * An explicit launcher (mpirun, PMI) is believed before Slurm: in a Slurm job, mpirun -np 2 may
 * run fewer ranks than there are tasks. A batch script that runs the program without srun or
 * mpirun is refused as well; SLURM_NTASKS=1 before the command says that it is meant so.
 * Errors: ERR_USAGE, saying how to start the job. */
int launch_check(char *(*env)(const char *name), int mpi_size, struct err *err);

/* Is a process that begins others itself one of several?
 *   what, advice  of the message: "sweep begins its trials itself"; what to do in place of it
 * Errors: ERR_USAGE. */
int launch_check_alone(char *(*env)(const char *name), const char *what, const char *advice,
                       struct err *err);

/* The number of this process among those that the launcher started, as far as the environment says
 * so; 0 without a launcher. For what happens before or without MPI. */
int launch_rank(char *(*env)(const char *name));

/* How many hosts DLTRAIN_HOSTS pretends, for tests: 1 to 1000000; 1 where it is not set.
 * Errors: ERR_USAGE for anything else. */
int launch_hosts(char *(*env)(const char *name), int *n, struct err *err);

/* Ask MPI, by variables of the environment that the user has not set, for what sums of gradients
 * need. Before it starts. Of Open MPI over TCP: not to have the receiver of a long message ask for
 * its parts (put). What it asks waits behind what it sends itself, so that the two directions of a
 * link take turns, at half the speed of each. */
void launch_tune(void);
