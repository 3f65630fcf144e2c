/* watchdog_line.h - messages between two processes over TCP, none of which ever waits: what cannot
 * be sent yet is kept. Private to watchdog*.c. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCHDOG_ADDRESSES = 8 };

/* Where a process can be reached. */
struct watchdog_place {
    int n;                                           /* 0: nowhere */
    struct sockaddr_in6 address[WATCHDOG_ADDRESSES]; /* IPv4 as mapped */
};

/* Listen on a port that the system chooses, on all addresses. Returns the socket, or -1 with errno.
 *   n    who will connect: so many connections more are allowed this process
 *   out  the addresses of this host, those that only it knows first */
int watchdog_listen(int n, struct watchdog_place *out);

/* Begin to connect. Returns the socket, or -1 with errno. */
int watchdog_connect(const struct sockaddr_in6 *address);

/* Whoever has connected; -1: nobody. */
int watchdog_accept(int listener);

/* An end of a connection. */
struct watchdog_line {
    int fd; /* -1: closed, why says errno of that time */
    int why;
    unsigned char *in, *out;
    size_t n_in, room_in, taken; /* of in, `taken` bytes are a message that was given */
    size_t n_out, room_out;
    size_t most; /* bytes of a message from there; a longer one is not from one of us */
};

struct watchdog_message {
    uint32_t kind;
    size_t len;
    const unsigned char *data; /* [len], until the next call */
};

/* Take a socket; most: bytes of a message, at most. */
void watchdog_line_open(struct watchdog_line *l, int fd, size_t most);
void watchdog_line_close(struct watchdog_line *l);

/* Send a message of data[len] and more[more_len], either of which may be NULL; or some of it now,
 * the rest in watchdog_line_push. */
void watchdog_line_say(struct watchdog_line *l, uint32_t kind, const void *data, size_t len,
                       const void *more, size_t more_len);
void watchdog_line_push(struct watchdog_line *l);

/* Take what has come; then one message after another. Where the other end has closed, the line is
 * closed once all messages were given. */
void watchdog_line_pull(struct watchdog_line *l);
bool watchdog_line_next(struct watchdog_line *l, struct watchdog_message *out);
