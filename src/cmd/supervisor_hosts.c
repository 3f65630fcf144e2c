/* supervisor_hosts.c - which hosts a job may use, and which are left. */
#include "cmd/supervisor.h"
#include "io/file/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SLOTS = 4096 };

static void add(struct supervisor *s, const char *name, size_t len, int slots) {
    const char *copy = pool_copy(&s->pool, name, len);

    for (int i = 0; i < s->n_hosts; i++)
        if (!strcmp(s->host[i].name, copy)) {
            s->host[i].slots += slots;
            return;
        }
    s->host = pool_grow(&s->pool, s->host, s->n_hosts, sizeof *s->host);
    s->host[s->n_hosts++] = (struct supervisor_host){copy, slots, true};
}

/* A number that the text is from its beginning to *end; 0: none, or out of range. */
static int read_slots(const char *text, const char **end) {
    char *after;
    const long n = strtol(text, &after, 10);

    *end = after;
    return after != text && n > 0 && n <= MOST_SLOTS ? (int)n : 0;
}

/* "node1:4" or "node1" of len bytes. Returns -1 where it is neither. */
static int add_entry(struct supervisor *s, const char *entry, size_t len, int slots) {
    const char *colon = memchr(entry, ':', len), *end = entry + len;
    const size_t name = colon ? (size_t)(colon - entry) : len;

    if (colon)
        slots = read_slots(colon + 1, &end);
    if (!name || !slots || end != entry + len)
        return -1;
    add(s, entry, name, slots);
    return 0;
}

int supervisor_read_hosts(struct supervisor *s, const char *list, struct err *err) {
    for (const char *at = list;; at++) {
        const size_t len = strcspn(at, ",");

        if (add_entry(s, at, len, 1) || memchr(at, ' ', len))
            return err_set(err, ERR_USAGE,
                           "--hosts: found '%.*s', expected HOST or HOST:SLOTS of 1 to %d, as in "
                           "node1:4,node2:4",
                           (int)len, at, MOST_SLOTS);
        at += len;
        if (!*at)
            return 0;
    }
}

/* A line, without its comment, of words between blanks. */
static int read_line(struct supervisor *s, const char *line, size_t len) {
    static const char blanks[] = " \t\r";
    const char *const slots_word = "slots=";
    const char *text = pool_copy(&s->pool, line, len), *end;

    text += strspn(text, blanks);
    const size_t name = strcspn(text, blanks);
    if (!name)
        return 0;
    const char *word = text + name + strspn(text + name, blanks);
    if (!*word)
        return memchr(text, ':', name) ? add_entry(s, text, name, 0) : -1;
    if (strncmp(word, slots_word, strlen(slots_word)) != 0)
        return -1;
    const int slots = read_slots(word + strlen(slots_word), &end);
    if (!slots || !strchr(" \t\r", *end)) /* or its end; others follow, as max_slots */
        return -1;
    add(s, text, name, slots);
    return 0;
}

int supervisor_read_hostfile(struct supervisor *s, const char *file, struct err *err) {
    char *text;
    size_t len;
    int rc = 0, line = 1;

    if (file_read(file, &text, &len, err))
        return -1;
    for (const char *at = text; *at && !rc; line++) {
        const size_t all = strcspn(at, "\n");

        if (read_line(s, at, strcspn(at, "#\n")))
            rc = err_set(err, ERR_CONFIG,
                         "%s:%d: found '%.*s', expected `HOST slots=N` or `HOST:N`, N from 1 to %d",
                         file, line, (int)all, at, MOST_SLOTS);
        at += all + (at[all] == '\n');
    }
    free(text);
    if (!rc && !s->n_hosts)
        rc = err_set(err, ERR_CONFIG, "%s: found no host, expected lines `HOST slots=N`", file);
    return rc;
}

/* Slurm's "4(x2),3": tasks of nodes in their order. Returns those of the next, 0 at the end. */
static int next_tasks(const char **at, int *tasks, int *times) {
    if (*times == 0) {
        *tasks = read_slots(*at, at);
        *times = 1;
        if (!strncmp(*at, "(x", 2))
            *times = read_slots(*at + 2, at), *at += **at == ')';
        *at += **at == ',';
    }
    --*times;
    return *tasks;
}

int supervisor_read_slurm(struct supervisor *s, struct err *err) {
    const char *list = getenv("SLURM_JOB_NODELIST"), *tasks = getenv("SLURM_TASKS_PER_NODE");
    char name[256];
    int n = 0, times = 0;

    if (!list || !tasks)
        return 0;
    /* Slurm's own way to write a list out; it reads the variable itself. */
    FILE *names = popen("scontrol show hostnames", "r");
    while (names && fgets(name, sizeof name, names)) {
        name[strcspn(name, "\n")] = 0;
        if (name[0] && next_tasks(&tasks, &n, &times))
            add(s, name, strlen(name), n);
    }
    if (!names || pclose(names) || !s->n_hosts)
        return err_set(err, ERR_IO,
                       "scontrol show hostnames does not say the hosts of SLURM_JOB_NODELIST=%s; "
                       "--hosts gives them",
                       list);
    s->slurm = true;
    return 0;
}

int supervisor_ranks(const struct supervisor *s) {
    int slots = 0;

    for (int i = 0; i < s->n_hosts; i++)
        slots += s->host[i].answers ? s->host[i].slots : 0;
    if (!s->n_hosts)
        return s->most_ranks;
    return s->most_ranks && s->most_ranks < slots ? s->most_ranks : slots;
}

const char *supervisor_host_list(struct supervisor *s) {
    const char *text = "";

    for (int i = 0; i < s->n_hosts; i++)
        if (s->host[i].answers)
            text = pool_print(&s->pool, "%s%s%s:%d", text, *text ? "," : "", s->host[i].name,
                              s->host[i].slots);
    return text;
}

const char *supervisor_host_names(struct supervisor *s, bool answers) {
    const char *text = "";

    for (int i = 0; i < s->n_hosts; i++)
        if (s->host[i].answers == answers)
            text = pool_print(&s->pool, "%s%s%s", text, *text ? " " : "", s->host[i].name);
    return text;
}
