/* mode.h - how numbers are computed, where there is a choice that leaves what they mean. The job
 * has one of these; plans and kernels borrow it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct compute_mode {
    bool fusion;   /* chains of operators are computed as one */
    bool winograd; /* convolutions may be, in place of adding up every product */
};

/* The mode, or, where none is given, what a job that says nothing has. */
static inline const struct compute_mode *compute_mode_of(const struct compute_mode *mode) {
    static const struct compute_mode usual = {.fusion = true, .winograd = true};

    return mode ? mode : &usual;
}
