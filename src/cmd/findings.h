/* findings.h - what `dltrain check` says: a line each, for people or for programs. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

enum finding { FINDING_OK, FINDING_WARNING, FINDING_REFUSED };

struct finding_list {
    bool silent;  /* of ranks whose findings nobody reads */
    json_t *json; /* they are collected in place of printed; NULL: they are printed */
    int n_warnings;
};

/*   topic  a word: "memory" */
void findings_add(struct finding_list *f, enum finding what, const char *topic, const char *fmt,
                  ...) __attribute__((format(printf, 4, 5)));

/* "1.5 GiB", "300 KiB"; "2 h 05 min", "340 ms": into text, which is returned. */
enum { FINDING_TEXT = 32 };
const char *findings_bytes(double bytes, char text[FINDING_TEXT]);
const char *findings_rate(double rate, char text[FINDING_TEXT]); /* "4.61", "453812" */
const char *findings_time(double seconds, char text[FINDING_TEXT]);
