"""Completion for bash, zsh and fish: the scripts that people load, and the answers to them.

A shell hands over its line up to the cursor and gets one candidate a line. One that ends in `/` is
not finished, so that no space follows it.
"""

import os

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    split_arg_string,
)

VARIABLE = "_RUNNER_COMPLETE"
_BASH = r"""
%(complete_func)s() {
    local IFS=$'\n' type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                [[ $value == *[[:space:]]* ]] && printf -v value '%%q' "$value"
                COMPREPLY+=("$value") ;;
        esac
    done < <(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_ZSH = r"""
#compdef %(prog_name)s

%(complete_func)s() {
    local -a whole shown open
    local line type value about
    [[ $PREFIX == --*=* ]] && compset -P '*='
    while IFS= read -r line; do
        type=${line%%%%$'\t'*}; line=${line#*$'\t'}
        value=${line%%%%$'\t'*}; about=${line#*$'\t'}
        case $type in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain)
                if [[ $value == */ ]]; then
                    open+=("$value")
                else
                    whole+=("$value"); shown+=("$value${about:+  -- $about}")
                fi ;;
        esac
    done < <(env COMP_WORDS="${words[1,CURRENT-1]} $IPREFIX$PREFIX" \
        %(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)
    (( $#open )) && compadd -V runner -S '' -a open
    (( $#whole )) && compadd -V runner -l -d shown -a whole
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""
_FISH = r"""
function %(complete_func)s
    set -l line (commandline -cp | string collect)
    for found in (env %(complete_var)s=fish_complete COMP_WORDS=$line %(prog_name)s 2>/dev/null)
        set -l parts (string split -m 2 \t -- $found)
        switch $parts[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case plain
                printf '%%s\t%%s\n' $parts[2] $parts[3]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class _Line(ShellComplete):
    """A shell that hands over its line up to the cursor."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_WORDS", "")
        words = split_arg_string(line)[1:]
        if line[-1:].isspace() or not words:
            return words, ""
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem[str]) -> str:
        about = " ".join((item.help or "").split())
        return f"{item.type}\t{item.value}\t{about}"


class _Bash(_Line):
    name = "bash"
    source_template = _BASH

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        # What bash replaces begins behind the last of its word breaks, such as the colon in
        # `ollama/llama3:8b`; of these a model's name may hold two.
        breaks = [mark for mark in ":=" if mark in os.environ.get("COMP_BREAKS", "")]
        there = max((incomplete.rfind(mark) for mark in breaks), default=-1) + 1
        head = incomplete[:there]
        found = super().get_completions(args, incomplete)
        return [CompletionItem(one.value.removeprefix(head), one.type) for one in found]

    def format_completion(self, item: CompletionItem[str]) -> str:
        return f"{item.type},{item.value}"


class _Zsh(_Line):
    name = "zsh"
    source_template = _ZSH


class _Fish(_Line):
    name = "fish"
    source_template = _FISH


_SHELLS: dict[str, type[_Line]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}
SHELLS = tuple(_SHELLS)


def script(shell: str, root: click.Command) -> str:
    """Give what a shell has to load once."""
    return _SHELLS[shell](root, {}, "runner", VARIABLE).source().lstrip("\n")


def answer(root: click.Command) -> int:
    """Answer a shell that asks through the environment; whatever goes wrong, say nothing."""
    for shell in _SHELLS.values():
        add_completion_class(shell)
    try:
        root.main(prog_name="runner")
    except SystemExit as end:
        return int(end.code or 0)
    except Exception:  # noqa: BLE001 - a person in the middle of a line wants no traceback
        return 1
    return 0
