/* build.h - from text to graph: private to the builder (build.c, compose.c,
 * parts.c, arch.c, balance.c, classes.c, words.c). */
#pragma once
#include "core/graph/graph.h"

/* Of blocks inside each other, each of which takes about 2 KiB of stack. */
enum { BUILD_MAX_DEPTH = 48 };

struct named_value {
    const char *name;
    struct value value;
};

/* How far a statement is. */
enum build_progress { BUILD_WAITS, BUILD_RUNS, BUILD_DONE };

/* One body that is being evaluated: of a step, a use of a net, or a use of a block. */
struct frame {
    struct frame *outer;
    const struct section *section;
    struct net *net;   /* whose parameters are made here; NULL in a step */
    struct part *part; /* the use of a block that this is; NULL otherwise */
    struct named_value *names;
    int n_names;
    struct names known;      /* the last of each of those names */
    const char *statement;   /* the one at hand */
    struct part **parts;     /* parameterised parts made here, in order */
    int n_parts, first_part; /* those of the statement at hand begin at first_part */
    struct names taken; /* the names of parts; of the groups "pattern" and "word" how many so far */
    int depth;
    int use;                  /* number of the use of a net that this belongs to; 0 in a step */
    const char *const *plain; /* keys of the section that are no statements */
    enum build_progress *progress; /* [n_entries] of the section */
};

struct builder {
    const struct graph_config *config;
    struct graph *graph;
    struct evaluator eval;
    struct frame *frame;
    int n_uses; /* of nets so far */
};

/* Evaluate a section's statements in the frame at hand. *last is the value of the last one. */
int build_statements(struct builder *b, struct value *last, struct err *err);

/* Evaluate one statement, unless that is done or under way. Returns 1 when it did, else 0 or -1. */
int build_statement(struct builder *b, const char *key, struct value *out, struct err *err);

/* Use a block. */
int build_block(struct builder *b, const struct section *section, const struct expr *e,
                const struct value *piped, struct value *out, struct err *err);

/* share(block, ...): name one instance of a block. */
int build_share(struct builder *b, const struct expr *e, const struct value *piped,
                struct value *out, struct err *err);
int build_shared_use(struct builder *b, const struct value *block, const struct expr *e,
                     const struct value *piped, struct value *out, struct err *err);

/* Use a net; without its inputs, bind its parameters: resnet20(classes=10). */
int build_net(struct builder *b, const struct value *net, const struct expr *e,
              const struct value *piped, struct value *out, struct err *err);

/* The net that a section describes, unbound. */
struct value build_net_value(struct builder *b, const struct section *section, struct pos pos);

const char *build_net_name(const struct value *net);

/* A new part of the frame at hand, made by the call e, which may give it a name, or else by a
 * stage of a numbered chain; otherwise it gets one when its statement ends. NULL with err for a
 * name that is none, or is taken. */
struct part *build_part(struct builder *b, const char *word, const struct expr *e,
                        const struct value *piped, bool is_block, struct err *err);

/* x | numbered: from here on the stages of this chain count from 0 and name their parts. */
int build_numbered(struct builder *b, const struct expr *e, const struct value *piped,
                   struct value *out, struct err *err);

/* Name the parts of the statement just evaluated, by the rules of the language. */
int build_name_parts(struct builder *b, const struct entry *statement, struct err *err);

/* balanced or balanced(FIELD): a list of class weights, inverse to how often classes occur in the
 * data; classes that do not occur get 0. The number 1 where the data is not known. */
int build_balanced(struct builder *b, const struct expr *e, const struct value *piped,
                   struct value *out, struct err *err);

/* " (the data has the fields image, label)", in the model's pool; "" where there are none. */
const char *build_fields_text(const struct graph_config *config);

/* classes(FIELD): how many classes that field of the data has. */
int build_classes(struct builder *b, const struct expr *e, const struct value *piped,
                  struct value *out, struct err *err);

/* Where the value is the word auto, the number of classes of the field label takes its place. */
int build_auto(struct builder *b, struct value *v, struct err *err);

/* arch("C64 B R P L10"): a net section made from lecture notation. */
int build_arch(struct builder *b, const struct expr *e, const struct value *piped,
               struct value *out, struct err *err);

/* The node of a value that is a tensor, or becomes one: a number.
 *   whose  the word that takes it, for the error
 * Returns -1 with err for anything else. */
int build_node(struct builder *b, const struct value *v, const char *whose, struct err *err);

/* How a word may stand: width(x), x | width, balanced; WORD_STEP: in none but steps. */
enum { WORD_CALL = 1, WORD_PIPED = 2, WORD_NAME = 4, WORD_STEP = 8 };

/* A word of nets and steps beside operators. */
struct graph_word {
    struct word word;
    unsigned how; /* WORD_.. */
    /* Its value. piped: left of the bar, or NULL. Returns 0, or -1 with err. */
    int (*value)(struct builder *b, const struct expr *e, const struct value *piped,
                 struct value *out, struct err *err);
};

/* The word that may stand in this way in the frame at hand, or NULL. */
const struct graph_word *build_word(const struct builder *b, const char *name, unsigned how);
