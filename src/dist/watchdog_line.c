#define _GNU_SOURCE /* accept4 */
#include "dist/watchdog_line.h"
#include "core/base/files.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, PIECE = 65536 };

struct head {
    uint32_t kind, len;
};

/* --- sockets --- */

static int socket_of(void) {
    const int off = 0;
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    return fd;
}

/* IPv6 may be switched off in the system, which then has no sockets of it. */
static int socket_of_old(void) {
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static bool is_old(const struct sockaddr_in6 *a) {
    return IN6_IS_ADDR_V4MAPPED(&a->sin6_addr);
}

static struct sockaddr_in old_of(const struct sockaddr_in6 *a) {
    struct sockaddr_in old = {.sin_family = AF_INET, .sin_port = a->sin6_port};

    memcpy(&old.sin_addr, a->sin6_addr.s6_addr + 12, 4);
    return old;
}

static void map(const struct in_addr *old, struct in6_addr *out) {
    memset(out, 0, sizeof *out);
    out->s6_addr[10] = out->s6_addr[11] = 0xff;
    memcpy(out->s6_addr + 12, old, 4);
}

/* Of the kind `loopback` or not; those of a link mean something only with the link's number, which
 * differs by host. */
static void list_addresses(const struct ifaddrs *all, bool loopback, in_port_t port,
                           struct watchdog_place *out) {
    for (const struct ifaddrs *i = all; i && out->n < WATCHDOG_ADDRESSES; i = i->ifa_next) {
        struct sockaddr_in6 a = {.sin6_family = AF_INET6};

        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) ||
            ((i->ifa_flags & IFF_LOOPBACK) != 0) != loopback)
            continue;
        if (i->ifa_addr->sa_family == AF_INET)
            map(&((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr, &a.sin6_addr);
        else if (i->ifa_addr->sa_family == AF_INET6)
            memcpy(&a, i->ifa_addr, sizeof a);
        else
            continue;
        if (IN6_IS_ADDR_LINKLOCAL(&a.sin6_addr))
            continue;
        a.sin6_port = port;
        out->address[out->n++] = a;
    }
}

static in_port_t port_of(int fd) {
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof own;

    if (getsockname(fd, (struct sockaddr *)&own, &len))
        return 0;
    return own.ss_family == AF_INET ? ((const struct sockaddr_in *)&own)->sin_port
                                    : ((const struct sockaddr_in6 *)&own)->sin6_port;
}

static int bind_any(void) {
    const struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    const struct sockaddr_in any_old = {.sin_family = AF_INET};
    int fd = socket_of();

    if (fd >= 0 && !bind(fd, (const struct sockaddr *)&any, sizeof any))
        return fd;
    if (fd >= 0)
        close(fd);
    fd = socket_of_old();
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&any_old, sizeof any_old)) {
        close(fd);
        return -1;
    }
    return fd;
}

int watchdog_listen(int n, struct watchdog_place *out) {
    struct ifaddrs *all = NULL;
    const int fd = bind_any();

    files_allow(n);
    out->n = 0;
    if (fd < 0)
        return -1;
    if (listen(fd, BACKLOG) || getifaddrs(&all)) {
        close(fd);
        return -1;
    }
    list_addresses(all, true, port_of(fd), out);
    if (out->n > 2)
        out->n = 2; /* the others are more useful */
    list_addresses(all, false, port_of(fd), out);
    freeifaddrs(all);
    return fd;
}

static void suit(int fd) {
    const int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int watchdog_connect(const struct sockaddr_in6 *address) {
    const struct sockaddr_in old = old_of(address);
    const bool is = is_old(address);
    const int fd = is ? socket_of_old() : socket_of();
    const int rc = fd < 0 ? -1
                   : is   ? connect(fd, (const struct sockaddr *)&old, sizeof old)
                          : connect(fd, (const struct sockaddr *)address, sizeof *address);

    if (fd >= 0 && rc && errno != EINPROGRESS) {
        const int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    if (fd >= 0)
        suit(fd);
    return fd;
}

int watchdog_accept(int listener) {
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        suit(fd);
    return fd;
}

/* --- messages --- */

void watchdog_line_open(struct watchdog_line *l, int fd, size_t most) {
    *l = (struct watchdog_line){.fd = fd, .most = most};
}

static void end(struct watchdog_line *l, int why) {
    if (l->fd >= 0)
        close(l->fd);
    free(l->in);
    free(l->out);
    *l = (struct watchdog_line){.fd = -1, .why = why};
}

void watchdog_line_close(struct watchdog_line *l) {
    end(l, 0);
}

/* Room for n more bytes. */
static int grow(unsigned char **bytes, size_t *room, size_t used, size_t n) {
    if (*room - used >= n)
        return 0;
    const size_t want = 2 * used + n;
    unsigned char *more = realloc(*bytes, want);

    if (!more)
        return -1;
    *bytes = more;
    *room = want;
    return 0;
}

static void append(struct watchdog_line *l, const void *data, size_t len) {
    if (len)
        memcpy(l->out + l->n_out, data, len);
    l->n_out += len;
}

void watchdog_line_say(struct watchdog_line *l, uint32_t kind, const void *data, size_t len,
                       const void *more, size_t more_len) {
    const struct head head = {kind, (uint32_t)(len + more_len)};

    if (l->fd < 0)
        return;
    if (grow(&l->out, &l->room_out, l->n_out, sizeof head + head.len)) {
        end(l, ENOMEM);
        return;
    }
    append(l, &head, sizeof head);
    append(l, data, len);
    append(l, more, more_len);
    watchdog_line_push(l);
}

void watchdog_line_push(struct watchdog_line *l) {
    size_t sent = 0;

    while (l->fd >= 0 && sent < l->n_out) {
        const ssize_t n = send(l->fd, l->out + sent, l->n_out - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) /* not connected yet */
            break;
        if (n < 0) {
            end(l, errno);
            return;
        }
        sent += (size_t)n;
    }
    if (sent)
        memmove(l->out, l->out + sent, l->n_out -= sent);
}

void watchdog_line_pull(struct watchdog_line *l) {
    while (l->fd >= 0 && l->n_in <= l->most + sizeof(struct head)) {
        if (grow(&l->in, &l->room_in, l->n_in, PIECE)) {
            end(l, ENOMEM);
            return;
        }
        const ssize_t n = recv(l->fd, l->in + l->n_in, l->room_in - l->n_in, 0);
        if (n > 0)
            l->n_in += (size_t)n;
        else if (n == 0 || (errno != EINTR && errno != EAGAIN && errno != ENOTCONN)) {
            l->why = n ? errno : ECONNRESET;
            close(l->fd);
            l->fd = -1;
        } else if (errno != EINTR) {
            return;
        }
    }
}

bool watchdog_line_next(struct watchdog_line *l, struct watchdog_message *out) {
    struct head head;

    if (l->taken)
        memmove(l->in, l->in + l->taken, l->n_in -= l->taken);
    l->taken = 0;
    if (l->n_in < sizeof head)
        return false;
    memcpy(&head, l->in, sizeof head);
    if (head.len > l->most) {
        end(l, EPROTO);
        return false;
    }
    if (l->n_in - sizeof head < head.len)
        return false;
    *out = (struct watchdog_message){head.kind, head.len, l->in + sizeof head};
    l->taken = sizeof head + head.len;
    return true;
}
