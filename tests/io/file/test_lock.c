/* Who may take a folder that has a lock in it. */
#include "io/scratch.h"

#include "core/base/memory.h"
#include "core/base/unfinished.h"
#include "io/file/file.h"
#include "io/file/lock.h"
#include "io/file/lock_owner.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { CHILDREN = 12, ROUNDS = 20 };

static void write_text(const char *name, const char *text) {
    write_bytes(in_scratch(name), text, strlen(text));
}

static bool is_there(const char *name) {
    return !access(in_scratch(name), F_OK);
}

static void write_owner(const struct lock_owner *owner) {
    char *text = lock_owner_write(owner);

    assert_non_null(text);
    write_text("lock", text);
    free(text);
}

static struct lock_owner this_process(void) {
    struct lock_owner owner;

    lock_owner_init(&owner);
    return owner;
}

/* Taking it is refused with that message, and the lock stays what it is. */
static void refused(const char *message) {
    char left[LOCK_TEXT];
    struct lock lock = {0};
    struct err err = {0};
    size_t n, m;
    unsigned char *before = read_bytes(in_scratch("lock"), &n), *after;

    assert_int_equal(lock_take(&lock, scratch, "give this one another name=", left, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    if (!strstr(err.msg, message))
        fail_msg("'%s' does not hold '%s'", err.msg, message);
    assert_null(lock.text);
    after = read_bytes(in_scratch("lock"), &m);
    assert_int_equal(n, m);
    assert_memory_equal(before, after, n);
    free(before);
    free(after);
    unlink(in_scratch("lock"));
}

/* It is taken, from whom the text says, and given back. */
static void taken(const char *from) {
    char left[LOCK_TEXT];
    struct lock lock = {0};
    struct err err = {0};
    bool lost;

    if (lock_take(&lock, scratch, "give this one another name=", left, &err))
        fail_msg("%s", err.msg);
    if (!strstr(left, from) || !*left != !*from)
        fail_msg("'%s' is not '%s'", left, from);
    assert_int_equal(lock_keep(&lock, &lost, &err), 0);
    lock_release(&lock);
    assert_false(is_there("lock"));
    assert_false(is_there("lock.new"));
}

static void an_owner_is_read_as_it_was_written(void **state) {
    const struct lock_owner mine = this_process();
    struct lock_owner again;
    char *text = lock_owner_write(&mine);

    (void)state;
    assert_non_null(text);
    assert_int_equal(mine.pid, getpid());
    assert_true(mine.host[0] && mine.machine[0]);
    assert_int_equal(lock_owner_read(&again, text), 0);
    assert_memory_equal(&again, &mine, sizeof mine);
    for (size_t len = 0; len < strlen(text); len++) {
        char *part = file_text("%.*s", (int)len, text);
        assert_non_null(part);
        assert_int_equal(lock_owner_read(&again, part), -1);
        free(part);
    }
    free(text);
}

static void who_lives_on_this_host_keeps_it(void **state) {
    struct lock_owner owner = this_process();

    (void)state;
    taken("");
    write_owner(&owner);
    refused(" is in use by another run (process ");
    owner.start = -1; /* not known */
    write_owner(&owner);
    refused("; give this one another name=");
    owner = this_process();
    strcpy(owner.job, "7"); /* of the same Slurm job, but it lives */
    assert_int_equal(setenv("SLURM_JOB_ID", "7", 1), 0);
    write_owner(&owner);
    refused(" is in use by another run (process ");
    assert_int_equal(unsetenv("SLURM_JOB_ID"), 0);
}

static void who_has_ended_on_this_host_has_left_it(void **state) {
    struct lock_owner owner = this_process();
    char from[64];

    (void)state;
    owner.start += 1; /* the number is now another process's */
    write_owner(&owner);
    snprintf(from, sizeof from, "process %d on ", getpid());
    taken(from);
    owner = this_process();
    strcpy(owner.boot, "before");
    write_owner(&owner);
    taken(from);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (!child)
        _exit(0);
    siginfo_t info; /* it has ended, but is still in the list of processes */
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    owner = this_process();
    owner.pid = child, owner.start = -1;
    write_owner(&owner);
    taken("process ");
    assert_int_equal(waitpid(child, NULL, 0), child);
    write_owner(&owner);
    taken("process ");
}

static void of_another_host_nobody_knows(void **state) {
    struct lock_owner owner = this_process();

    (void)state;
    owner.pid = 1 << 30;
    strcpy(owner.host, "elsewhere");
    write_owner(&owner);
    refused("(process 1073741824 on elsewhere, since ");
    write_owner(&owner);
    refused("/lock, else give this one another name=");
    owner = this_process();
    owner.pid = 1 << 30;
    strcpy(owner.machine, "of the same name");
    write_owner(&owner);
    refused(": if it has ended, delete ");
    strcpy(owner.job, "7");
    write_owner(&owner);
    refused(": if it has ended, delete ");
    write_owner(&owner);
    assert_int_equal(setenv("SLURM_JOB_ID", "8", 1), 0);
    refused(": if it has ended, delete ");
    write_owner(&owner);
    assert_int_equal(setenv("SLURM_JOB_ID", "7", 1), 0);
    taken("process 1073741824 on ");
    assert_int_equal(unsetenv("SLURM_JOB_ID"), 0);
}

/* Between making and writing it. */
static void who_was_killed_as_it_took_it_holds_nothing(void **state) {
    (void)state;
    write_text("lock", "");
    taken("it was killed as it took it");
}

static void a_lock_that_says_nothing_is_refused(void **state) {
    (void)state;
    write_text("lock", "{\"host\": \"node1\"}");
    refused("lock does not say who holds it; if no run is in ");
}

/* Killed between making lock.new and putting it into its place, or before it was written. */
static void a_taking_that_was_cut_short_is_nobody_s(void **state) {
    struct lock_owner owner = this_process();
    char *text;

    (void)state;
    owner.start += 1;
    write_owner(&owner);
    write_text("lock.new", "");
    taken("process ");
    text = lock_owner_write(&owner);
    assert_non_null(text);
    write_text("lock.new", text);
    write_owner(&owner);
    taken("process ");
    free(text);
}

static void a_taking_by_another_host_is_told(void **state) {
    struct lock_owner owner = this_process();
    char *text;

    (void)state;
    owner.start += 1;
    write_owner(&owner);
    owner.pid = 1 << 30;
    strcpy(owner.host, "elsewhere");
    strcpy(owner.machine, "another");
    text = lock_owner_write(&owner);
    assert_non_null(text);
    write_text("lock.new", text);
    refused(" is just being taken by another run; if there is none, delete ");
    assert_int_equal(unlink(in_scratch("lock.new")), 0);
    free(text);
}

/* A system that reads nothing any more: the file itself is known. */
static void a_lock_that_cannot_be_read_is_given_back(void **state) {
    char left[LOCK_TEXT];
    struct lock lock;
    struct err err = {0};

    (void)state;
    assert_int_equal(lock_take(&lock, scratch, "", left, &err), 0);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    lock_release(&lock);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(is_there("lock"));
}

/* Where there is no memory, nothing of a process is left behind but what is another's by now. */
static void what_is_unfinished_is_removed_at_the_end(void **state) {
    (void)state;
    write_text("half", "a");
    write_text("whole", "b");
    write_text("others", "c");
    const pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        char left[LOCK_TEXT];
        struct lock lock;
        struct err err = {0};
        unfinished_add(in_scratch("half"));
        unfinished_drop(unfinished_add(in_scratch("whole")));
        unfinished_add(in_scratch("others"));
        write_text("new", "d");
        rename(in_scratch("new"), in_scratch("others"));
        if (lock_take(&lock, scratch, "", left, &err) || !is_there("lock"))
            _exit(1);
        memory_end(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == ERR_IO);
    assert_false(is_there("half") || is_there("lock"));
    assert_true(is_there("whole") && is_there("others"));
}

static void a_lost_lock_is_noticed_and_a_deleted_one_made_again(void **state) {
    struct lock_owner owner = this_process();
    char left[LOCK_TEXT];
    struct lock lock;
    struct err err = {0};
    bool lost;

    (void)state;
    assert_int_equal(lock_take(&lock, scratch, "give this one another name=", left, &err), 0);
    assert_int_equal(unlink(in_scratch("lock")), 0);
    assert_int_equal(lock_keep(&lock, &lost, &err), 0);
    assert_true(is_there("lock"));
    strcpy(owner.host, "elsewhere");
    write_owner(&owner);
    assert_int_equal(lock_keep(&lock, &lost, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_true(lost);
    assert_non_null(strstr(err.msg, " on elsewhere, since "));
    lock_release(&lock);
    assert_true(is_there("lock")); /* it is the other's */
    assert_int_equal(unlink(in_scratch("lock")), 0);
}

static void a_folder_that_is_moved_away_is_said(void **state) {
    char left[LOCK_TEXT], from[256], to[256];
    struct lock lock;
    struct err err = {0};
    bool lost = false;

    (void)state;
    strcpy(from, in_scratch("moved"));
    strcpy(to, in_scratch("there"));
    assert_int_equal(mkdir(from, 0777), 0);
    assert_int_equal(lock_take(&lock, from, "", left, &err), 0);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(lock_keep(&lock, &lost, &err), -1);
    assert_non_null(strstr(err.msg, "moved is no longer there: somebody has moved or deleted"));
    lock_release(&lock);
    assert_int_equal(unlink(in_scratch("there/lock")), 0);
    assert_int_equal(rmdir(to), 0);
}

/* One of many processes at once: take it, say so by the exit code, and hold it until all have
 * tried. */
static void child(int all_tried) {
    char left[LOCK_TEXT], end;
    struct lock lock;
    struct err err = {0};
    const int rc = lock_take(&lock, scratch, "give this one another name=", left, &err);

    if (rc)
        _exit(strstr(err.msg, " by another run") ? 1 : 2);
    _exit(read(all_tried, &end, 1) == 0 ? 0 : 3);
}

/* Of all that want it at once, where there is none and where a dead one's lock is to be replaced.
 */
static void one_of_many_gets_it(void **state) {
    struct lock_owner dead = this_process();

    (void)state;
    dead.start += 1;
    for (int round = 0; round < ROUNDS; round++) {
        int gate[2], n[4] = {0}, status;
        unlink(in_scratch("lock"));
        if (round % 2)
            write_owner(&dead);
        if (round % 4 == 3) {
            char *text = lock_owner_write(&dead);
            assert_non_null(text);
            write_text("lock.new", text);
            free(text);
        }
        assert_int_equal(pipe(gate), 0);
        for (int i = 0; i < CHILDREN; i++) {
            const pid_t pid = fork();
            assert_true(pid >= 0);
            if (pid)
                continue;
            close(gate[1]);
            child(gate[0]);
        }
        for (int i = 0; i < CHILDREN - 1; i++) { /* the one that waits is not among them */
            assert_true(wait(&status) > 0 && WIFEXITED(status));
            n[WEXITSTATUS(status)]++;
        }
        close(gate[1]);
        close(gate[0]);
        assert_true(wait(&status) > 0 && WIFEXITED(status));
        n[WEXITSTATUS(status)]++;
        assert_int_equal(n[0], 1);
        assert_int_equal(n[1], CHILDREN - 1);
        assert_false(is_there("lock.new"));
    }
    unlink(in_scratch("lock"));
}

static void where_nothing_can_be_written_there_is_no_lock(void **state) {
    char left[LOCK_TEXT];
    struct lock lock = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(
        lock_take(&lock, in_scratch("absent"), "give this one another name=", left, &err), -1);
    assert_non_null(strstr(err.msg, "absent/lock: cannot be written: No such file or directory"));
    lock_release(&lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_owner_is_read_as_it_was_written),
        cmocka_unit_test(who_lives_on_this_host_keeps_it),
        cmocka_unit_test(who_has_ended_on_this_host_has_left_it),
        cmocka_unit_test(of_another_host_nobody_knows),
        cmocka_unit_test(who_was_killed_as_it_took_it_holds_nothing),
        cmocka_unit_test(a_lock_that_says_nothing_is_refused),
        cmocka_unit_test(a_taking_that_was_cut_short_is_nobody_s),
        cmocka_unit_test(a_taking_by_another_host_is_told),
        cmocka_unit_test(a_lock_that_cannot_be_read_is_given_back),
        cmocka_unit_test(what_is_unfinished_is_removed_at_the_end),
        cmocka_unit_test(a_lost_lock_is_noticed_and_a_deleted_one_made_again),
        cmocka_unit_test(a_folder_that_is_moved_away_is_said),
        cmocka_unit_test(one_of_many_gets_it),
        cmocka_unit_test(where_nothing_can_be_written_there_is_no_lock),
    };

    unsetenv("SLURM_JOB_ID");
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
