/* proto.h - messages in the encoding of protocol buffers, field by field, in memory that grows.
 * Source: protobuf.dev, "Encoding". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* {0} is empty. */
struct proto {
    unsigned char *bytes; /* [len] */
    size_t len, room;
    bool failed; /* there was no memory; what follows is not written */
};

/* Keep the memory for the next message. */
void proto_clear(struct proto *p);
void proto_release(struct proto *p);

/* Append bytes as they are. */
void proto_raw(struct proto *p, const void *bytes, size_t len);

/* Append a field: int32, int64, enum or bool; double; float; string, bytes or a message that is
 * complete. */
void proto_int(struct proto *p, int field, int64_t value);
void proto_double(struct proto *p, int field, double value);
void proto_float(struct proto *p, int field, float value);
void proto_bytes(struct proto *p, int field, const void *bytes, size_t len);
void proto_text(struct proto *p, int field, const char *text);
void proto_message(struct proto *p, int field, const struct proto *message);

/* repeated double, packed: v[n]. */
void proto_doubles(struct proto *p, int field, const double *v, int n);
