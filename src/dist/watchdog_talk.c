/* watchdog_talk.c - connections of ranks to hubs, and what goes over them. */
#include "core/base/clock.h"
#include "dist/watchdog_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Seconds: for an address to answer; for who connects to say who it is. */
static const double answer_s = 1, hello_s = 10;

/* That are connected and have not said who they are, at most: others wait, as a thousand ranks do
 * that start at the same time. */
enum { STRANGERS = 64 };

/* --- to hubs --- */

/* Bytes of a message from a hub, or from a rank that is known. */
static size_t most_from_hub(const struct watchdog *w) {
    return (size_t)w->size * (sizeof(struct watchdog_rank) + sizeof(uint64_t));
}

/* Why an address does not lead to the hub, which the socket knows. */
static void fail_way(struct watchdog *w, int i, int why) {
    struct watchdog_way *way = &w->way[i];

    snprintf(way->why, sizeof way->why, "rank %d on %.40s cannot connect to rank %d on %.40s: %s",
             w->rank, w->host, w->hub[i].rank, w->hub[i].host, why ? strerror(why) : "no answer");
}

static int error_of(int fd) {
    int error = 0;
    socklen_t len = sizeof error;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? errno : error;
}

/* The next address, from the first again behind the last. */
static void try_next(struct watchdog *w, int i, double now) {
    const struct watchdog_hub *hub = &w->hub[i];
    struct watchdog_way *way = &w->way[i];
    struct watchdog_hello hello = {.rank = w->rank};

    if (way->line.fd >= 0)
        fail_way(w, i, error_of(way->line.fd));
    watchdog_line_close(&way->line);
    way->welcome = false;
    way->began = now;
    if (!hub->place.n) {
        fail_way(w, i, ENOTCONN);
        return;
    }
    way->address = (way->address + 1) % hub->place.n;
    const int fd = watchdog_connect(&hub->place.address[way->address]);
    if (fd < 0) {
        fail_way(w, i, errno);
        return;
    }
    watchdog_line_open(&way->line, fd, most_from_hub(w));
    memcpy(hello.token, w->token, sizeof hello.token);
    watchdog_line_say(&way->line, WATCHDOG_HELLO, &hello, sizeof hello, NULL, 0);
}

void watchdog_reach(struct watchdog *w, double now) {
    for (int i = 0; i < WATCHDOG_HUBS; i++) {
        struct watchdog_way *way = &w->way[i];
        const bool refused = way->line.fd < 0 || (!way->welcome && error_of(way->line.fd));

        if (w->hub[i].rank < 0 || w->hub[i].rank == w->rank || way->left)
            continue;
        if (now - way->began > (refused ? answer_s / 10 : answer_s) && !way->welcome)
            try_next(w, i, now);
    }
}

static void give_answers(struct watchdog *w, const struct watchdog_message *m) {
    const unsigned char *at = m->data, *end = m->data + m->len;
    uint64_t len;

    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < w->size && w->answer && (size_t)(end - at) >= sizeof len; i++) {
        memcpy(&len, at, sizeof len);
        at += sizeof len;
        if (len > sizeof *w->answer || len > (size_t)(end - at))
            break;
        memcpy(&w->answer[i], at, len);
        at += len;
        w->n_answers += w->answer[i].answers;
    }
    w->answered = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* Only hubs give any. */
static void take_order(struct watchdog *w, int from, const struct watchdog_message *m) {
    if (m->len != sizeof w->order || (from != w->hub[0].rank && from != w->hub[1].rank))
        return;
    memcpy(&w->order, m->data, sizeof w->order);
    w->ordered = true;
}

static void say_self(struct watchdog *w, struct watchdog_way *way, uint32_t kind) {
    struct watchdog_rank self;

    watchdog_self(w, kind == WATCHDOG_STATE, &self);
    watchdog_line_say(&way->line, kind, &self, watchdog_rank_bytes(&self), NULL, 0);
}

static void hear_hub(struct watchdog *w, int i, const struct watchdog_message *m, double now) {
    struct watchdog_way *way = &w->way[i];

    if (m->kind == WATCHDOG_WELCOME && m->len == sizeof w->token &&
        !memcmp(m->data, w->token, sizeof w->token)) {
        way->welcome = true;
        say_self(w, way, WATCHDOG_BEAT); /* should it be stopped before the next beat */
    }
    if (!way->welcome)
        return;
    way->heard = now;
    if (m->kind == WATCHDOG_ASK) {
        say_self(w, way, WATCHDOG_STATE);
    } else if (m->kind == WATCHDOG_ALL) {
        give_answers(w, m);
    } else if (m->kind == WATCHDOG_BYE) {
        way->left = true;
    } else if (m->kind == WATCHDOG_END) {
        take_order(w, w->hub[i].rank, m);
    }
}

static void pull_hub(struct watchdog *w, int i, double now) {
    struct watchdog_way *way = &w->way[i];
    struct watchdog_message m;

    watchdog_line_pull(&way->line);
    while (watchdog_line_next(&way->line, &m))
        hear_hub(w, i, &m, now);
    if (way->line.fd >= 0)
        return;
    if (!way->welcome)
        fail_way(w, i, way->line.why);
    watchdog_line_close(&way->line);
    way->welcome = false;
}

/* --- from ranks --- */

static bool has_room(const struct watchdog *w) {
    int strangers = 0;

    for (int i = 0; i < w->n_peers; i++)
        strangers += w->peer[i].rank < 0;
    return strangers < STRANGERS;
}

static void add_peer(struct watchdog *w, int fd, double now) {
    if (w->n_peers == w->room_peers) {
        const int room = 2 * w->room_peers + 16;
        struct watchdog_peer *more = realloc(w->peer, (size_t)room * sizeof *more);
        if (more)
            w->peer = more, w->room_peers = room;
    }
    if (w->n_peers == w->room_peers) {
        close(fd);
        return;
    }
    struct watchdog_peer *p = &w->peer[w->n_peers++];
    *p = (struct watchdog_peer){.rank = -1, .began = now};
    watchdog_line_open(&p->line, fd, sizeof(struct watchdog_hello));
}

/* Its former connection, if it has one, is a thing of the past. */
static void welcome(struct watchdog *w, struct watchdog_peer *p, const struct watchdog_message *m) {
    struct watchdog_hello hello;

    if (m->kind == WATCHDOG_HELLO && m->len == sizeof hello)
        memcpy(&hello, m->data, sizeof hello);
    else
        hello.rank = -1;
    if (hello.rank < 0 || hello.rank >= w->size || memcmp(hello.token, w->token, sizeof w->token)) {
        watchdog_line_close(&p->line);
        return;
    }
    for (int i = 0; i < w->n_peers; i++)
        if (w->peer[i].rank == hello.rank) {
            watchdog_line_close(&w->peer[i].line);
            w->peer[i].rank = -1;
        }
    p->rank = hello.rank;
    p->line.most = sizeof(struct watchdog_rank);
    watchdog_line_say(&p->line, WATCHDOG_WELCOME, w->token, sizeof w->token, NULL, 0);
}

static void hear_rank(struct watchdog *w, struct watchdog_peer *p, const struct watchdog_message *m,
                      double now) {
    if (p->rank < 0) {
        welcome(w, p, m);
    } else if (m->kind == WATCHDOG_BEAT || m->kind == WATCHDOG_STATE) {
        if (!watchdog_judge_hear(&w->judge, p->rank, m->data, m->len, now))
            watchdog_line_close(&p->line);
        p->answered = p->answered || m->kind == WATCHDOG_STATE;
    } else if (m->kind == WATCHDOG_COLLECT && m->len == sizeof p->wants) {
        memcpy(&p->wants, m->data, sizeof p->wants);
    } else if (m->kind == WATCHDOG_BYE) {
        w->judge.seen[p->rank].left = true;
    } else if (m->kind == WATCHDOG_END) {
        take_order(w, p->rank, m);
    }
}

static void pull_peer(struct watchdog *w, struct watchdog_peer *p, double now) {
    struct watchdog_message m;

    watchdog_line_pull(&p->line);
    while (watchdog_line_next(&p->line, &m))
        hear_rank(w, p, &m, now);
}

/* Those whose connection has ended, and those who never say who they are. */
static void drop_peers(struct watchdog *w, double now) {
    int n = 0;

    for (int i = 0; i < w->n_peers; i++) {
        struct watchdog_peer *p = &w->peer[i];
        if (p->rank < 0 && now - p->began > hello_s)
            watchdog_line_close(&p->line);
        if (p->line.fd >= 0) {
            w->peer[n++] = *p;
            continue;
        }
        watchdog_line_close(&p->line);
        if (p->rank >= 0)
            w->judge.seen[p->rank].lost = now;
    }
    w->n_peers = n;
}

/* --- all of them --- */

static struct pollfd wish(const struct watchdog_line *l) {
    return (struct pollfd){l->fd, (short)(POLLIN | (l->n_out ? POLLOUT : 0)), 0};
}

static void take_all(struct watchdog *w, const struct pollfd *f, int n_peers, double now) {
    char byte[64];

    if (f[0].revents && read(w->wake[0], byte, sizeof byte) < 0)
        return; /* somebody else's word is enough */
    for (int i = 0; i < WATCHDOG_HUBS; i++)
        if (f[2 + i].revents) {
            watchdog_line_push(&w->way[i].line);
            pull_hub(w, i, now);
        }
    for (int i = 0; i < n_peers; i++)
        if (f[2 + WATCHDOG_HUBS + i].revents) {
            watchdog_line_push(&w->peer[i].line);
            pull_peer(w, &w->peer[i], now);
        }
    for (int fd; f[1].revents && has_room(w) && (fd = watchdog_accept(w->listener)) >= 0;)
        add_peer(w, fd, now);
}

void watchdog_talk(struct watchdog *w, double timeout_s) {
    const int n_peers = w->n_peers, n = 2 + WATCHDOG_HUBS + n_peers;
    struct pollfd *f = calloc((size_t)n, sizeof *f), alone = {w->wake[0], POLLIN, 0};
    const int ms = timeout_s > 0 ? (int)(timeout_s * 1000) + 1 : 0;

    if (!f) { /* later there may be memory */
        poll(&alone, 1, ms);
        return;
    }
    f[0] = (struct pollfd){w->wake[0], POLLIN, 0};
    f[1] = (struct pollfd){has_room(w) ? w->listener : -1, POLLIN, 0};
    for (int i = 0; i < WATCHDOG_HUBS; i++)
        f[2 + i] = wish(&w->way[i].line);
    for (int i = 0; i < n_peers; i++)
        f[2 + WATCHDOG_HUBS + i] = wish(&w->peer[i].line);
    if (poll(f, (nfds_t)n, ms) > 0)
        take_all(w, f, n_peers, clock_now());
    drop_peers(w, clock_now());
    free(f);
}

void watchdog_beat(struct watchdog *w, double now) {
    struct watchdog_rank self;

    watchdog_self(w, false, &self);
    watchdog_judge_hear(&w->judge, w->rank, &self, watchdog_rank_bytes(&self), now);
    for (int i = 0; i < WATCHDOG_HUBS; i++)
        if (w->way[i].welcome)
            watchdog_line_say(&w->way[i].line, WATCHDOG_BEAT, &self, watchdog_rank_bytes(&self),
                              NULL, 0);
    for (int i = 0; i < w->n_peers; i++)
        if (w->peer[i].rank >= 0)
            watchdog_line_say(&w->peer[i].line, WATCHDOG_PING, NULL, 0, NULL, 0);
}

/* Those who may still answer: whoever has been silent for long does not. */
static int n_asked(const struct watchdog *w, double now) {
    int n = 0;

    for (int i = 0; i < w->n_peers; i++) {
        const struct watchdog_peer *p = &w->peer[i];
        n += p->rank >= 0 && !p->answered &&
             now - w->judge.seen[p->rank].heard <= watchdog_judge_silence(&w->judge);
    }
    return n;
}

void watchdog_gather(struct watchdog *w, double patience_s) {
    const double began = clock_now();
    struct watchdog_rank self, *own = &w->judge.rank[w->rank - w->judge.first];

    for (int i = 0; i < w->n_peers; i++) {
        w->peer[i].answered = false;
        if (w->peer[i].rank >= 0)
            watchdog_line_say(&w->peer[i].line, WATCHDOG_ASK, NULL, 0, NULL, 0);
    }
    for (double now = began; n_asked(w, now) && now - began < patience_s; now = clock_now())
        watchdog_talk(w, began + patience_s - now);
    const double now = clock_now();
    for (int i = 0; i < w->judge.n; i++) {
        struct watchdog_rank *r = &w->judge.rank[i];
        r->answers = false;
        r->silent_s = now - w->judge.seen[i].heard;
        r->still_s = now - w->judge.seen[i].moved;
    }
    for (int i = 0; i < w->n_peers; i++)
        if (w->peer[i].rank >= 0 && w->peer[i].answered)
            w->judge.rank[w->peer[i].rank].answers = true;
    watchdog_self(w, true, &self);
    self.still_s = own->still_s;
    *own = self;
}

/* What all say, in one piece. */
static void serve(struct watchdog *w, struct watchdog_peer *p) {
    unsigned char *text = malloc(most_from_hub(w)), *at = text;

    for (int i = 0; i < w->size && text; i++) {
        const uint64_t len = watchdog_rank_bytes(&w->judge.rank[i]);
        memcpy(at, &len, sizeof len);
        memcpy(at + sizeof len, &w->judge.rank[i], len);
        at += sizeof len + len;
    }
    watchdog_line_say(&p->line, WATCHDOG_ALL, text, (size_t)(at - text), NULL, 0);
    free(text);
}

void watchdog_serve(struct watchdog *w) {
    double patience_s = 0;

    for (int i = 0; i < w->n_peers; i++)
        patience_s = w->peer[i].wants > patience_s ? w->peer[i].wants : patience_s;
    if (patience_s <= 0)
        return;
    watchdog_gather(w, patience_s);
    for (int i = 0; i < w->n_peers; i++)
        if (w->peer[i].wants > 0) {
            serve(w, &w->peer[i]);
            w->peer[i].wants = 0;
        }
}

static bool has_more_to_say(const struct watchdog *w) {
    bool more = false;

    for (int i = 0; i < WATCHDOG_HUBS; i++)
        more = more || (w->way[i].line.fd >= 0 && w->way[i].line.n_out);
    for (int i = 0; i < w->n_peers; i++)
        more = more || (w->peer[i].line.fd >= 0 && w->peer[i].line.n_out);
    return more;
}

void watchdog_say_all(struct watchdog *w, uint32_t kind, const void *data, size_t len,
                      double patience_s) {
    const double began = clock_now();

    for (int i = 0; i < WATCHDOG_HUBS; i++)
        if (w->way[i].welcome)
            watchdog_line_say(&w->way[i].line, kind, data, len, NULL, 0);
    for (int i = 0; i < w->n_peers; i++)
        if (w->peer[i].rank >= 0)
            watchdog_line_say(&w->peer[i].line, kind, data, len, NULL, 0);
    while (has_more_to_say(w) && clock_now() - began < patience_s)
        watchdog_talk(w, 0.01);
}

void watchdog_hang_up(struct watchdog *w) {
    for (int i = 0; i < WATCHDOG_HUBS; i++)
        watchdog_line_close(&w->way[i].line);
    for (int i = 0; i < w->n_peers; i++)
        watchdog_line_close(&w->peer[i].line);
    free(w->peer);
    w->peer = NULL;
    w->n_peers = 0;
    if (w->listener >= 0)
        close(w->listener);
    w->listener = -1;
}
