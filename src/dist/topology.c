#include "dist/topology.h"

#include <hwloc.h>

static int count_of(hwloc_topology_t h, hwloc_obj_type_t type) {
    const int n = hwloc_get_nbobjs_by_type(h, type);

    return n > 0 ? n : 1;
}

/* All of the machine: ranks that a control group keeps elsewhere than this one are drawn, too. */
static int load(hwloc_topology_t h) {
    static const hwloc_obj_type_t cores[] = {HWLOC_OBJ_PACKAGE, HWLOC_OBJ_CORE};

    hwloc_topology_set_all_types_filter(h, HWLOC_TYPE_FILTER_KEEP_NONE);
    for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
        hwloc_topology_set_type_filter(h, cores[i], HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_set_flags(h, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    return hwloc_topology_load(h);
}

/* A processor whose core nobody knows is one by itself. */
static void take(hwloc_topology_t h, struct topology *t) {
    const int n_cores = hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_CORE);

    t->n_nodes = count_of(h, HWLOC_OBJ_NUMANODE);
    t->n_sockets = count_of(h, HWLOC_OBJ_PACKAGE);
    t->n_cores = n_cores > 0 ? n_cores : 0;
    for (hwloc_obj_t p = NULL; (p = hwloc_get_next_obj_by_type(h, HWLOC_OBJ_PU, p));) {
        if (p->os_index >= CORE_SET_MOST)
            continue;
        const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(h, HWLOC_OBJ_CORE, p);
        t->core[p->os_index] = (int16_t)(core ? (int)core->logical_index : t->n_cores++);
        t->n_processors++;
    }
}

static void clear(struct topology *t) {
    *t = (struct topology){.n_nodes = 1, .n_sockets = 1};
    for (int p = 0; p < CORE_SET_MOST; p++)
        t->core[p] = -1;
}

static bool has_all(const struct topology *t, const struct core_set *processors) {
    for (int p = 0; p < CORE_SET_MOST; p++)
        if (core_set_has(processors, p) && t->core[p] < 0)
            return false;
    return true;
}

void topology_read(struct topology *t, const struct core_set *known) {
    hwloc_topology_t h;

    clear(t);
    if (!hwloc_topology_init(&h)) {
        if (!load(h))
            take(h, t);
        hwloc_topology_destroy(h);
    }
    if (t->n_processors && t->n_cores <= CORE_SET_MOST && has_all(t, known))
        return;
    clear(t);
    for (int p = 0; p < CORE_SET_MOST; p++)
        if (core_set_has(known, p))
            t->core[p] = (int16_t)t->n_cores++;
    t->n_processors = t->n_cores;
}

struct core_set topology_cores(const struct topology *t, const struct core_set *processors) {
    struct core_set cores = {{0}};

    for (int p = 0; p < CORE_SET_MOST; p++)
        if (core_set_has(processors, p) && t->core[p] >= 0)
            core_set_add(&cores, t->core[p]);
    return cores;
}

struct core_set topology_processors(const struct topology *t, const struct core_set *processors,
                                    const struct core_set *cores) {
    struct core_set some = {{0}};

    for (int p = 0; p < CORE_SET_MOST; p++)
        if (core_set_has(processors, p) && t->core[p] >= 0 && core_set_has(cores, t->core[p]))
            core_set_add(&some, p);
    return some;
}
