/* sweep_slurm.c - a sweep as an array of batch jobs: each task runs one trial. */
#include "cmd/sweep.h"
#include "io/file/file.h"

#include <string.h>

/* "--time=2:00:00 --partition=short": each word a line of its own. */
static const char *option_lines(struct pool *pool, const char *options) {
    const char *lines = "";

    for (; options && *options; options += strcspn(options, " ")) {
        options += strspn(options, " ");
        if (*options)
            lines =
                pool_print(pool, "%s#SBATCH %.*s\n", lines, (int)strcspn(options, " "), options);
    }
    return lines;
}

/* 'text' for a shell, whatever it holds. */
static const char *quoted(struct pool *pool, const char *text) {
    const char *out = "'";

    for (; *text; text++)
        out =
            *text == '\'' ? pool_print(pool, "%s'\\''", out) : pool_print(pool, "%s%c", out, *text);
    return pool_print(pool, "%s'", out);
}

/* What has saved is queued again, until it is done. When Slurm ends all processes of the task, the
 * shell must not be the first: what runs in it would be killed at once. */
const char *sweep_sbatch(struct sweep *s, const char *options, int most_at_once, struct err *err) {
    const char *path = sweep_file(s, "sweep.sbatch");
    const char *limit = most_at_once > 1 ? pool_print(&s->pool, "%%%d", most_at_once) : "";
    const char *text = pool_print(
        &s->pool,
        "#!/usr/bin/env bash\n"
        "# The trials of %s, one a task. In the folder that the sweep was made in:\n"
        "#   sbatch %s\n"
        "# Before its time is over a trial saves, ends with code 75, and is queued again.\n"
        "#SBATCH --job-name=\"%s\"\n"
        "#SBATCH --array=1-%d%s\n"
        "#SBATCH --ntasks=%d\n"
        "#SBATCH --output=\"%s/slurm_%%A_%%a.out\"\n"
        "#SBATCH --requeue\n"
        "#SBATCH --open-mode=append\n"
        "%s"
        "\n"
        "SLURM_JOB_END_TIME=$(date -d \"$(squeue --noheader --jobs \"$SLURM_JOB_ID\" --format "
        "%%e)\" +%%s)\n"
        "export SLURM_JOB_END_TIME # as newer versions of Slurm say it by themselves\n"
        "trap : TERM # the shell waits until the trial has saved\n"
        "code=0\n"
        "%s sweep --trial \"$SLURM_ARRAY_TASK_ID\" %s || code=$?\n"
        "if [ \"$code\" = 75 ]; then\n"
        "    scontrol requeue \"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\"\n"
        "fi\n"
        "exit \"$code\"\n",
        s->folder, path, s->job_name, s->n, limit, s->ranks, s->folder,
        option_lines(&s->pool, options), quoted(&s->pool, s->program), quoted(&s->pool, s->folder));

    return file_replace(path, text, strlen(text), err) ? NULL : path;
}
