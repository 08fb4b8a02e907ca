#!/usr/bin/env bash
# Fail when a file given on the command line is larger than 1 MB: data does not belong in the repository.
set -u
status=0
for file in "$@"; do
  if [ -f "$file" ] && [ "$(stat -c %s "$file")" -gt 1048576 ]; then
    echo "$file is larger than 1 MB"
    status=1
  fi
done
exit $status
