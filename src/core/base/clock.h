/* clock.h - time that only moves forward, and that of calendars. */
#pragma once

/* Seconds of the system's monotonic clock, since some moment in the past. */
double clock_now(void);

/* Seconds since 1970, UTC, as the system is set: to write down, not to measure by. */
double clock_utc(void);

/* Seconds that processors have spent on this process, on all of its threads. */
double clock_processor(void);
