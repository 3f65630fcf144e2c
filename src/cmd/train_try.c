#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include "cmd/train_try.h"
#include "cmd/findings.h"
#include "dist/agree.h"
#include "io/file/file.h"
#include "io/file/folder.h"
#include "io/weights/tensor_file.h"
#include "train/overfit.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_BYTES = 4096, OPEN_FOLDERS = 16 };

/* --- a dry run --- */

/* On rank 0: beside the runs, so that it is the same file system which is written to. */
static int make_folder(struct dry_run *d, char folder[FOLDER_BYTES], struct err *err) {
    const char *output = d->output;

    d->made_output = access(output, F_OK) != 0;
    if (file_make_folders(output, err))
        return -1;
    const int len = snprintf(folder, FOLDER_BYTES, "%s/dry_run_XXXXXX", output);
    if (len >= FOLDER_BYTES || !mkdtemp(folder))
        return err_set(err, ERR_IO, "%s: no folder can be made in it: %s", output,
                       len >= FOLDER_BYTES ? strerror(ENAMETOOLONG) : strerror(errno));
    return 0;
}

int dry_run_init(struct dry_run *d, struct jobargs *a, int64_t steps, struct err *err) {
    struct job *job = &a->job;
    char folder[FOLDER_BYTES] = "";

    *d = (struct dry_run){.args = a, .output = job->output};
    const int rc = comm_rank(a->comm) ? 0 : make_folder(d, folder, err);
    if (!rc && folder[0])
        d->folder = pool_print(&d->pool, "%s", folder);
    if (agree(a->comm, rc, err))
        return -1;
    comm_bcast(a->comm, folder, sizeof folder, 0);
    job->output = d->folder = pool_print(&d->pool, "%s", folder);
    job->epochs = 0;
    job->steps = steps;
    job->log_every = 1;
    job->validate_every = (struct interval){0}; /* at the end, as every job does */
    job->save_every = (struct interval){.steps = steps};
    return 0;
}

static double size_of(const char *path) {
    struct stat st;

    return stat(path, &st) ? 0 : (double)st.st_size;
}

static void print_size(const char *name, double bytes) {
    char size[FINDING_TEXT];

    printf("  %-28s %s\n", name, findings_bytes(bytes, size));
}

/* Pictures are many: they are one line. */
static int list_folder(struct dry_run *d, const char *path, const char *name, struct err *err) {
    struct folder inside = {0};
    double bytes = 0;
    int rc = folder_init(&inside, path, err);

    for (int i = 0; i < inside.n; i++)
        bytes += size_of(pool_print(&d->pool, "%s/%s", path, inside.entry[i].name));
    if (inside.n == 1)
        print_size(pool_print(&d->pool, "%s/%s", name, inside.entry[0].name), bytes);
    else if (!rc)
        print_size(pool_print(&d->pool, "%s/ (%d files)", name, inside.n), bytes);
    folder_release(&inside);
    return rc;
}

static int list_written(struct dry_run *d, const char *run, struct err *err) {
    struct folder written = {0};
    int rc = folder_init(&written, run, err);

    for (int i = 0; i < written.n && !rc; i++) {
        const char *name = written.entry[i].name, *dot = strrchr(name, '.');
        const char *path = pool_print(&d->pool, "%s/%s", run, name);
        if (written.entry[i].folder) {
            rc = list_folder(d, path, name, err);
            continue;
        }
        print_size(name, size_of(path));
        if (dot && !strcmp(dot, ".h5"))
            rc = tensor_file_check(path, err);
    }
    folder_release(&written);
    return rc;
}

int dry_run_say(struct dry_run *d, struct err *err) {
    const struct job *job = &d->args->job;

    printf("dry run: %" PRId64 " step%s%s are done; written, read back and removed:\n", job->steps,
           job->steps == 1 ? "" : "s", job->validate ? " and a validation of one batch" : "");
    return list_written(d, pool_print(&d->pool, "%s/%s", d->folder, job->name), err);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path) && errno != ENOENT;
}

void dry_run_release(struct dry_run *d) {
    if (d->folder && comm_rank(d->args->comm) == 0) {
        nftw(d->folder, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
        if (d->made_output)
            rmdir(d->output);
    }
    pool_release(&d->pool);
    *d = (struct dry_run){0};
}

/* --- the same batches again and again --- */

static void print_pass(const struct overfit *o, const struct overfit_pass *pass) {
    printf("step %" PRId64, o->steps);
    for (int i = 0; i < o->job->n_steps; i++)
        if (pass->ran[i])
            printf("  %s%sloss %.4g", o->job->step[i].name, o->job->step[i].name[0] ? "." : "",
                   pass->loss[i]);
    printf("\n");
    fflush(stdout);
}

static void say_end(const struct overfit *o, const struct sinks *sinks) {
    struct pool pool = {0};
    const char *losses = "";

    for (int i = 0; i < o->job->n_steps; i++)
        if (o->first.ran[i])
            losses = pool_print(&pool, "%s%s%s%s%.4g to %.4g", losses, *losses ? ", " : "",
                                o->job->step[i].name, o->job->step[i].name[0] ? " from " : "from ",
                                o->first.loss[i], o->last.loss[i]);
    if (overfit_learnt(o))
        sinks_note(sinks,
                   "overfit: learnt %" PRId64 " batch%s in %" PRId64 " steps: the loss fell %s",
                   o->batches, o->batches == 1 ? "" : "es", o->steps, losses);
    else
        sinks_warn(sinks,
                   "overfit: %" PRId64 " batch%s not learnt in %" PRId64
                   " steps, all that the job has (--set epochs): the loss went %s, expected a "
                   "hundredth of it; look at labels, loss, learning rate and what regularises "
                   "(dropout, weight_decay)",
                   o->batches, o->batches == 1 ? " is" : "es are", o->steps, losses);
    pool_release(&pool);
}

int overfit_say(struct jobargs *a, int64_t batches, const struct sinks *sinks, struct err *err) {
    struct overfit o = {.batches = batches, .report = comm_rank(a->comm) == 0 ? print_pass : NULL};

    if (overfit_run(&o, &a->job, a->comm, a->threads, sinks, err))
        return -1;
    say_end(&o, sinks);
    return 0;
}
