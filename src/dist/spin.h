/* spin.h - to wait for another rank, which is mostly a matter of microseconds. */
#pragma once
#include <sched.h>

enum { SPIN_TIMES = 200 }; /* some microseconds */

/* Once more in a loop that waits; *spins begins with 0. The processor is given away where it takes
 * longer: there may be more ranks than processors. */
static inline void spin(int *spins) {
    if (++*spins > SPIN_TIMES)
        sched_yield();
#if defined(__x86_64__) || defined(__i386__)
    else
        __builtin_ia32_pause();
#endif
}
