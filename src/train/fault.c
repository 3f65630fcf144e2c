#include "train/fault.h"
#include "io/file/file.h"
#include "train/fault_parts.h"
#include "train/node_label.h"
#include "train/replica.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fault_names_init(struct fault_names *names, struct replica *r) {
    struct pool *pool = &r->model.pool;

    *names = (struct fault_names){.n_steps = r->n_steps};
    for (int i = 0; i < r->n_steps; i++) {
        const struct graph *g = r->step[i].graph;
        const char **label = pool_take(pool, (size_t)(g->n_nodes + 1) * sizeof *label);
        for (int k = 0; k < g->n_nodes; k++)
            label[k] = node_label(g, k, pool);
        names->step[i] = r->step[i].job->name;
        names->node[i] = label;
        names->n_nodes[i] = g->n_nodes;
    }
}

const char *fault_node(const struct fault_names *names, int which, int node) {
    return names && which >= 0 && which < names->n_steps && node >= 0 &&
                   node < names->n_nodes[which]
               ? names->node[which][node]
               : NULL;
}

/* Some file systems have no links of this kind. */
int fault_place(const char *beside, const char *path) {
    int rc = link(beside, path);

    if (rc && errno != EEXIST)
        rc = access(path, F_OK) ? rename(beside, path) : (errno = EEXIST, -1);
    const int why = errno;
    unlink(beside);
    errno = why;
    return !rc ? 0 : why == EEXIST ? 1 : -1;
}

/* Written beside and then put in its place, unless another process was first. */
static int write_page(const char *path, const char *text, struct pool *pool) {
    const char *beside = pool_print(pool, "%s.%ld.tmp", path, (long)getpid());
    const int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        return -1;
    int rc = file_write(fd, text, strlen(text)) || fsync(fd);
    rc = close(fd) || rc;
    if (!rc)
        return fault_place(beside, path);
    unlink(beside);
    return -1;
}

/* What cannot be written of it is no reason to say less on standard error. */
static void write_json(const char *path, const struct fault *f) {
    json_t *json = fault_json(f);
    char *text = json ? json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    struct err ignored = {0};

    if (text)
        (void)file_replace(path, text, strlen(text), &ignored);
    free(text);
    json_decref(json);
}

static const char *elsewhere(const char *folder, struct pool *pool) {
    const char *temporary = getenv("TMPDIR"), *name = strrchr(folder, '/');

    return pool_print(pool, "%s/dltrain-%s-%ld-fault.txt",
                      temporary && temporary[0] ? temporary : "/tmp", name ? name + 1 : folder,
                      (long)getpid());
}

int fault_write(const char *folder, const struct fault *f, char *where) {
    struct pool pool = {0};
    const char *path = pool_print(&pool, "%s/fault.txt", folder);
    const char *text = fault_text(f, &pool);
    int rc = write_page(path, text, &pool);

    if (!rc)
        write_json(pool_print(&pool, "%s/fault.json", folder), f);
    if (rc < 0)
        rc = write_page(path = elsewhere(folder, &pool), text, &pool);
    if (where)
        snprintf(where, FAULT_PATH, "%s", rc < 0 ? "" : path);
    else if (rc >= 0)
        fprintf(stderr, "dltrain: what is known of it is in %s\n", path);
    pool_release(&pool);
    return rc;
}

void fault_put_aside(const char *folder) {
    static const char *const ends[] = {"txt", "json", "h5"};
    struct pool pool = {0};
    int number = 1;

    while (!access(pool_print(&pool, "%s/fault.%d.txt", folder, number), F_OK))
        number++;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        (void)rename(pool_print(&pool, "%s/fault.%s", folder, ends[i]),
                     pool_print(&pool, "%s/fault.%d.%s", folder, number, ends[i]));
    pool_release(&pool);
}
