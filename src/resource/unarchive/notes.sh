export LC_ALL=C
state() (
  cd -- "$2" || exit
  {
    find -files0-from "$1" -maxdepth 0 \( -type f -printf 'f %m %U:%G\t%p\0' -o -type d -printf 'd %m %U:%G\t%p\0' \
      -o -type l -printf 'l %U:%G\t%p\t%l\0' -o -printf '%y\t%p\0' \) 2>/dev/null
    find -files0-from "$1" -maxdepth 0 -type f -print0 2>/dev/null | xargs -0r sha256sum -z -- | sed -z 's/  /\t/'
  } | sort -z
)
differences() { state "$note.names" "$1" | comm -z -3 "$note.state" - | sed -z -e 's/^\t/is /' -e t -e 's/^/was /'; }
kind() {
  case $(head -c 6 -- "$1" | od -An -tx1 | tr -d ' \n') in
  1f8b*) echo gz ;;
  fd377a585a00) echo xz ;;
  28b52ffd*) echo zst ;;
  425a68*) echo bz2 ;;
  504b0304* | 504b0506*) echo zip ;;
  *) echo tar ;;
  esac
}
