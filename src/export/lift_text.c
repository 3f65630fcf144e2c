/* lift_text.c - names and statements of the net that is written. */
#include "export/lift.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Of a pipe before it becomes a statement, of a line, of a name. */
enum { PIPE_LEN = 80, LINE_LEN = 100, NAME_LEN = 60 };

/* Words that are no names. */
static const char *const reserved[] = {"and", "or", "not", "if", "true", "false", "auto"};

const char *lift_word(struct pool *pool, const char *name, bool dots) {
    char *out = pool_take(pool, strlen(name) + 3);
    size_t n = 0;

    for (const char *at = name; *at && n < NAME_LEN; at++) {
        const bool plain = (unsigned char)*at < 128 && isalnum((unsigned char)*at);
        if (!n && (!plain || isdigit((unsigned char)*at)))
            out[n++] = 'x';
        if (plain || (dots && *at == '.' && n && out[n - 1] != '.'))
            out[n++] = *at;
        else if (n && out[n - 1] != '_' && out[n - 1] != '.')
            out[n++] = '_';
    }
    while (n && (out[n - 1] == '_' || out[n - 1] == '.'))
        n--;
    out[n] = 0;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (!strcmp(out, reserved[i]))
            strcat(out, "_");
    return *out ? out : "x";
}

/* A name of that group that nothing has yet: name, name_2, ... */
static const char *fresh(struct lifting *l, const char *group, const char *name) {
    const int known = names_find(&l->taken, group, name);
    const char *out = name;

    for (int i = known + 1; known >= 0; i++) {
        out = pool_print(l->pool, "%s_%d", name, i + 1);
        if (names_find(&l->taken, group, out) < 0) {
            names_set(&l->taken, l->pool, group, name, i);
            break;
        }
    }
    names_set(&l->taken, l->pool, group, out, 1);
    return out;
}

/* "layer1.0.relu" of "/layer1/layer1.0/relu/Relu", as PyTorch names nodes: without what the next
 * part says again, and without the operator. */
static const char *short_name(struct lifting *l, const Onnx__NodeProto *node) {
    const char *at = node->name && *node->name ? node->name : node->op_type;
    const char *out = "";

    while (*at) {
        at += strspn(at, "/");
        const size_t len = strcspn(at, "/");
        const char *next = at + len + strspn(at + len, "/");
        const bool again = *next && !strncmp(next, at, len) && next[len] == '.';
        const bool type = !*next && *out && !strncmp(at, node->op_type, strlen(node->op_type));
        if (!again && !type)
            out = pool_print(l->pool, "%s%s%.*s", out, *out ? "." : "",
                             len < NAME_LEN ? (int)len : NAME_LEN, at);
        if (strlen(out) > NAME_LEN)
            break;
        at = next;
    }
    return *out ? out : node->op_type;
}

const char *lift_part(struct lifting *l, const Onnx__NodeProto *node, const char *weight) {
    const size_t len = strlen(weight), end = strlen(".weight");
    const bool named = len > end && !strcmp(weight + len - end, ".weight");
    const char *name = named ? pool_copy(l->pool, weight, len - end) : short_name(l, node);

    return fresh(l, "part", lift_word(l->pool, name, true));
}

void lift_weight(struct lifting *l, const char *part, const char *name, const struct shape *shape,
                 const float *data) {
    l->tensors = pool_grow(l->pool, l->tensors, l->n_tensors, sizeof *l->tensors);
    l->tensors[l->n_tensors++] =
        (struct onnx_import_tensor){pool_print(l->pool, "%s.%s", part, name), *shape, data};
}

const char *lift_numbers(struct lifting *l, const int64_t *v, int n) {
    const char *text = "";
    bool equal = true;

    for (int i = 0; i < n; i++) {
        equal = equal && v[i] == v[0];
        text = pool_print(l->pool, "%s%s%lld", text, i ? ", " : "", (long long)v[i]);
    }
    return equal && n ? pool_print(l->pool, "%lld", (long long)v[0])
                      : pool_print(l->pool, "[%s]", text);
}

/* A long statement goes on in the next line: before a bar, else after a comma. */
static const char *wrapped(struct lifting *l, const char *text) {
    const char *out = "";

    while (strlen(text) > LINE_LEN) {
        const char *cut = text + LINE_LEN;
        while (cut > text && *cut != '|')
            cut--;
        for (const char *comma = text + LINE_LEN; cut == text && comma > text; comma--)
            if (*comma == ',')
                cut = comma + 1;
        if (cut == text)
            break;
        const size_t len = (size_t)(cut - text) - (cut[-1] == ' ');
        out = pool_print(l->pool, "%s%.*s\n    ", out, (int)len, text);
        text = cut + strspn(cut, " ");
        if (*text == '|') /* it is the next line's, and no place to cut again */
            out = pool_print(l->pool, "%s| ", out), text += 2;
    }
    return pool_print(l->pool, "%s%s", out, text);
}

void lift_statement(struct lifting *l, const char *text) {
    l->statement = pool_grow(l->pool, l->statement, l->n_statements, sizeof *l->statement);
    l->statement[l->n_statements++] = text;
}

const char *lift_name(struct lifting *l, struct lift_value *v) {
    if (v->named)
        return v->text;
    const char *name = fresh(l, "", lift_word(l->pool, v->name, false));
    lift_statement(l, pool_print(l->pool, "%s = %s", name, wrapped(l, v->text)));
    v->text = name;
    v->named = true;
    return name;
}

/* What a value is called by is that of its node, not of an output nobody named. */
static const char *value_name(struct lifting *l, const Onnx__NodeProto *node, size_t k) {
    const char *name = lift_word(l->pool, short_name(l, node), false);

    return k ? pool_print(l->pool, "%s_%zu", name, k) : name;
}

int lift_pipe(struct lifting *l, const Onnx__NodeProto *node, size_t k, const struct lift_value *x,
              const struct shape *shape, const char *what, struct err *err) {
    char text[SHAPE_TEXT];

    if (k >= node->n_output)
        return lift_refuse(l, node, err, "has %zu outputs, expected %zu", node->n_output, k + 1);
    if (!shape_fits(shape) || !shape_len(shape))
        return lift_refuse(l, node, err, "its output would be %s", shape_text(shape, text));
    struct lift_value *v = lift_add(l, node->output[k], err);
    if (!v)
        return -1;
    struct lift_value *from = (struct lift_value *)(uintptr_t)x;
    if (from && (from->uses > 1 || strlen(from->text) > PIPE_LEN))
        lift_name(l, from);
    v->name = value_name(l, node, k);
    v->shape = *shape;
    v->text = from ? pool_print(l->pool, "%s | %s", from->text, what) : what;
    return 0;
}
