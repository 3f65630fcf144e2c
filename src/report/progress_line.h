/* progress_line.h - one line of a terminal that says how far something is: pieces of text, a bar
 * and a sparkline, as many of them as there is room for. */
#pragma once
#include "report/glyphs.h"
#include "report/screen.h"

enum { LINE_PIECES = 48, LINE_PIECE = 80 };

/* What stays longest as a line gets shorter, from the last. Bar and sparkline grow with it. */
enum worth {
    WORTH_RATE_OF_LEARNING,
    WORTH_STEP,
    WORTH_SPARK,
    WORTH_SPEED,
    WORTH_EPOCH,
    WORTH_BAR,
    WORTH_LEFT,
    WORTH_LOSS,
    WORTH_ALWAYS
};

/* {0}: an empty line. */
struct progress_line {
    struct line_piece {
        char text[LINE_PIECE];
        enum worth worth;
    } piece[LINE_PIECES];
    int n;
    double share;              /* that the bar shows */
    const struct spark *spark; /* borrowed; NULL: none */
};

/* Add a piece behind the others, if there is room for one more. That of WORTH_BAR and WORTH_SPARK
 * has no text: it is where they stand. */
void progress_line_add(struct progress_line *l, enum worth worth, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Print it in at most so many columns, without an end of line. */
void progress_line_print(FILE *out, const struct progress_line *l, int columns,
                         const struct screen *screen);

/* "1:02:03 left"; "" for what is not known. */
enum { PROGRESS_LEFT = 32 };
const char *progress_left(double left_s, char text[PROGRESS_LEFT]);
