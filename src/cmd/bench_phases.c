/* bench_phases.c - phases of a step beside each other on all ranks. */
#include "cmd/bench.h"
#include "report/phases.h"

static const struct phase phases[] = {
    {"forward", offsetof(struct step_times, forward)},
    {"backward", offsetof(struct step_times, backward)},
    {"optimiser", offsetof(struct step_times, optimizer)},
    {"exposed communication", offsetof(struct step_times, exposed_comm)},
    {"  losses and control", offsetof(struct step_times, control_comm)},
    {"  gradients", offsetof(struct step_times, bucket_comm)},
    {"  batch norm", offsetof(struct step_times, sync_comm)},
    {"step", offsetof(struct step_times, total)},
};

static struct phases of_all(const struct step_times *all, int n) {
    return (struct phases){phases, sizeof phases / sizeof *phases, all, sizeof *all, n};
}

struct step_times bench_mean(const struct step_times *times, int n) {
    const struct phases p = of_all(times, n);
    struct step_times mean = {0};

    for (int i = 0; i < p.n; i++)
        *(double *)(void *)((char *)&mean + phases[i].at) = phases_spread(&p, phases[i].at).mean;
    return mean;
}

void bench_print_phases(const struct step_times *all, int n_ranks) {
    const struct phases p = of_all(all, n_ranks);

    if (n_ranks > 1)
        phases_print(stdout, &p, "ms of the mean step", 1e-3);
}

struct bench_spread bench_exposed(const struct step_times *all, int n_ranks) {
    const struct phases p = of_all(all, n_ranks);
    const struct phase_spread s = phases_spread(&p, offsetof(struct step_times, exposed_comm));

    return (struct bench_spread){s.max, s.min};
}
