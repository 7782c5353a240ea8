# shellcheck shell=bash
# What lies on the nodes, and the proofs that it is what it should be. Sourced by scripts/quickstart.

target=2 # copies that every file is owed, as the configuration's classes say

# hold NODE FILE: gives the node a copy of an original (a hard link would let a fault reach the original).
hold() {
  local folder
  folder=$(node_folder "$1")
  mkdir -p "$folder/${2%/*}"
  cp -p "$originals/$2" "$folder/$2"
}

# An archive that has grown by itself: most photographs on one node, some on two, a few on a third as well.
spread_unevenly() {
  local name file i=0
  for name in "${nodes[@]}"; do mkdir -p "$(node_folder "$name")"; done
  while IFS= read -r file; do
    case $((i++ % 20)) in
      [0-9] | 10 | 11) hold n1 "$file" ;;
      12 | 13 | 14) hold n2 "$file" ;;
      15 | 16 | 17 | 18) hold n1 "$file" && hold n2 "$file" ;;
      19) hold n1 "$file" && hold n2 "$file" && hold n3 "$file" ;;
    esac
  done < <(cut -c35- "$home/sums")
}

# --- counting ---------------------------------------------------------------------------------------------------

files_on() { find "$(node_folder "$1")" -path '*/.geogrid' -prune -o -type f -printf '%P\n'; }

show_spread() {
  local name
  for name in "${nodes[@]}"; do say "$(printf '%s holds %4d files' "$name" "$(files_on "$name" | wc -l)")"; done
}

copies_in_all() { for name in "${nodes[@]}"; do files_on "$name"; done | wc -l; }

# Without a pipe to head(1), which would end the other side by SIGPIPE.
first_photo() { sed -n '1{s/^.\{34\}//p;q}' "$home/sums"; }

originals_count() { wc -l <"$home/sums"; }

# Whether every original (and nothing else) lies on the nodes at least $target times.
all_have_copies() {
  local name
  cmp -s <(cut -c35- "$home/sums" | sort) \
    <(for name in "${nodes[@]}"; do files_on "$name"; done | sort | uniq -c | awk -v t="$target" '$1 >= t { sub(/^ *[0-9]+ /, ""); print }' | sort)
}

# Whether every copy on every node has its original's bytes and time.
copies_are_true() {
  local name file
  for name in "${nodes[@]}"; do
    [[ -z $(files_on "$name") ]] || (cd "$(node_folder "$name")" && md5sum -c --quiet --ignore-missing "$home/sums") || return 1
  done
  while IFS= read -r file; do
    for name in "${nodes[@]}"; do
      [[ ! -e $(node_folder "$name")/$file || $(stat -c %Y "$(node_folder "$name")/$file") == "$(stat -c %Y "$originals/$file")" ]] ||
        { complain "$name: $file has lost its time" && return 1; }
    done
  done < <(cut -c35- "$home/sums" | awk 'NR % 25 == 1')
}

# --- the mount --------------------------------------------------------------------------------------------------

archive_count() { find "$archive" -type f | wc -l; }

# Forgets what the kernel has cached of the mount, so that reading asks the nodes again (needs no root).
forget_cache() {
  find "$archive" -type f -print0 | while IFS= read -r -d '' file; do
    dd if="$file" iflag=nocache count=0 status=none || return 1
  done
}

# Whether the mount shows exactly the originals, byte for byte.
archive_is_true() {
  [[ $(archive_count) == $(originals_count) ]] || { complain "the mount shows $(archive_count) files of $(originals_count)" && return 1; }
  forget_cache && (cd "$archive" && md5sum -c --quiet "$home/sums")
}

archive_shows() { [[ -r $archive/$1 ]]; }

# copies_of FILE: the nodes whose copy has the bytes of its original.
copies_of() {
  local name
  for name in "${nodes[@]}"; do
    cmp -s "$originals/$1" "$(node_folder "$name")/$1" && printf '%s ' "$name"
  done
  return 0
}

has_its_copies() {
  local -a found
  read -ra found < <(copies_of "$1")
  ((${#found[@]} >= target))
}

healthy() { geogridd status >/dev/null 2>&1; }
