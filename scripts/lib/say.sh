# shellcheck shell=bash
# What every script prints with: headings, steps, complaints. Sourced, never run.

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi

heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '   %s\n' "$*"; }
hint() { printf '   %s%s%s\n' "$dim" "$*" "$plain"; }
good() { printf '   %s✓%s %s\n' "$green" "$plain" "$*"; }
complain() { printf '%s%s:%s %s\n' "$red" "${0##*/}" "$plain" "$*" >&2; }

# die [-STATUS] TEXT...: says what is wrong and ends the script (status 1 unless given).
die() {
  local status=1
  if [[ ${1:-} =~ ^-([0-9]+)$ ]]; then
    status=${BASH_REMATCH[1]}
    shift
  fi
  complain "$@"
  exit "$status"
}

# clock: seconds since the script began, for timings.
clock() { printf '%d' "$SECONDS"; }
