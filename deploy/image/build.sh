#!/bin/sh
# Builds the image of server and agent: deploy/image/build.sh [TAG] (gantry:latest). BASE names the image it begins with (debian:12-slim).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd -P)
tag=${1:-gantry:latest}
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
"$root/deploy/install.sh" "$context/files"
# Settings come as variables or are mounted.
rm -rf "$context/files/etc" "$context/files/usr/lib/systemd" "$context/files/usr/lib/sysusers.d"
cp "$root/deploy/image/Dockerfile" "$context/"
docker build --tag "$tag" --build-arg "BASE=${BASE:-debian:12-slim}" "$context"
