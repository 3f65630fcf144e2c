/* rename.h - rules that give tensors other names, and patterns that pick some of them.
 *
 * A pattern is a name, the beginning of names in whole dotted parts (`layer1` means layer1.0.weight
 * but not layer10.weight), or a text with one `*`, which stands for any text and must fit the whole
 * name. A rule is `OLD -> NEW` with a pattern OLD: what a beginning matched becomes NEW, and
 * nothing where NEW is empty; of an OLD with `*` the whole name becomes NEW, in which `*` stands
 * for the same text. */
#pragma once
#include "core/base/err.h"
#include "core/base/pool.h"

#include <stdbool.h>

struct rename_rule {
    const char *old, *new; /* new NULL: a pattern alone */
    bool used;             /* it has matched something; set by rename_apply and rename_match */
};

/* Rules in the order in which they are tried. {0} is none. */
struct renames {
    struct rename_rule *rule;
    int n;
};

/* Add what a text holds to the list: `OLD -> NEW, OLD -> NEW`, or patterns where there are no
 * arrows to be. Blanks around names are left out. Everything belongs to the pool.
 *   arrows  rules, not patterns
 * Errors: ERR_CONFIG, what was found and what was expected, without a place. */
int rename_parse(struct renames *list, struct pool *pool, const char *text, bool arrows,
                 struct err *err);

/* The name by the first rule that matches, in pool; the name itself where none does. It is empty
 * where a rule removes all of it. */
const char *rename_apply(struct renames *rules, struct pool *pool, const char *name);

/* Does a pattern match? All that do count as used. */
bool rename_match(struct renames *patterns, const char *name);

/* The first that has matched nothing, or NULL. */
const struct rename_rule *rename_unused(const struct renames *list);
