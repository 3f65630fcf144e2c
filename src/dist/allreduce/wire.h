/* wire.h - how numbers travel between hosts: as they are, or packed into fewer bytes, where what
 * packing loses is kept and sent with the next step's (error feedback), so that over many steps
 * nothing is lost. The formats are words of the job language in a table, `[dist] wire = bf16`.
 * Source: error feedback, Seide et al. 2014, doi:10.21437/Interspeech.2014-274; Karimireddy et al.
 * 2019, arXiv:1901.09847 */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"
#include "core/base/word.h"

struct wire_format {
    struct word word; /* first: wire_find() gives its address */

    /* The three of them are NULL where numbers travel as they are.
     * Bytes of len packed numbers. */
    size_t (*bytes)(const void *args, int64_t len);
    /* Pack v + residual; what that loses becomes the residual. Infinities and NaNs stay what they
     * are, and leave none.
     *   v, residual  [len]
     *   out          [bytes(len)], aligned as a float */
    void (*pack)(const void *args, const real *v, real *residual, int64_t len, void *out);
    void (*unpack)(const void *args, const void *in, int64_t len, real *v);
    /* Can these arguments be? NULL: any. Errors: ERR_CONFIG. */
    int (*check)(const void *args, struct err *err);
};

/* The word (first member of its struct wire_format) of that name, or NULL; the i-th, NULL past the
 * end. The first of them is that of numbers as they are. */
const struct word *wire_find(const char *name);
const struct word *wire_word(int i);

/* The format of a word of the table; NULL where numbers travel as they are, also of {0}. */
const struct wire_format *wire_format(const struct applied *wire);

/* Errors: ERR_CONFIG where its arguments cannot be, saying what is expected. */
int wire_check(const struct applied *wire, struct err *err);
