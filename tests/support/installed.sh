#!/bin/sh
# installed.sh BUILD_FOLDER: what cmake --install leaves, run from there: its jobs find their networks, and
# the first of them trains.
set -eu
dir=$(mktemp -d /tmp/dltrain_XXXXXX)
trap 'rm -rf "$dir"' EXIT

cmake --install "$1" --prefix "$dir/usr" >/dev/null
cd "$dir"
dltrain=$dir/usr/bin/dltrain
share=$dir/usr/share

"$dltrain" --version
gzip -dc "$share/man/man1/dltrain.1.gz" | grep -q '^.SH COMMANDS'
gzip -dc "$share/man/man5/dltrain-job.5.gz" | grep -q '^.SH \[data\]'
bash -n "$share/bash-completion/completions/dltrain"
grep -q '^#compdef dltrain' "$(find "$share/zsh" -name _dltrain)"
[ -s "$share/doc/dltrain/README.md" ] && [ -s "$share/doc/dltrain/docs/keys.md" ]

found=0
for job in "$share"/dltrain/jobs/*.ini; do
    grep -q '^image ' "$job" || continue # its input is not known without its data
    "$dltrain" show "$job" >/dev/null
    found=$((found + 1))
done
[ "$found" -gt 2 ]

"$dltrain" data synth data/shapes.h5 --train 128 --test 32
"$dltrain" "$share/dltrain/jobs/quickstart.ini" --set epochs=1
[ -s runs/quickstart/best.h5 ]
"$dltrain" eval runs/quickstart
