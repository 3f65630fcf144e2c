#include "core/lang/eval.h"
#include "core/base/nearest.h"
#include "core/lang/reader.h"

#include <math.h>
#include <string.h>

enum { MAX_KNOWN = 512, MAX_REPEAT = 1000, MAX_ITEMS = 1 << 20 };

/* These keep the recursion within the stack: one level takes about 300 bytes, that of a constant
 * twice as much, and more than twice that with sanitizers. The longest sum that is read, of 5000
 * terms, is as deep as it is long. */
enum { MAX_DEPTH = 6000, MAX_CONSTANTS = 1000 };

const char *value_kind_name(enum value_kind kind) {
    static const char *const names[] = {
        [VALUE_NUMBER] = "a number",    [VALUE_STRING] = "a string",      [VALUE_LIST] = "a list",
        [VALUE_APPLIED] = "a function", [VALUE_TENSOR] = "a tensor",      [VALUE_NET] = "a net",
        [VALUE_USE] = "a net's output", [VALUE_BLOCK] = "a shared block", [VALUE_AUTO] = "auto",
    };
    return names[kind];
}

int eval_unknown(struct evaluator *ev, const struct expr *e, struct err *err) {
    const struct section *let = source_find(ev->source, "let", "");
    const char *known[MAX_KNOWN];
    int n = 0;

    for (int i = 0; let && i < let->n_entries && n < MAX_KNOWN; i++)
        known[n++] = let->entries[i].key;
    if (ev->host && ev->host->known && !ev->n_constants)
        n = ev->host->known(ev, known, n, MAX_KNOWN);
    const char *near = nearest(e->text, known, n);
    if (near && !strcmp(near, e->text))
        return pos_error(err, e->pos, "found '%s' alone, expected a value before it, as in x | %s",
                         e->text, e->text);
    const bool hosted = ev->host && ev->host->what && !ev->n_constants;
    const char *what = hosted ? ev->host->what : "constant of [let]";
    const char *hint = hosted && ev->host->hint && e->kind == EXPR_NAME ? ev->host->hint(ev) : "";
    return pos_error(err, e->pos, "found '%s', expected %s known %s%s%s%s%s", e->text,
                     hosted ? "the name of a" : "a number or the name of a", what,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", hint);
}

/* The value of a constant, in the memory of the source. */
static int compute_constant(struct evaluator *ev, const struct expr *e, const struct entry *entry,
                            struct err *err) {
    struct evaluator inner = {.source = ev->source,
                              .pool = &ev->source->pool,
                              .depth = ev->depth,
                              .n_constants = ev->n_constants + 1};
    struct value *value = pool_take(inner.pool, sizeof *value);

    if (entry->memo->running)
        return pos_error(err, e->pos, "constant '%s' of [let] is defined by itself", e->text);
    if (inner.n_constants > MAX_CONSTANTS)
        return pos_error(err, e->pos,
                         "constants of [let] need each other more than %d deep, expected less",
                         MAX_CONSTANTS);
    entry->memo->running = true;
    const int rc = eval_entry(&inner, entry, value, err);
    entry->memo->running = false;
    if (!rc)
        entry->memo->value = value;
    return rc;
}

static int eval_constant(struct evaluator *ev, const struct expr *e, const struct entry *entry,
                         struct value *out, struct err *err) {
    if (!entry->memo->value && compute_constant(ev, e, entry, err))
        return -1;
    *out = *entry->memo->value;
    out->pos = e->pos;
    return 0;
}

static int eval_name(struct evaluator *ev, const struct expr *e, struct value *out,
                     struct err *err) {
    const struct section *let = source_find(ev->source, "let", "");

    if (ev->host && ev->host->name && !ev->n_constants) {
        const int found = ev->host->name(ev, e, out, err);
        if (found)
            return found < 0 ? -1 : 0;
    }
    const struct entry *constant = let ? section_find(let, e->text) : NULL;
    if (constant)
        return eval_constant(ev, e, constant, out, err);
    if (!strcmp(e->text, "true") || !strcmp(e->text, "false")) {
        *out =
            (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = !strcmp(e->text, "true")};
        return 0;
    }
    if (!strcmp(e->text, "auto")) {
        *out = (struct value){.kind = VALUE_AUTO, .pos = e->pos};
        return 0;
    }
    return eval_unknown(ev, e, err);
}

static double compute(enum expr_op op, double a, double b) {
    switch (op) {
    case OP_ADD:
        return a + b;
    case OP_SUB:
        return a - b;
    case OP_MUL:
        return a * b;
    case OP_DIV:
        return a / b;
    case OP_LT:
        return a < b;
    case OP_LE:
        return a <= b;
    case OP_GT:
        return a > b;
    case OP_GE:
        return a >= b;
    case OP_EQ:
        return !(a < b) && !(a > b);
    case OP_NE:
        return a < b || a > b;
    case OP_AND:
        return a != 0 && b != 0;
    case OP_OR:
        return a != 0 || b != 0;
    }
    return NAN;
}

static int eval_binary(struct evaluator *ev, const struct expr *e, struct value *out,
                       struct err *err) {
    static const char *const signs[] = {
        "+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "and", "or"};
    struct value a, b;

    if (eval(ev, e->left, &a, err))
        return -1;
    if (a.kind == VALUE_NUMBER &&
        ((e->op == OP_AND && a.number == 0) || (e->op == OP_OR && a.number != 0))) {
        *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = e->op == OP_OR};
        return 0;
    }
    if (eval(ev, e->right, &b, err))
        return -1;
    if (a.kind == VALUE_NUMBER && b.kind == VALUE_NUMBER) {
        if (e->op == OP_DIV && b.number == 0)
            return pos_error(err, e->pos, "division by zero");
        *out = (struct value){
            .kind = VALUE_NUMBER, .pos = e->pos, .number = compute(e->op, a.number, b.number)};
        return 0;
    }
    if (ev->host && ev->host->arithmetic) {
        const int found = ev->host->arithmetic(ev, e, &a, &b, out, err);
        if (found)
            return found < 0 ? -1 : 0;
    }
    return pos_error(err, e->pos, "'%s' between %s and %s, expected numbers", signs[e->op],
                     value_kind_name(a.kind), value_kind_name(b.kind));
}

/* if(condition, a, b): only the branch taken is evaluated. */
static int eval_if(struct evaluator *ev, const struct expr *e, struct value *out, struct err *err) {
    double condition = 0;

    if (e->n_args != 3 || e->args[0].name || e->args[1].name || e->args[2].name)
        return pos_error(err, e->pos, "if takes (condition, value if true, value if false)");
    if (eval_number(ev, e->args[0].value, &condition, err))
        return -1;
    return eval(ev, e->args[condition != 0 ? 1 : 2].value, out, err);
}

static int call_once(struct evaluator *ev, const struct expr *e, const struct value *piped,
                     struct value *out, struct err *err) {
    if (!strcmp(e->text, "if"))
        return piped ? pos_error(err, e->pos,
                                 "found 'if' behind a bar, expected it before one, as "
                                 "in if(condition, a, b) | relu")
                     : eval_if(ev, e, out, err);
    if (ev->n_constants)
        return pos_error(err, e->pos,
                         "found '%s(...)', expected numbers only: "
                         "constants of [let] cannot use functions",
                         e->text);
    const int found = ev->host && ev->host->call ? ev->host->call(ev, e, piped, out, err) : 0;
    if (found)
        return found < 0 ? -1 : 0;
    return eval_unknown(ev, e, err);
}

static int eval_call(struct evaluator *ev, const struct expr *e, const struct value *piped,
                     struct value *out, struct err *err);

/* The stages of (f | g), once through. */
static int group_once(struct evaluator *ev, const struct expr *e, const struct value *piped,
                      struct value *out, struct err *err) {
    struct value left = *piped;

    for (int i = 0; i < e->n_args; i++) {
        if (eval_call(ev, e->args[i].value, &left, out, err))
            return -1;
        left = *out;
    }
    return 0;
}

static int eval_call(struct evaluator *ev, const struct expr *e, const struct value *piped,
                     struct value *out, struct err *err) {
    double times = 1;
    struct value left;

    if (e->times) {
        if (eval_number(ev, e->times, &times, err))
            return -1;
        if (times != floor(times) || times < 0 || times > MAX_REPEAT)
            return pos_error(err, e->times->pos,
                             "'%s' is repeated %g times, expected a whole "
                             "number from 0 to %d",
                             e->text, times, MAX_REPEAT);
        if (!piped)
            return pos_error(err, e->pos,
                             "'%s^%g' stands alone, expected a value and a bar "
                             "before it",
                             e->text, times);
    }
    if (piped)
        left = *piped;
    *out = piped ? left : *out;
    for (int i = 0; i < (int)times; i++) {
        if (source_spend(ev->source, 1, e->pos, err))
            return -1;
        if (e->kind == EXPR_GROUP ? group_once(ev, e, &left, out, err)
                                  : call_once(ev, e, piped ? &left : NULL, out, err))
            return -1;
        left = *out;
    }
    return 0;
}

static int eval_list(struct evaluator *ev, const struct expr *e, struct value *out,
                     struct err *err) {
    struct value *items = pool_take(ev->pool, (size_t)(e->n_args + 1) * sizeof *items);
    int n_all = e->n_args;

    for (int i = 0; i < e->n_args; i++) {
        if (eval(ev, e->args[i].value, &items[i], err))
            return -1;
        n_all += items[i].n_all;
        if (n_all > MAX_ITEMS)
            return pos_error(err, e->pos, "list of more than %d items, expected fewer", MAX_ITEMS);
    }
    *out = (struct value){
        .kind = VALUE_LIST, .pos = e->pos, .items = items, .n_items = e->n_args, .n_all = n_all};
    return 0;
}

static int eval_member(struct evaluator *ev, const struct expr *e, struct value *out,
                       struct err *err) {
    struct value left;

    if (eval(ev, e->left, &left, err))
        return -1;
    const int found = ev->host && ev->host->member ? ev->host->member(ev, e, &left, out, err) : 0;
    if (found)
        return found < 0 ? -1 : 0;
    return pos_error(err, e->pos, "'.%s' of %s, expected the output of a net", e->text,
                     value_kind_name(left.kind));
}

/* -x and not x. */
static int eval_unary(struct evaluator *ev, const struct expr *e, struct value *out,
                      struct err *err) {
    struct value v;

    if (eval(ev, e->left, &v, err))
        return -1;
    if (v.kind != VALUE_NUMBER && e->kind == EXPR_NEGATE && ev->host && ev->host->arithmetic) {
        const struct expr times = {.kind = EXPR_BINARY, .pos = e->pos, .op = OP_MUL};
        const struct value minus = {.kind = VALUE_NUMBER, .pos = e->pos, .number = -1};
        const int found = ev->host->arithmetic(ev, &times, &v, &minus, out, err);
        if (found)
            return found < 0 ? -1 : 0;
    }
    if (v.kind != VALUE_NUMBER)
        return pos_error(err, e->pos, "found %s, expected a number", value_kind_name(v.kind));
    *out = (struct value){.kind = VALUE_NUMBER,
                          .pos = e->pos,
                          .number = e->kind == EXPR_NOT ? v.number == 0 : -v.number};
    return 0;
}

static int eval_kind(struct evaluator *ev, const struct expr *e, struct value *out,
                     struct err *err) {
    struct value left;

    switch (e->kind) {
    case EXPR_NUMBER:
        *out = (struct value){.kind = VALUE_NUMBER, .pos = e->pos, .number = e->number};
        return 0;
    case EXPR_STRING:
        *out = (struct value){.kind = VALUE_STRING, .pos = e->pos, .text = e->text};
        return 0;
    case EXPR_NAME:
        return eval_name(ev, e, out, err);
    case EXPR_CALL:
    case EXPR_GROUP:
        return eval_call(ev, e, NULL, out, err);
    case EXPR_MEMBER:
        return eval_member(ev, e, out, err);
    case EXPR_LIST:
        return eval_list(ev, e, out, err);
    case EXPR_NEGATE:
    case EXPR_NOT:
        return eval_unary(ev, e, out, err);
    case EXPR_BINARY:
        return eval_binary(ev, e, out, err);
    case EXPR_PIPE:
        if (eval(ev, e->left, &left, err))
            return -1;
        return eval_call(ev, e->right, &left, out, err);
    }
    return pos_error(err, e->pos, "expression of an unknown kind");
}

int eval(struct evaluator *ev, const struct expr *e, struct value *out, struct err *err) {
    if (source_spend(ev->source, 1, e->pos, err))
        return -1;
    if (ev->depth >= MAX_DEPTH)
        return pos_error(err, e->pos,
                         "values that need each other more than %d deep, expected less", MAX_DEPTH);
    ev->depth++;
    const int rc = eval_kind(ev, e, out, err);
    ev->depth--;
    return rc;
}

int eval_entry(struct evaluator *ev, const struct entry *entry, struct value *out,
               struct err *err) {
    struct expr *e;

    if (expr_parse(ev->source, entry, &e, err))
        return -1;
    return eval(ev, e, out, err);
}

int eval_number(struct evaluator *ev, const struct expr *e, double *out, struct err *err) {
    struct value v;

    if (eval(ev, e, &v, err))
        return -1;
    if (v.kind != VALUE_NUMBER)
        return pos_error(err, e->pos, "found %s, expected a number", value_kind_name(v.kind));
    *out = v.number;
    return 0;
}
