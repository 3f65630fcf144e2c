/* screen.h - what the terminal behind a stream can show, and how large it is now. */
#pragma once
#include <stdbool.h>

/* {false, false, false}: plain text. */
struct screen {
    bool moves;  /* it is a terminal: lines can be written over */
    bool colour; /* and it shows colours, which nobody has asked to leave out (no-color.org) */
    bool utf8;   /* the locale's letters are UTF-8 */
};

enum ink { INK_GOOD, INK_WARNING, INK_ERROR, INK_BAR, INK_DIM };

/* That of a file descriptor of this process, 1 or 2. mpirun gives every rank a terminal of its own
 * making: whether its user has one is seen from mpirun's own output. */
struct screen screen_of(int fd);

/* Columns and rows now, as windows are resized; what COLUMNS and LINES say where the terminal of
 * this file descriptor does not know, else 80 and 24. */
void screen_size(int fd, int *columns, int *rows);

/* What switches to an ink, and back from any; "" where there are no colours. */
const char *screen_ink(const struct screen *s, enum ink ink);
const char *screen_plain(const struct screen *s);
