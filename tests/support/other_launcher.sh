#!/bin/sh
# The launcher of another MPI library starts N jobs of one rank, which are refused, and nothing else is
# said: by each of them, of which the launcher may end some before.
#   other_launcher.sh PROGRAM LAUNCHER
# Ends with 77 where that launcher is not installed.
[ -x "$2" ] || { echo "skipped: there is no other MPI library: $2"; exit 77; }
case $2 in
*openmpi*) flags="--oversubscribe --allow-run-as-root" ;;
*) flags="" ;;
esac
folder=$(mktemp -d /tmp/dltrain_XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
# shellcheck disable=SC2086
"$2" $flags -np 3 "$1" check none.ini >out 2>&1
code=$?
cat out
[ $code = 64 ] || { echo "found exit code $code, expected 64"; exit 1; }
said=$(grep -c '^dltrain: .* started 3 processes .* but MPI sees 1 rank: ' out)
[ "$said" -ge 1 ] && [ "$said" -le 3 ] || { echo "expected 1 to 3 lines that say it"; exit 1; }
[ "$(grep -c '^dltrain: ' out)" = "$said" ] || { echo "expected no other line"; exit 1; }
