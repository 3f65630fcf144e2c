/* one_line.h - text of others, as a terminal may print it. */
#pragma once

/* Names and messages of files may hold anything: control characters become '?', so that text stays
 * one line and moves no cursor. Returns text. */
static inline char *one_line(char *text) {
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    return text;
}
