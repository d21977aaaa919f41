#!/bin/sh
# Builds one release of the application: build.sh RELEASE ARCHIVE
#
# Needs node, tar, gzip, the npm registry, and yarn 1: as `yarn`, as `yarnpkg` (Debian 12; that of 13 is yarn 4), or by `npx`.
# The same source gives the same archive, byte for byte.
set -eu
release=$1 archive=$2
source=$(cd "$(dirname "$0")" && pwd)
case $release in '' | *[!A-Za-z0-9._-]* | .*) echo "no name for a release: $release" >&2; exit 2 ;; esac

one() { case $("$1" --version 2>/dev/null) in 1.*) ;; *) return 1 ;; esac; }
if one yarn; then yarn=yarn
elif one yarnpkg; then yarn=yarnpkg
elif command -v npx >/dev/null; then yarn='npx --yes yarn@1.22.22'
else
  echo "yarn 1 is missing here: install it, or npm (on Debian: apt-get install npm), and build again" >&2
  exit 1
fi

mkdir -p "$(dirname "$archive")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/$release
mkdir -p "$tree/web/assets"
cp "$source"/*.js "$source/package.json" "$source/yarn.lock" "$tree"
printf '%s\n' "$release" >"$tree/RELEASE"
# A page names the assets of its own release; they lie beside those of the releases before.
sed "s/RELEASE/$release/g" "$source/web/index.html" >"$tree/web/index.html"
for asset in "$source"/web/assets/*; do
  name=${asset##*/}
  cp "$asset" "$tree/web/assets/${name%.*}.$release.${name##*.}"
done
# Packages run nothing of their own while they are installed.
(cd "$tree" && $yarn install --frozen-lockfile --production --ignore-scripts --non-interactive --no-progress >&2)
rm -f "$tree/node_modules/.yarn-integrity"
find "$tree" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
tar -C "$work" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - "$release" | gzip -9n >"$archive.new"
mv "$archive.new" "$archive"
