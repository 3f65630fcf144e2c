/* unfinished.h - files that must not outlive this process: what is half written, and locks. Who
 * makes one removes it; where the program ends in the middle for lack of memory, this does. */
#pragma once

struct unfinished;

/* A file that is there. Remembered is the file, not its name alone: what another process puts in
 * its place stays. To be dropped by unfinished_drop. NULL where there is no memory, or no such
 * file: then it would be left behind. Any thread. */
struct unfinished *unfinished_add(const char *path);

/* It is finished, or removed. NULL is fine. Any thread. */
void unfinished_drop(struct unfinished *u);

/* Remove all that this process has added, right before it ends. Takes no memory. */
void unfinished_remove(void);
