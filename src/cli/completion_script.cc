// The scripts only ask `berth __complete` and show what it says.
#include "cli/complete.h"

namespace berth::cli {
namespace {

constexpr std::string_view kBash =
    R"SH(# bash completion of berth; put it into /etc/bash_completion.d or source it from ~/.bashrc:
#   source <(berth completion bash)
_berth() {
  local word line directive=4 IFS=$'\n'
  local -a words=() lines=()
  # Readline divides at = and :, which are parts of our words.
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ ${#words[@]} -gt 0 && ( $word == [=:]* || ${words[-1]} == *[=:] ) ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  [[ ${#words[@]} -gt 0 ]] || words=('')
  local current=${words[-1]} prefix=
  [[ $current == *[=:]* ]] && prefix=${current%"${current##*[=:]}"}
  mapfile -t lines < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
  COMPREPLY=()
  for line in "${lines[@]}"; do
    if [[ $line == :* ]]; then
      directive=${line#:}
    else
      line=${line%%$'\t'*}
      [[ $line == "$prefix" ]] || COMPREPLY+=("${line#"$prefix"}")
    fi
  done
  local rest=${current#"$prefix"}
  if (( directive & 16 )); then
    compopt -o filenames
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$rest")
  elif (( ! (directive & 4) )); then
    compopt -o filenames
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$rest")
  fi
  (( directive & 2 )) && compopt -o nospace
  return 0
}
complete -F _berth berth
)SH";

constexpr std::string_view kZsh = R"SH(#compdef berth
# zsh completion of berth; save it as _berth in a folder of $fpath, or after compinit:
#   source <(berth completion zsh)
_berth() {
  local line directive=4
  local -a lines items open
  lines=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "${lines[@]}"; do
    if [[ $line == :* ]]; then
      directive=${line#:}
    elif [[ -n $line ]]; then
      items+=("${${line%%$'\t'*}//:/\\:}${${(M)line%%*$'\t'*}:+:${line#*$'\t'}}")
    fi
  done
  (( directive & 2 )) && open=(-S '')
  (( ${#items} )) && _describe -V 'berth' items "${open[@]}"
  if (( directive & 16 )); then
    _files -/
  elif (( ! (directive & 4) )); then
    _files
  fi
}
if [[ $funcstack[1] == _berth ]]; then
  _berth "$@"
else
  compdef _berth berth
fi
)SH";

constexpr std::string_view kFish =
    R"SH(# fish completion of berth; save it as ~/.config/fish/completions/berth.fish, or:
#   berth completion fish | source
function __berth_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l directive 4
    for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        if string match -q ':*' -- $line
            set directive (string sub -s 2 -- $line)
        else
            echo $line
        end
    end
    # Paths, unless 4 forbids them; folders only with 16.
    test (math "floor($directive / 4) % 2") -eq 0; or return
    set -l before (string match -r '.*=' -- $current)
    set -l rest (string replace -r '.*=' '' -- $current)
    set -l paths $rest*
    for path in $paths
        if test -d $path
            echo "$before$path/"
        else if test (math "floor($directive / 16) % 2") -eq 0
            echo "$before$path"
        end
    end
end
complete -c berth -f -a '(__berth_complete)'
)SH";

}  // namespace

std::string_view completion_script(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  return shell == "fish" ? kFish : std::string_view();
}

}  // namespace berth::cli
