#define _XOPEN_SOURCE 700 /* stacks of handlers */
#include "train/crash.h"
#include "train/fault_parts.h"

#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED true
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

enum { TEXT = 2048, PATH = 4096, DEPTH = 64, STACK = 1 << 16 };

static const struct {
    int number;
    const char *name;
} caught[] = {{SIGSEGV, "SIGSEGV"},
              {SIGBUS, "SIGBUS"},
              {SIGFPE, "SIGFPE"},
              {SIGILL, "SIGILL"},
              {SIGABRT, "SIGABRT"}};

enum { N_CAUGHT = sizeof caught / sizeof *caught };

/* All that a handler may use is made beforehand. */
static struct crash_place place;
static char page[PATH], beside[PATH], page_json[PATH], beside_json[PATH];
static struct sigaction before[N_CAUGHT];
static bool watching;
static pthread_t owner;
static atomic_flag crashed = ATOMIC_FLAG_INIT;
static _Alignas(16) char stack[STACK];

/* --- text without the library, whose locks may be held --- */

struct crash_text {
    char at[TEXT];
    size_t len;
};

static void put(struct crash_text *t, const char *text) {
    for (; *text && t->len + 1 < TEXT; text++)
        t->at[t->len++] = *text;
    t->at[t->len] = 0;
}

static void put_number(struct crash_text *t, uintmax_t n, unsigned base) {
    char digits[72];
    size_t i = sizeof digits - 1;

    digits[i] = 0;
    do
        digits[--i] = "0123456789abcdef"[n % base];
    while (n /= base);
    put(t, digits + i);
}

/* As a string of JSON. */
static void put_quoted(struct crash_text *t, const char *text) {
    put(t, "\"");
    for (; *text; text++) {
        const char c[] = {*text, 0};
        if (*text == '"' || *text == '\\')
            put(t, "\\");
        put(t, (unsigned char)*text < ' ' ? "?" : c);
    }
    put(t, "\"");
}

static void write_all(int fd, const char *text, size_t len) {
    while (len) {
        const ssize_t n = write(fd, text, len);
        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

/* --- what is said --- */

struct crash_fact {
    const char *signal, *phase, *node, *which;
    uintptr_t address;
    bool has_address, elsewhere; /* elsewhere: in another thread than the pulse's */
    int64_t step;                /* from 1; 0: in none */
};

static struct crash_fact fact_of(int signal, const siginfo_t *info) {
    struct crash_fact f = {.elsewhere = !pthread_equal(pthread_self(), owner)};

    for (int i = 0; i < N_CAUGHT; i++)
        if (caught[i].number == signal)
            f.signal = caught[i].name;
    f.has_address = info->si_code > 0 && signal != SIGABRT; /* the system says it */
    f.address = (uintptr_t)info->si_addr;
    if (!place.pulse)
        return f;
    const struct pulse_beat beat = pulse_look(place.pulse, PULSE_MAIN);
    f.phase = pulse_name((enum pulse_phase)beat.phase);
    f.node = fault_node(place.names, beat.which, beat.node);
    f.step = beat.step + 1;
    if (place.names && beat.which >= 0 && beat.which < place.names->n_steps)
        f.which = place.names->step[beat.which];
    return f;
}

static void put_message(struct crash_text *t, const struct crash_fact *f) {
    put(t, "rank ");
    put_number(t, (uintmax_t)place.rank, 10);
    put(t, " on ");
    put(t, place.host);
    put(t, ": crashed (");
    put(t, f->signal);
    if (f->has_address) {
        put(t, " at 0x");
        put_number(t, f->address, 16);
    }
    put(t, ")");
    if (f->phase) {
        put(t, f->elsewhere ? " in another thread, beside " : " in ");
        put(t, f->phase);
        put(t, f->node ? " of " : "");
        put(t, f->node ? f->node : "");
        put(t, ", step ");
        put_number(t, f->step > 0 ? (uintmax_t)f->step : 0, 10);
    }
}

static void put_row(struct crash_text *t, const char *what, const char *value) {
    if (!value || !value[0])
        return;
    put(t, what);
    for (size_t i = strlen(what); i < 11; i++)
        put(t, " ");
    put(t, value);
    put(t, "\n");
}

static void put_page(struct crash_text *t, const struct crash_fact *f) {
    struct crash_text number = {.len = 0};

    put_message(t, f);
    put(t, "\n\n");
    put_row(t, "kind", fault_kind_name(FAULT_CRASH));
    put_number(&number, (uintmax_t)place.rank, 10);
    put(&number, " of ");
    put_number(&number, (uintmax_t)place.size, 10);
    put(&number, ", host ");
    put(&number, place.host);
    put_row(t, "rank", number.at);
    number.len = 0;
    put_number(&number, f->step > 0 ? (uintmax_t)f->step : 0, 10);
    put_row(t, "step", number.at);
    put_row(t, "of", f->which);
    put_row(t, "phase", f->phase);
    put_row(t, "operator", f->node);
    put(t, "\nCalls, the last one first; `addr2line -e PROGRAM -f -i ADDRESS` says more of each, "
           "its\naddress being what stands in parentheses:\n");
}

static void put_json(struct crash_text *t, const struct crash_fact *f) {
    struct crash_text message = {.len = 0};

    put_message(&message, f);
    put(t, "{\"kind\": ");
    put_quoted(t, fault_kind_name(FAULT_CRASH));
    put(t, ", \"message\": ");
    put_quoted(t, message.at);
    put(t, ", \"signal\": ");
    put_quoted(t, f->signal);
    put(t, ", \"rank\": ");
    put_number(t, (uintmax_t)place.rank, 10);
    put(t, ", \"ranks\": ");
    put_number(t, (uintmax_t)place.size, 10);
    put(t, ", \"host\": ");
    put_quoted(t, place.host);
    put(t, ", \"step\": ");
    put_number(t, f->step > 0 ? (uintmax_t)f->step : 0, 10);
    if (f->phase) {
        put(t, ", \"phase\": ");
        put_quoted(t, f->phase);
    }
    if (f->node) {
        put(t, ", \"operator\": ");
        put_quoted(t, f->node);
    }
    put(t, "}\n");
}

/* --- where it goes --- */

static void write_page(const struct crash_fact *f, void *const *call, int n_calls) {
    static struct crash_text text; /* a stack may be short */
    const char *advice = fault_advice(FAULT_CRASH);
    const int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        return;
    text.len = 0;
    put_page(&text, f);
    write_all(fd, text.at, text.len);
    backtrace_symbols_fd(call, n_calls, fd);
    write_all(fd, "\nWhat to do: ", strlen("\nWhat to do: "));
    write_all(fd, advice, strlen(advice));
    write_all(fd, "\n", 1);
    close(fd);
    if (fault_place(beside, page))
        return;
    const int json = open(beside_json, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (json < 0)
        return;
    text.len = 0;
    put_json(&text, f);
    write_all(json, text.at, text.len);
    close(json);
    (void)rename(beside_json, page_json);
}

/* The handler of before, MPI's or the system's, sees the signal again: what the system has found
 * happens once more when this one returns, others are sent again. */
static void pass_on(int signal, const siginfo_t *info) {
    for (int i = 0; i < N_CAUGHT; i++)
        if (caught[i].number == signal)
            sigaction(signal, &before[i], NULL);
    if (info->si_code <= 0 || signal == SIGABRT)
        raise(signal);
}

static bool others_print_calls(int signal) {
    for (int i = 0; i < N_CAUGHT; i++)
        if (caught[i].number == signal)
            return before[i].sa_flags & SA_SIGINFO || before[i].sa_handler != SIG_DFL;
    return false;
}

static void take_crash(int signal, siginfo_t *info, void *context) {
    static struct crash_text line;
    static void *call[DEPTH];

    (void)context;
    if (!atomic_flag_test_and_set(&crashed)) {
        const struct crash_fact f = fact_of(signal, info);
        const int n_calls = backtrace(call, DEPTH);
        put(&line, "dltrain: ");
        put_message(&line, &f);
        if (page[0]) {
            put(&line, "; see ");
            put(&line, page);
        }
        put(&line, "\n");
        write_all(STDERR_FILENO, line.at, line.len);
        if (!others_print_calls(signal))
            backtrace_symbols_fd(call, n_calls, STDERR_FILENO);
        if (page[0])
            write_page(&f, call, n_calls);
    }
    pass_on(signal, info);
}

/* --- setting up --- */

static bool name_files(void) {
    char number[32];

    snprintf(number, sizeof number, ".%ld.tmp", (long)getpid());
    return snprintf(page, PATH, "%s/fault.txt", place.folder) < PATH - 40 &&
           snprintf(beside, PATH, "%s/fault.txt%s", place.folder, number) < PATH &&
           snprintf(page_json, PATH, "%s/fault.json", place.folder) < PATH &&
           snprintf(beside_json, PATH, "%s/fault.json%s", place.folder, number) < PATH;
}

/* The first backtrace loads a library, which a handler must not. */
static void begin(void) {
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = take_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    void *call[1];

    (void)backtrace(call, 1);
    sigaltstack(&own, NULL);
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < N_CAUGHT; i++)
        sigaction(caught[i].number, &action, &before[i]);
    owner = pthread_self();
    watching = true;
}

void crash_watch(const struct crash_place *where) {
    if (SANITIZED)
        return;
    page[0] = 0;
    place = *where;
    if (place.folder && !name_files())
        page[0] = 0;
    if (!watching)
        begin();
}

void crash_forget(void) {
    const stack_t none = {.ss_flags = SS_DISABLE};

    if (!watching)
        return;
    for (int i = 0; i < N_CAUGHT; i++)
        sigaction(caught[i].number, &before[i], NULL);
    sigaltstack(&none, NULL);
    page[0] = 0;
    place = (struct crash_place){0};
    watching = false;
}
