/* clock.h - time that only moves forward. */
#pragma once

/* Seconds of the system's monotonic clock, since some moment in the past. */
double clock_now(void);

/* Seconds that processors have spent on this process, on all of its threads. */
double clock_processor(void);
