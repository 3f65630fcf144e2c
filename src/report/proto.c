#include "report/proto.h"

#include <stdlib.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

void proto_clear(struct proto *p) {
    p->len = 0;
}

void proto_release(struct proto *p) {
    free(p->bytes);
    *p = (struct proto){0};
}

void proto_raw(struct proto *p, const void *bytes, size_t len) {
    if (p->len + len > p->room) {
        const size_t room = 2 * (p->len + len) + 64;
        unsigned char *grown = realloc(p->bytes, room);
        if (!grown) {
            p->failed = true;
            return;
        }
        p->bytes = grown;
        p->room = room;
    }
    if (len)
        memcpy(p->bytes + p->len, bytes, len);
    p->len += len;
}

static void varint(struct proto *p, uint64_t v) {
    unsigned char bytes[10];
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (unsigned char)(v | 0x80);
    bytes[n++] = (unsigned char)v;
    proto_raw(p, bytes, n);
}

static void key(struct proto *p, int field, int wire) {
    varint(p, (uint64_t)field << 3 | (uint64_t)wire);
}

/* The least significant byte first, whatever the machine does. */
static void fixed(struct proto *p, uint64_t bits, size_t n) {
    unsigned char bytes[8];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    proto_raw(p, bytes, n);
}

static void fixed_double(struct proto *p, double value) {
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    fixed(p, bits, sizeof bits);
}

void proto_int(struct proto *p, int field, int64_t value) {
    key(p, field, WIRE_VARINT);
    varint(p, (uint64_t)value);
}

void proto_double(struct proto *p, int field, double value) {
    key(p, field, WIRE_64);
    fixed_double(p, value);
}

void proto_float(struct proto *p, int field, float value) {
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    key(p, field, WIRE_32);
    fixed(p, bits, sizeof bits);
}

void proto_bytes(struct proto *p, int field, const void *bytes, size_t len) {
    key(p, field, WIRE_BYTES);
    varint(p, len);
    proto_raw(p, bytes, len);
}

void proto_text(struct proto *p, int field, const char *text) {
    proto_bytes(p, field, text, strlen(text));
}

void proto_message(struct proto *p, int field, const struct proto *message) {
    p->failed = p->failed || message->failed;
    proto_bytes(p, field, message->bytes, message->len);
}

void proto_doubles(struct proto *p, int field, const double *v, int n) {
    key(p, field, WIRE_BYTES);
    varint(p, (uint64_t)n * sizeof *v);
    for (int i = 0; i < n; i++)
        fixed_double(p, v[i]);
}
