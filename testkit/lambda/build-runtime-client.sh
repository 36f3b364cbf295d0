#!/bin/sh
# Compiles the native half of aws-lambda-ric from the archives in its npm package, as its own install
# scripts do, but with no more than a C++ compiler and python3: no cmake, no make, no node-gyp.
# build-runtime-client.sh PACKAGE NODE_ADDON_API NODE_API_HEADERS WORK
set -eu
package=$1 addon_api=$2 node_api=$3 work=$4

mkdir -p "$work/curl" "$work/cpp" "$work/objects" "$work/unused"
python3 -m tarfile -e "$package/deps/curl.tar.xz" "$work/curl"
python3 -m tarfile -e "$package/deps/aws-lambda-cpp.tar.xz" "$work/cpp"

# The options of aws-lambda-ric's preinstall.sh.
options=$(sed -n 's/^ *\(--\(with\|disable\)[a-z0-9-]*\) *\\\{0,1\}$/\1/p' "$package/scripts/preinstall.sh")
cd "$work/curl"
chmod +x configure
# shellcheck disable=SC2086  # they are words
CC="${CC:-gcc}" ./configure $options

cd "$work/objects"
for source in "$work"/curl/lib/*.c "$work"/curl/lib/*/*.c; do
  name=$(printf '%s' "${source#"$work"/curl/lib/}" | tr / _)
  "${CC:-gcc}" -O1 -w -fPIC -DHAVE_CONFIG_H -DBUILDING_LIBCURL -DCURL_STATICLIB -I"$work/curl/include" \
    -I"$work/curl/lib" -c "$source" -o "$name.o"
done

sed 's/@PROJECT_VERSION_[A-Z]*@/0/' "$work/cpp/src/version.cpp.in" >"$work/cpp/src/version.cpp"
# Node's and libuv's own headers are included, but nothing of them is used.
touch "$work/unused/node.h" "$work/unused/v8.h" "$work/unused/uv.h"
"${CXX:-g++}" -std=c++17 -O1 -w -shared -fPIC -fexceptions -pthread -DNAPI_VERSION=8 -DNAPI_CPP_EXCEPTIONS \
  -DCURL_STATICLIB -DBACKWARD_HAS_BACKTRACE=0 -DBACKWARD_HAS_BACKTRACE_SYMBOL=0 \
  -I"$addon_api" -I"$node_api" -I"$work/unused" -I"$work/curl/include" -I"$work/cpp/include" \
  "$package/src/native/rapid-client.cc" "$work"/cpp/src/runtime.cpp "$work"/cpp/src/logging.cpp \
  "$work"/cpp/src/version.cpp "$work"/objects/*.o -o "$package/rapid-client.node"
