#include "train/setup.h"
#include "train/facts.h"
#include "train/memory.h"
#include "train/shards.h"

static struct replica_config config_of(const struct setup *s, const struct field *fields,
                                       const struct replica_data *validate) {
    const struct feeds *data = s->data;

    return (struct replica_config){
        .job = s->job,
        .fields = fields,
        .n_fields = loader_n_fields(data->train.loader),
        .step_samples = shard_batch_len(&data->train.shard, 0),
        .batch = (feed_max_shard(&data->train) + s->job->accumulate - 1) / s->job->accumulate,
        .validate_batch =
            s->job->validate ? (data->validates_here ? feed_max_shard(&data->validate) : 1) : 0,
        .training = true,
        .threads = s->threads,
        .ranks = groups_all(s->groups),
        .data_name = dataset_name(data->train.dataset),
        .dataset = data->train.dataset,
        .validate_data = validate,
    };
}

int setup_compare(const struct setup *s, struct err *err) {
    struct dataset *const data[] = {s->data->train.dataset, s->data->validate.dataset};
    const bool both = s->job->validate && !s->job->validate_on_rank0;

    return facts_check_data(s->comm, data, 1 + both, err);
}

int setup_plan(const struct setup *s, struct replica *r, struct err *err) {
    struct field fields[LOADER_MAX_FIELDS], measured[LOADER_MAX_FIELDS];
    const struct feed *feed = s->data->validates_here ? &s->data->validate : NULL;
    const struct replica_data validate = {feed ? dataset_name(feed->dataset) : NULL, measured,
                                          feed ? feed_open_fields(feed, measured) : 0,
                                          feed ? feed->dataset : NULL};
    const struct replica_config config = config_of(s, fields, feed ? &validate : NULL);
    char spare[256];

    feed_open_fields(&s->data->train, fields);
    if (replica_init(r, &config, err))
        return -1;
    if (replica_spare_classes(r, &config, spare, sizeof spare))
        sinks_warn(s->sinks, "%s", spare);
    if (replica_ignores_shares(r, &config))
        sinks_warn(s->sinks,
                   "augment mixes samples of several classes, and no [step] reads the shares "
                   "of these, the field target: loss = cross_entropy(logits, target)");
    return memory_check(replica_bytes(r) + shards_bytes(r, comm_rank(s->comm), comm_size(s->comm)),
                        comm_local_size(s->comm), err);
}

int setup_allocate(const struct setup *s, struct replica *r, struct err *err) {
    const struct replica_config config = config_of(s, NULL, NULL);

    return replica_allocate(r, &config, err);
}
