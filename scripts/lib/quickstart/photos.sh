# shellcheck shell=bash
# The quickstart's photographs, in $originals, named as Geograph names them. Sourced by scripts/quickstart.

photo_root=geograph_live/public_html/photos
backgrounds=/usr/share/backgrounds # where Debian's package lomiri-wallpapers-16.04 has its photographs
crops_a_photo=16
crop_size=640x480
most_photos=${GEOGRID_QUICKSTART_PHOTOS:-1000}

# geograph_path ID: geograph_live/public_html/photos/AB/CD/ABCDEF_<8 hex>.jpg; the hex is the same in every run.
geograph_path() {
  local six hash
  printf -v six '%06d' "$1"
  hash=$(printf 'quickstart %s' "$six" | md5sum)
  printf '%s/%s/%s/%s_%s.jpg' "$photo_root" "${six:0:2}" "${six:2:2}" "$six" "${hash:0:8}"
}

# Ids far enough apart to fill many folders.
photo_id() { printf '%d' $((4 + $1 * 37)); }

dropped_photo() { geograph_path 999999; }
uploaded_photo() { geograph_path 999998; }

# The photographs proper among the wallpapers: two of them are drawn.
debian_photographs() {
  find "$backgrounds" -name '*_by_*.jpg' -not -name 'analogpattern*' -not -name 'umang*' | sort
}

# From each real photograph, crops at places that are the same in every run; gm batch reads the commands.
crop_commands() {
  local photo=$1 first=$2 scaled=$3 i path
  printf 'convert "%s" -resize 2048x2048 +profile * "%s"\n' "$photo" "$scaled"
  for ((i = 0; i < crops_a_photo; i++)); do
    path=$(geograph_path "$(photo_id $((first + i)))")
    mkdir -p "$originals/${path%/*}"
    printf 'convert -crop %s+%d+%d -quality 85 "%s" "%s/%s"\n' "$crop_size" \
      $((240 * (i % 4))) $((220 * (i / 4))) "$scaled" "$originals" "$path"
  done
}

photos_from_debian() {
  local photo first=0 scaled=$home/run/scaled.ppm
  while IFS= read -r photo; do
    crop_commands "$photo" "$first" "$scaled" | gm batch -echo off -stop-on-error on - || die "gm could not crop $photo"
    first=$((first + crops_a_photo))
  done < <(debian_photographs)
  rm -f "$scaled"
  ((first)) || die "no photographs in $backgrounds: scripts/install-deps photos"
}

# Copies of the photographs below a folder; one that has Geograph's layout already keeps its names.
photos_from_folder() {
  local folder=$1 photo count=0 path
  while IFS= read -r -d '' photo; do
    if [[ $photo == */"$photo_root"/* ]]; then
      path=$photo_root/${photo##*/"$photo_root"/}
    else
      path=$(geograph_path "$(photo_id "$count")")
    fi
    mkdir -p "$originals/${path%/*}"
    cp "$photo" "$originals/$path"
    ((++count < most_photos)) || break
  done < <(find "$folder" -type f \( -iname '*.jpg' -o -iname '*.jpeg' \) -print0 | sort -z)
  ((count)) || die -2 "no JPEG photographs below $folder"
  ((count < most_photos)) || say "(only the first $count; GEOGRID_QUICKSTART_PHOTOS=… takes more)"
}

# NAME_120x120.jpg and NAME_213x160.jpg beside each photograph that has none.
make_thumbnails() {
  local photo size
  while IFS= read -r -d '' photo; do
    for size in 120x120 213x160; do
      [[ -e ${photo%.jpg}_$size.jpg ]] ||
        printf 'convert -size %s "%s" -resize %s +profile * -quality 80 "%s"\n' "$size" "$photo" "$size" "${photo%.jpg}_$size.jpg"
    done
  done < <(photographs) | gm batch -echo off -stop-on-error off - || complain "gm could not read some photographs: they have no thumbnails"
}

# The photographs without their thumbnails, NUL-separated, in order.
photographs() {
  find "$originals" -type f -name '*.jpg' -not -name '*_[0-9]*x[0-9]*.jpg' -print0 | sort -z
}

# As an archive is: every file's time is its own, years ago.
age_files() {
  local photo i=0
  while IFS= read -r -d '' photo; do
    touch -d "@$((1300000000 + i++ * 3600))" "${photo%.jpg}"*.jpg
  done < <(photographs)
}

# prepare_photos [FOLDER]: fills $originals, unless an earlier run did from the same source, and writes $home/sums.
prepare_photos() {
  local source=${1:-debian} known
  known=$(cat "$home/source" 2>/dev/null || true)
  if [[ $known == "$source" && -s $home/sums ]]; then
    # But for the one that the last run dropped in.
    local added
    for added in "$(dropped_photo)" "$(uploaded_photo)"; do
      rm -f "$originals/$added"
      sed -i "\\#$added#d" "$home/sums"
    done
    say "the photographs of the last run are still there"
    return
  fi
  rm -rf "$originals" "$home/source"
  mkdir -p "$originals"
  if [[ $source == debian ]]; then photos_from_debian; else photos_from_folder "$source"; fi
  make_thumbnails
  age_files
  (cd "$originals" && find . -type f -print0 | sort -z | xargs -0 md5sum | sed 's#\./##') >"$home/sums"
  printf '%s\n' "$source" >"$home/source"
}
