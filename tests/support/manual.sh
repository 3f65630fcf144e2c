#!/bin/sh
# manual.sh PROGRAM: the manual pages that it prints, as mandoc or groff see them. 77: there is neither.
set -eu
dir=$(mktemp -d /tmp/dltrain_XXXXXX)
trap 'rm -rf "$dir"' EXIT

"$1" help --man dltrain >"$dir/dltrain.1"
"$1" help --man dltrain-job >"$dir/dltrain-job.5"

# Every command and every section of a job has a part.
"$1" help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/.SS dltrain \1/p' >"$dir/parts"
[ "$(wc -l <"$dir/parts")" -gt 8 ]
while read -r part; do
    grep -qxF "$part" "$dir/dltrain.1" || { echo "dltrain(1) has no '$part'"; exit 1; }
done <"$dir/parts"
"$1" help keys | grep '^\[' | sed 's/  .*//' >"$dir/parts"
[ "$(wc -l <"$dir/parts")" -gt 8 ]
while read -r part; do
    grep -qxF ".SH $part" "$dir/dltrain-job.5" || { echo "dltrain-job(5) has no '$part'"; exit 1; }
done <"$dir/parts"

if command -v mandoc >/dev/null; then
    mandoc -Tlint -Wwarning "$dir/dltrain.1" "$dir/dltrain-job.5"
elif command -v groff >/dev/null; then
    said=$(groff -man -ww -z "$dir/dltrain.1" "$dir/dltrain-job.5" 2>&1)
    [ -z "$said" ] || { echo "$said"; exit 1; }
else
    echo "skipped: there is neither mandoc nor groff"
    exit 77
fi
