/* What may be written, and what is in the way. */
#include "io/scratch.h"

#include "io/file/file.h"
#include "io/file/folder.h"

#include <sys/socket.h>
#include <sys/un.h>

static void refused(const char *path, const char *input, enum err_kind kind, const char *message) {
    struct err err = {0};

    assert_int_equal(file_check_target(path, &input, input ? 1 : 0, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_contains(err.msg, message);
}

static void accepted(const char *path, const char *input) {
    struct err err = {0};

    if (file_check_target(path, &input, input ? 1 : 0, &err))
        fail_msg("%s", err.msg);
}

static void only_plain_files_are_replaced(void **state) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)state;
    accepted(in_scratch("new"), NULL);
    accepted(in_scratch("no/such/folder/new"), NULL);
    write_bytes(in_scratch("old"), "x", 1);
    accepted(in_scratch("old"), NULL);
    refused("/dev/full", NULL, ERR_USAGE, "/dev/full: is a device, expected the name of a file");
    refused(scratch, NULL, ERR_USAGE, ": is a folder, expected");
    refused("", NULL, ERR_USAGE, "'': expected the name of a file");
    refused(in_scratch("new/"), NULL, ERR_USAGE, "new/': expected the name of a file");
    refused(in_scratch("old/new"), NULL, ERR_IO, "old/new: cannot be written: Not a directory");
    assert_int_equal(mkfifo(in_scratch("fifo"), 0666), 0);
    refused(in_scratch("fifo"), NULL, ERR_USAGE, "fifo: is a pipe");
    snprintf(address.sun_path, sizeof address.sun_path, "%s", in_scratch("socket"));
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    refused(in_scratch("socket"), NULL, ERR_USAGE, "socket: is a socket");
    assert_int_equal(symlink("/dev/null", in_scratch("device")), 0);
    refused(in_scratch("device"), NULL, ERR_USAGE, "device: is a device");
    assert_int_equal(symlink("old", in_scratch("leads")), 0);
    refused(in_scratch("leads"), NULL, ERR_USAGE, "leads: is a link, which what is written would");
    assert_int_equal(symlink("absent", in_scratch("nowhere")), 0);
    refused(in_scratch("nowhere"), NULL, ERR_USAGE, "nowhere: is a link, which what is written");
}

static void no_input_is_overwritten_under_any_name(void **state) {
    (void)state;
    write_bytes(in_scratch("in"), "x", 1);
    refused(in_scratch("in"), in_scratch("in"), ERR_USAGE, "in: is the same file as ");
    refused(in_scratch("./in"), in_scratch("in"), ERR_USAGE, "in: is the same file as ");
    assert_int_equal(symlink("in", in_scratch("soft")), 0);
    refused(in_scratch("soft"), in_scratch("in"), ERR_USAGE, "soft: is the same file as ");
    refused(in_scratch("in"), in_scratch("soft"), ERR_USAGE, "in: is the same file as ");
    assert_int_equal(link(in_scratch("in"), in_scratch("hard")), 0);
    refused(in_scratch("hard"), in_scratch("in"), ERR_USAGE, "hard: is the same file as ");
    write_bytes(in_scratch("other"), "x", 1);
    accepted(in_scratch("other"), in_scratch("in"));
    accepted(in_scratch("other"), in_scratch("absent"));
}

/* OUT.tmp is written before OUT. */
static void nor_on_the_way(void **state) {
    (void)state;
    write_bytes(in_scratch("way.tmp"), "x", 1);
    accepted(in_scratch("way"), NULL); /* left behind by a run that was killed */
    refused(in_scratch("way"), in_scratch("way.tmp"), ERR_USAGE, "way.tmp: is the same file as ");
    assert_int_equal(symlink("in", in_scratch("linked.tmp")), 0);
    refused(in_scratch("linked"), NULL, ERR_USAGE,
            "linked.tmp: is a link, but it is written on the way to ");
    assert_int_equal(mkdir(in_scratch("folder.tmp"), 0777), 0);
    refused(in_scratch("folder"), NULL, ERR_USAGE, "folder.tmp: is a folder, but");
}

static void a_pipe_stays_a_pipe(void **state) {
    struct err err = {0};
    struct stat st;

    (void)state;
    assert_int_equal(file_replace(in_scratch("fifo"), "x", 1, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(stat(in_scratch("fifo"), &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    err = (struct err){0};
    assert_int_equal(file_replace(in_scratch("old"), "new", 3, &err), 0);
    assert_int_equal(stat(in_scratch("old"), &st), 0);
    assert_int_equal(st.st_size, 3);
}

/* Of the file system that holds the first part of a path that is there. */
static void space_is_told_where_something_will_be_made(void **state) {
    char path[512];

    (void)state;
    snprintf(path, sizeof path, "%s/a/b/c", in_scratch("none"));
    const double here = file_space_left(in_scratch("old")), later = file_space_left(path);
    assert_true(here > 0);
    assert_true(later > here / 2 && later < 2 * here);
    assert_true(file_space_left("none") > 0);
    assert_true(file_space_left("/none/such") > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_plain_files_are_replaced),
        cmocka_unit_test(no_input_is_overwritten_under_any_name),
        cmocka_unit_test(nor_on_the_way),
        cmocka_unit_test(a_pipe_stays_a_pipe),
        cmocka_unit_test(space_is_told_where_something_will_be_made),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
