/* tensorboard.h - a run as TensorBoard reads it: NAME/tensorboard/events.out.tfevents.*, where the
 * job has [log] tensorboard = on. Every process of a run writes a file of its own, whose first
 * record says which steps of earlier ones no longer count. */
#pragma once
#include "report/proto.h"
#include "report/tfrecord.h"
#include "train/event.h"

struct tensorboard {
    struct sink sink;
    const struct sinks *warn;                        /* borrowed */
    struct tfrecord *file;                           /* NULL: not open */
    bool lost;                                       /* the last record */
    struct proto event, summary, value, part, piece; /* nested in this order */
};

/* A sink that opens its file in the run's folder, where the job wants it.
 *   warn  who is told of records that could not be written; may hold this sink too */
void tensorboard_init(struct tensorboard *t, const struct sinks *warn);

/* {0} is fine. */
void tensorboard_release(struct tensorboard *t);
