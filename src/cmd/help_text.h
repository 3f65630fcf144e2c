/* help_text.h - what help prints of words and keys, for a terminal and as Markdown. */
#pragma once
#include "core/base/word.h"

struct key;
struct job_section;

enum { HELP_TEXT = 512 }; /* bytes of one piece of text */

/* ", at least 1", ", 0 to 1" or nothing, added to text. Bounds that are there to keep numbers
 * finite are not told. */
void help_range(double min, double max, char text[HELP_TEXT]);

/* A printf added to text, cut at its end. */
void help_add(char text[HELP_TEXT], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The cell of a Markdown table. */
void help_cell(const char *text);

/* All words of every vocabulary, with those arguments they have. */
void help_words(void);
void help_words_markdown(void);

/* All that is known of the words of that name. Returns whether there is one. */
bool help_word(const char *name);

/* All sections and keys. */
void help_keys(void);
void help_keys_markdown(void);

/* The section, and the keys of any section, of that name. Returns whether there is one. */
bool help_section(const char *name);
bool help_key(const char *section, const char *name); /* NULL: of any section */

/* "whole number of samples, at least 1": what the key may be. */
void help_key_value(const struct key *k, char text[HELP_TEXT]);

/* Print how the section is headed: "[step]", "[step NAME]" or both. */
void help_head(const struct job_section *s);

/* Manual pages: dltrain(1) and dltrain-job(5), as roff. */
void help_man_program(void);
void help_man_job(void);

/* What a shell completes: commands, options, keys, job files, runs. */
void help_complete_bash(void);
void help_complete_zsh(void);

/* The words that have an argument of that name. Returns whether there is one. */
bool help_argument(const char *name);

/* What operators become in ONNX files, and what is read of these. */
void help_onnx(void);
void help_onnx_markdown(void);
