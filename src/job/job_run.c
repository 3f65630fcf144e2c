/* job_run.c - the keys of [checkpoint], [dist], [log] and [run]: how a job is carried out. */
#include "dist/allreduce/allreduce.h"
#include "dist/allreduce/wire.h"
#include "dist/sync.h"
#include "job/kind.h"
#include "job/signals.h"

#include <string.h>

#define AT(member) offsetof(struct job, member)

static const char *const no_yes[] = {"false", "true", NULL};
static const char *const movers[] = {"operators", "thread", NULL};
static const char *const off_on[] = {"off", "on", NULL};
static const char *const some_every[] = {"some", "every", NULL};
static const char *const on_errors[] = {"warn", "stop", NULL};
static const char *const reductions[] = {"fast", "reproducible", NULL};

enum { SHARDS = 8 }; /* where a job does not say */

static const struct key checkpoint_keys[] = {
    {"last", &kind_interval, AT(save_last), "1 epoch", .help = "how often last.h5 is replaced"},
    {"every", &kind_interval, AT(save_every), "never",
     .help = "how often a checkpoint of its own is kept"},
    {"best", &kind_flag, AT(save_best), "true", .words = no_yes,
     .help = "keep the best weights in best.h5"},
    {"signals", &kind_signals, AT(stop_signals), "USR1 TERM INT HUP",
     .help = "that have a run save, end, and exit with code 75"},
    {"save_on", &kind_signals, AT(save_signals), "USR2",
     .help = "signals that have it save last.h5 and go on"},
    {"keep", &kind_int, AT(keep_last), "2", .min = 1, .max = 1000, .unit = "files",
     .help = "how many of last.h5, last.1.h5 ... are kept"},
    {"on_error", &kind_flag, AT(stops_on_unsaved), "warn", .words = on_errors,
     .help = "what becomes of a run that cannot write one; without its last one it fails"},
    {"partner", &kind_interval, AT(partner), "never",
     .help = "how often each host keeps a copy of the state in its memory, for --resume"},
    {0},
};

static const struct key dist_keys[] = {
    {"allreduce", &kind_applied, AT(allreduce), "host", .find = allreduce_find,
     .at = allreduce_word, .help = "how gradients are summed over ranks"},
    {"wire", &kind_applied, AT(wire), "fp32", .find = wire_find, .at = wire_word,
     .help = "how gradients travel between hosts"},
    {"sync", &kind_applied, AT(sync), "step", .find = sync_find, .at = sync_word,
     .help = "when ranks become the same"},
    {"reduction", &kind_flag, AT(reproducible), "fast", .words = reductions,
     .help = "reproducible: the same bits on any number of ranks, see docs/clusters.md"},
    {"shards", &kind_int, AT(shards), .absent = "8", .min = 1, .max = JOB_MAX_SHARDS,
     .help = "that a batch is cut into where it is reproducible; as many ranks at most"},
    {"bucket", &kind_mib, AT(bucket_bytes), "4", .min = 0.001, .max = 4096, .unit = "MiB",
     .help = "of gradients that are sent at a time"},
    {"progress", &kind_flag, AT(progress_thread), "operators", .words = movers,
     .help =
         "who moves messages between hosts: each rank between its operators, or a thread of it"},
    {"overlap", &kind_flag, AT(overlap), "on", .words = off_on,
     .help = "weights are updated as sums arrive, the slowest in the next forward; off: before it"},
    {"audit", &kind_whole, AT(audit_every), "100", .unit = "steps",
     .help = "between comparisons of what ranks hold; 0: only before validating and saving"},
    {"timeout", &kind_timeout, AT(timeout_s), "auto",
     .help = "without a sign of life from a rank before it is named and the job ends"},
    {"bind", &kind_flag, AT(binds), "on", .words = off_on,
     .help = "give ranks that share cores cores of their own"},
    {"selftest", &kind_flag, AT(tests_links), "on", .words = off_on,
     .help = "measure the links between several hosts before training, for a second"},
    {0},
};

static const struct key log_keys[] = {
    {"every", &kind_whole, AT(log_every), "10", .min = 1, .unit = "steps",
     .help = "between lines of metrics.jsonl"},
    {"histograms", &kind_interval, AT(histograms), "never",
     .help = "how weights, gradients and activations are spread, to histograms.jsonl"},
    {"tensorboard", &kind_flag, AT(tensorboard), "off", .words = off_on,
     .help = "the same for TensorBoard, with losses, measures and pictures, to tensorboard/"},
    {"trace", &kind_span, AT(trace), "never",
     .help = "steps in which it is written down what every thread does when, to trace.json"},
    {"ranks", &kind_flag, AT(every_rank), "some", .words = some_every,
     .help =
         "logged steps whose times of all ranks go to ranks.jsonl; some: 2000 of a run at most"},
    {"phases", &kind_flag, AT(prints_phases), "off", .words = off_on,
     .help = "print at the end what the time of all ranks went into; phases.txt has it anyway"},
    {"mlperf", &kind_flag, AT(mlperf), "off", .words = off_on,
     .help = "lines of MLPerf Training, to mlperf.log"},
    {"worst", &kind_int, AT(worst), .absent = "16 where samples are classified, else 0", .min = 0,
     .max = 10000, .unit = "samples",
     .help = "of the validation with the largest loss, in worst.json with pictures"},
    {0},
};

static const struct key run_keys[] = {
    {"fusion", &kind_flag, AT(mode.fusion), "on", .words = off_on,
     .help = "compute chains as conv | bn | relu in one pass"},
    {"winograd", &kind_flag, AT(mode.winograd), "on", .words = off_on,
     .help = "3x3 convolutions with fewer products, by transforms"},
    {0},
};

static const struct entry *entry_of(const struct job *job, const char *section, const char *key) {
    const struct section *s = source_find(&job->source, section, "");

    return s ? section_find(s, key) : NULL;
}

/* How numbers are packed, by an algorithm that does so. */
static int check_wire(const struct job *job, struct err *err) {
    const struct entry *wire = entry_of(job, "dist", "wire");
    struct err why = {0};

    if (!wire_format(&job->wire))
        return 0;
    if (wire_check(&job->wire, &why))
        return pos_error(err, wire->pos, "wire: %s", why.msg);
    if (job->reproducible)
        return pos_error(err, wire->pos,
                         "wire: what %s loses depends on the number of ranks, and reduction is "
                         "reproducible; expected fp32",
                         job->wire.word->name);
    if (!allreduce_packs(&job->allreduce))
        return pos_error(err, wire->pos,
                         "wire: allreduce = %s sends numbers as it does; expected one that packs "
                         "them as %s, as ring and host do",
                         job->allreduce.word->name, job->wire.word->name);
    return 0;
}

/* A signal means one thing. */
static int read_checkpoint(struct job *job, const struct section *s, struct err *err) {
    if (keys_read(job, checkpoint_keys, s, job, err))
        return -1;
    const struct entry *signals = entry_of(job, "checkpoint", "signals"),
                       *save_on = entry_of(job, "checkpoint", "save_on");
    for (int i = 0; job_signal_at(i); i++)
        if (job->stop_signals & job->save_signals & 1U << i)
            return pos_error(err, save_on ? save_on->pos : signals->pos,
                             "%s is among signals (%s) and in save_on (%s), expected it in one of "
                             "them",
                             job_signal_at(i)->name, signals ? signals->value : "as by default",
                             save_on ? save_on->value : "as by default");
    return 0;
}

/* What follows from ranks that go on apart. */
static int check_sync(const struct job *job, struct err *err) {
    if (job->reproducible && sync_local_sgd(&job->sync))
        return pos_error(err, entry_of(job, "dist", "sync")->pos,
                         "sync: local_sgd depends on the number of ranks, and reduction is "
                         "reproducible; expected step");
    return 0;
}

/* Sums follow one tree over shards, each of which is computed by itself. */
static int reproduce(struct job *job, struct err *err) {
    const struct entry *allreduce = entry_of(job, "dist", "allreduce");

    if (allreduce && strcmp(job->allreduce.word->name, "fold"))
        return pos_error(err, allreduce->pos,
                         "allreduce: %s adds in an order that depends on the ranks, and reduction "
                         "is reproducible; expected none, or fold",
                         job->allreduce.word->name);
    if (job->accumulate > 1)
        return pos_error(err, entry_of(job, "data", "accumulate")->pos,
                         "accumulate is %lld, and reduction = reproducible cuts a batch into "
                         "shards; expected more shards in its place",
                         (long long)job->accumulate);
    job->allreduce = (struct applied){allreduce_find("fold"), NULL};
    if (!job->shards)
        job->shards = SHARDS;
    return 0;
}

static int read_dist(struct job *job, const struct section *s, struct err *err) {
    if (keys_read(job, dist_keys, s, job, err))
        return -1;
    if (job->reproducible)
        return reproduce(job, err) || check_wire(job, err) || check_sync(job, err) ? -1 : 0;
    if (job->shards && !entry_of(job, "dist", "reduction"))
        return pos_error(err, entry_of(job, "dist", "shards")->pos,
                         "shards is %d, and reduction is not said, which is fast; expected "
                         "reduction = reproducible",
                         job->shards);
    job->shards = 0;
    return check_wire(job, err);
}

static int read_log(struct job *job, const struct section *s, struct err *err) {
    job->worst = -1;
    return keys_read(job, log_keys, s, job, err);
}

const struct job_section section_checkpoint = {
    .kind = "checkpoint",
    .help = "what is saved in the run's folder",
    .holds = JOB_KEYS,
    .keys = checkpoint_keys,
    .read = read_checkpoint,
};
const struct job_section section_dist = {
    .kind = "dist",
    .help = "how ranks work together",
    .holds = JOB_KEYS,
    .keys = dist_keys,
    .read = read_dist,
};
const struct job_section section_log = {
    .kind = "log",
    .help = "what is written down",
    .holds = JOB_KEYS,
    .keys = log_keys,
    .read = read_log,
};
const struct job_section section_run = {
    .kind = "run",
    .help = "how it is computed",
    .holds = JOB_KEYS,
    .keys = run_keys,
};
