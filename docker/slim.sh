#!/bin/sh
# Removes what a site-packages folder holds for developers only: tests, C and C++ headers, static libraries, compilers,
# and the debug symbols of libraries. What each is worth: docs/containers.md.
#   slim.sh SITE_PACKAGES
set -eu
packages=$1

size() { du -sm "$packages" | cut -f1; }
report() { now=$(size); echo "slim: $1: $((before - now)) MB"; before=$now; }
before=$(size)

find "$packages"/torch/bin -mindepth 1 ! -name torch_shm_manager -delete
rm -rf "$packages"/torch/test "$packages"/torch/include "$packages"/torch/share/cmake
report "torch's tests, headers and compilers"

# Folders called testing are another matter: libraries import those of others.
find "$packages" -depth -type d \( -name tests -o -path '*/tornado/test' \) -exec rm -rf {} +
report "tests of the other packages"

# Some libraries that auditwheel has patched cannot be loaded once they are stripped; ldd, which maps them, tells.
find "$packages" -type f \( -name '*.so' -o -name '*.so.*' \) -exec sh -c '
    for library; do
        if strip --strip-unneeded -o "$library.slim" "$library" && ldd "$library.slim" >"$library.ldd" 2>&1; then
            cat "$library.slim" >"$library"
        else
            echo "slim: left alone: $library"
        fi
        rm -f "$library.slim" "$library.ldd"
    done' strip {} +
report "debug symbols"

rm -rf "$packages"/pip "$packages"/pip-* "$packages"/setuptools "$packages"/setuptools-* "$packages"/pkg_resources
report "pip and setuptools"
echo "slim: $(size) MB are left"
