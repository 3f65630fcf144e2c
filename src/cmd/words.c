#include "cmd/words.h"
#include "core/graph/graph.h"
#include "core/learn/optim.h"
#include "core/learn/schedule.h"
#include "core/ops/op.h"
#include "core/ops/parts/init.h"
#include "dist/allreduce/allreduce.h"
#include "dist/allreduce/wire.h"
#include "dist/sync.h"
#include "dist/shuffle.h"
#include "io/augment/augment.h"
#include "io/import/import.h"
#include "job/key.h"

enum op_kind { OPERATOR, LOSS, METRIC };

static enum op_kind kind_of(const struct op *op) {
    return !op->count ? OPERATOR : op->backward ? LOSS : METRIC;
}

/* The i-th operator of that kind. */
static bool op_at(enum op_kind kind, int i, struct word *out) {
    int n;
    const struct op *const *ops = op_table(&n);

    for (int k = 0; k < n; k++)
        if (kind_of(ops[k]) == kind && !i--) {
            *out = ops[k]->word;
            return true;
        }
    return false;
}

static bool operator_at(int i, struct word *out) {
    return op_at(OPERATOR, i, out);
}

static bool loss_at(int i, struct word *out) {
    return op_at(LOSS, i, out);
}

static bool metric_at(int i, struct word *out) {
    return op_at(METRIC, i, out);
}

static bool copy(const struct word *word, struct word *out) {
    if (word)
        *out = *word;
    return word;
}

static bool alias_at(int i, struct word *out) {
    return copy(op_alias_at(i), out);
}

static bool function_at(int i, struct word *out) {
    return copy(graph_word_at(i), out);
}

static bool job_function_at(int i, struct word *out) {
    return copy(job_word_at(i), out);
}

static bool initialiser_at(int i, struct word *out) {
    return copy(init_word(i), out);
}

static bool optimiser_at(int i, struct word *out) {
    int n;
    const struct optimizer *const *table = optim_table(&n);

    return copy(i < n ? &table[i]->word : NULL, out);
}

static bool schedule_word_at(int i, struct word *out) {
    return copy(schedule_word(i), out);
}

static bool augmentation_at(int i, struct word *out) {
    int n;
    const struct augment *const *table = augment_table(&n);

    return copy(i < n ? &table[i]->word : NULL, out);
}

static bool algorithm_at(int i, struct word *out) {
    return copy(allreduce_word(i), out);
}

static bool order_at(int i, struct word *out) {
    return copy(shuffle_word(i), out);
}

static bool wire_at(int i, struct word *out) {
    return copy(wire_word(i), out);
}

static bool sync_at(int i, struct word *out) {
    return copy(sync_word(i), out);
}

static bool importer_at(int i, struct word *out) {
    int n;
    const struct importer *const *table = importer_table(&n);

    if (i < n)
        *out = (struct word){.name = table[i]->name, .help = table[i]->help};
    return i < n;
}

static const struct vocabulary table[] = {
    {"Operators", "In nets, blocks, steps and validation", operator_at},
    {"Losses", "In steps, and measured in validation", loss_at},
    {"Metrics", "In validation", metric_at},
    {"Other names", "For a loss above", alias_at},
    {"Functions", "In expressions", function_at},
    {"Functions of optimisers", "In arguments of optimisers and schedules", job_function_at},
    {"Initialisers", "For `init=` of operators with weights", initialiser_at},
    {"Optimisers", "For `optimizer` of `[step]`", optimiser_at},
    {"Schedules", "For `lr=` of optimisers", schedule_word_at},
    {"Augmentations", "For `augment` of `[data]`", augmentation_at},
    {"Orders", "For `shuffle` of `[data]`", order_at},
    {"All-reduce algorithms", "For `allreduce` of `[dist]`", algorithm_at},
    {"Formats on the wire", "For `wire` of `[dist]`", wire_at},
    {"Synchronisation", "For `sync` of `[dist]`", sync_at},
    {"Importers", "For `dltrain data import`", importer_at},
};

enum { N_VOCABULARIES = sizeof table / sizeof *table };

const struct vocabulary *vocabulary_at(int i) {
    return i < N_VOCABULARIES ? &table[i] : NULL;
}
