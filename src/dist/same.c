#include "dist/same.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum { SHOWN = 160, BEFORE = 60 }; /* bytes of a text, of them before the first difference */

void same_add(struct same *list, const char *key, const char *fmt, ...) {
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    const int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *text = pool_take(&list->pool, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, ap);
    va_end(ap);
    list->item = pool_grow(&list->pool, list->item, list->n, sizeof *list->item);
    list->item[list->n++] = (struct same_item){pool_copy(&list->pool, key, strlen(key)), text};
}

void same_release(struct same *list) {
    pool_release(&list->pool);
    *list = (struct same){0};
}

/* --- as a message --- */

/* The host, then keys and texts in turn, each with the 0 at its end. */
struct message {
    char *bytes;
    int64_t len;
};

static void append(struct message *m, const char *text) {
    const size_t bytes = strlen(text) + 1;

    memcpy(m->bytes + m->len, text, bytes);
    m->len += (int64_t)bytes;
}

static struct message pack(const struct same *list, const char *host, struct pool *pool) {
    size_t bytes = strlen(host) + 1;

    for (int i = 0; i < list->n; i++)
        bytes += strlen(list->item[i].key) + strlen(list->item[i].text) + 2;
    struct message m = {pool_take(pool, bytes), 0};
    append(&m, host);
    for (int i = 0; i < list->n; i++) {
        append(&m, list->item[i].key);
        append(&m, list->item[i].text);
    }
    return m;
}

static const char *next_text(const char **at) {
    const char *text = *at;

    *at += strlen(text) + 1;
    return text;
}

/* The list of a message, whose texts it borrows; *host likewise. */
static void unpack(const struct message *m, const char **host, struct same *list) {
    const char *at = m->bytes, *const end = m->bytes + m->len;

    *host = next_text(&at);
    while (at < end) {
        const char *key = next_text(&at);
        list->item = pool_grow(&list->pool, list->item, list->n, sizeof *list->item);
        list->item[list->n++] = (struct same_item){key, next_text(&at)};
    }
}

/* --- the difference in words --- */

/* The item of that key, or NULL; it is mostly at the same place. */
static const struct same_item *find(const struct same *list, const char *key, int near) {
    for (int i = 0; i < list->n; i++) {
        const struct same_item *item = &list->item[(near + i) % list->n];
        if (!strcmp(item->key, key))
            return item;
    }
    return NULL;
}

/* Not within a character of several bytes (UTF-8). */
static size_t at_character(const char *text, size_t at) {
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

/* "KEY = TEXT", of a long text what is around the first byte in which it differs. */
static const char *shown(struct pool *pool, const struct same_item *item, size_t differs) {
    const size_t len = strlen(item->text);

    if (!len)
        return item->key;
    if (len <= SHOWN)
        return pool_print(pool, "%s = %s", item->key, item->text);
    const size_t from = differs < SHOWN - BEFORE ? 0 : at_character(item->text, differs - BEFORE);
    const size_t to = len - from <= SHOWN ? len : at_character(item->text, from + SHOWN);
    return pool_print(pool, "%s = %s%.*s%s", item->key, from ? "... " : "", (int)(to - from),
                      item->text + from, to < len ? " ..." : "");
}

static size_t first_difference(const char *a, const char *b) {
    size_t i = 0;

    while (a[i] && a[i] == b[i])
        i++;
    return i;
}

/* What this rank has, and what rank 0. */
struct difference {
    const char *mine, *first;
};

static struct difference of_items(struct pool *pool, const struct same_item *mine,
                                  const struct same_item *first) {
    const size_t at = mine && first ? first_difference(mine->text, first->text) : 0;

    if (mine && first)
        return (struct difference){shown(pool, mine, at), shown(pool, first, at)};
    if (first)
        return (struct difference){pool_print(pool, "no %s", first->key), shown(pool, first, 0)};
    return (struct difference){shown(pool, mine, 0), pool_print(pool, "no %s", mine->key)};
}

/* Keys and texts are the same: their order is not. */
static struct difference of_order(struct pool *pool, const struct same *mine,
                                  const struct same *first) {
    int i = 0;

    while (i + 1 < mine->n && !strcmp(mine->item[i].key, first->item[i].key))
        i++;
    return (struct difference){
        pool_print(pool, "%s before %s", mine->item[i].key, first->item[i].key),
        pool_print(pool, "%s before %s", first->item[i].key, mine->item[i].key)};
}

static struct difference find_difference(struct pool *pool, const struct same *mine,
                                         const struct same *first) {
    for (int i = 0; i < first->n; i++) {
        const struct same_item *item = find(mine, first->item[i].key, i);
        if (!item || strcmp(item->text, first->item[i].text))
            return of_items(pool, item, &first->item[i]);
    }
    for (int i = 0; i < mine->n; i++)
        if (!find(first, mine->item[i].key, i))
            return of_items(pool, &mine->item[i], NULL);
    return of_order(pool, mine, first);
}

/* --- all ranks --- */

/* The lowest rank whose hash is another than that of rank 0, or the number of ranks. */
static int first_unlike(struct comm *comm, const struct same *list, struct pool *pool) {
    const int size = comm_size(comm);
    const struct message m = pack(list, "", pool);
    const uint64_t mine = XXH3_64bits(m.bytes, (size_t)m.len);
    uint64_t *all = pool_take(pool, (size_t)size * sizeof *all);
    int rank = 0;

    comm_all_gather(comm, &mine, all, sizeof mine);
    while (rank < size && all[rank] == all[0])
        rank++;
    return rank;
}

/* Rank 0 says what it has, the other one finds the difference and tells all. */
static int explain(struct comm *comm, const struct same *list, int other, enum err_kind kind,
                   const char *advice, struct pool *pool, struct err *err) {
    struct message m = {0};
    struct same first = {0};
    const char *host;

    if (comm_rank(comm) == 0)
        m = pack(list, comm_host(comm), pool);
    comm_bcast(comm, &m.len, sizeof m.len, 0);
    if (comm_rank(comm) > 0)
        m.bytes = pool_take(pool, (size_t)m.len);
    comm_bcast(comm, m.bytes, (size_t)m.len, 0);
    if (comm_rank(comm) == other) {
        unpack(&m, &host, &first);
        const struct difference d = find_difference(pool, list, &first);
        err_set(err, kind, "rank %d on %s has %s, rank 0 on %s has %s; %s", other, comm_host(comm),
                d.mine, host, d.first, advice);
    }
    same_release(&first);
    comm_bcast(comm, err, sizeof *err, other);
    return -1;
}

int same_check(struct comm *comm, const struct same *list, enum err_kind kind, const char *advice,
               struct err *err) {
    struct pool pool = {0};
    int rc = 0;

    if (comm_size(comm) > 1) {
        const int other = first_unlike(comm, list, &pool);
        if (other < comm_size(comm))
            rc = explain(comm, list, other, kind, advice, &pool, err);
    }
    pool_release(&pool);
    return rc;
}
