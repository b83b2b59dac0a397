# shellcheck shell=bash disable=SC2034
# Debian packages that are unpacked, not installed: nothing of the system changes, its package sources least of all.
# Source it after common.sh.

apt_options=(-q -o Acquire::Retries=2 -o APT::Sandbox::User=root)

# unpack FOLDER OPTION... <PACKAGES: downloads the packages named on standard input and unpacks them into FOLDER/root,
# whole or not at all.
unpack() {
  local folder=$1 new=$1.new deb packages
  shift
  mapfile -t packages
  rm -rf "$new"
  mkdir -p "$new/debs"
  (cd "$new/debs" && timeout 300 apt-get "${apt_options[@]}" "$@" download "${packages[@]}") >"$new/log" 2>&1 ||
    die "cannot download ${packages[*]}: $(tail -n 1 "$new/log")"
  for deb in "$new"/debs/*.deb; do dpkg -x "$deb" "$new/root"; done
  rm -rf "$new/debs"
  mv "$new" "$folder"
}

# The address of the mirror of Debian 12 that this machine uses; empty where there is none.
debian_12_mirror() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN)' |
    awk '$2 == "bookworm" && $3 == "Debian" {print $1; exit}'
}

# debian_13 FOLDER: the array `debian_13` becomes apt-get's options for the packages of Debian 13, by lists of their own
# in FOLDER from the mirror that this machine has for Debian 12.
debian_13() {
  local uri
  uri=$(debian_12_mirror)
  [ -n "$uri" ] || die "no Debian 12 repository in the sources of apt: packages of Debian 13 come from its mirror"
  mkdir -p "$1/lists/partial"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$uri" >"$1/trixie.list"
  debian_13=(-o "Dir::Etc::sourcelist=$1/trixie.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$1/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
  timeout 300 apt-get "${apt_options[@]}" "${debian_13[@]}" update >"$1/lists.log" 2>&1 ||
    die "cannot read the package lists of Debian 13: $(tail -n 1 "$1/lists.log")"
}
