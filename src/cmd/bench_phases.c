/* bench_phases.c - phases of a step beside each other on all ranks, as the tables of PETSc's
 * -log_view: where the ratio is large, ranks wait for one of them. */
#include "cmd/bench.h"

#include <stdio.h>

static const struct {
    const char *name;
    size_t at; /* in struct step_times */
} phases[] = {
    {"forward", offsetof(struct step_times, forward)},
    {"backward", offsetof(struct step_times, backward)},
    {"optimiser", offsetof(struct step_times, optimizer)},
    {"exposed communication", offsetof(struct step_times, exposed_comm)},
    {"  losses and control", offsetof(struct step_times, control_comm)},
    {"  gradients", offsetof(struct step_times, bucket_comm)},
    {"  batch norm", offsetof(struct step_times, sync_comm)},
    {"step", offsetof(struct step_times, total)},
};

static double seconds_of(const struct step_times *t, size_t at) {
    return *(const double *)(const void *)((const char *)t + at);
}

struct step_times bench_mean(const struct step_times *times, int n) {
    struct step_times mean = {0};

    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        double *out = (double *)(void *)((char *)&mean + phases[i].at);
        for (int k = 0; k < n; k++)
            *out += seconds_of(&times[k], phases[i].at) / n;
    }
    return mean;
}

/* The ranks where a phase takes most and least. */
static void find(const struct step_times *all, int n_ranks, size_t at, int *most, int *least) {
    *most = *least = 0;
    for (int r = 1; r < n_ranks; r++) {
        if (seconds_of(&all[r], at) > seconds_of(&all[*most], at))
            *most = r;
        if (seconds_of(&all[r], at) < seconds_of(&all[*least], at))
            *least = r;
    }
}

void bench_print_phases(const struct step_times *all, int n_ranks) {
    if (n_ranks < 2)
        return;
    printf("%-22s %10s %6s %10s %6s %8s\n", "ms of the mean step", "max", "rank", "min", "rank",
           "max/min");
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        int most, least;
        find(all, n_ranks, phases[i].at, &most, &least);
        const double max = seconds_of(&all[most], phases[i].at);
        const double min = seconds_of(&all[least], phases[i].at);
        printf("%-22s %10.3f %6d %10.3f %6d ", phases[i].name, 1e3 * max, most, 1e3 * min, least);
        if (min > 0)
            printf("%8.2f\n", max / min);
        else
            printf("%8s\n", "-");
    }
}

struct bench_spread bench_exposed(const struct step_times *all, int n_ranks) {
    const size_t at = offsetof(struct step_times, exposed_comm);
    int most, least;

    find(all, n_ranks, at, &most, &least);
    return (struct bench_spread){seconds_of(&all[most], at), seconds_of(&all[least], at)};
}
