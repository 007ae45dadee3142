# SPDX-License-Identifier: MIT
# bash completion: commands and options as the program's own --help lists them.
_erpwatch()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} words
    case $before in
        -c | --config | -o | --output)
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return ;;
    esac
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$(erpwatch --help 2>/dev/null | sed -n 's/^  \([a-z-]*\)  *[A-Z].*/\1/p')
    elif [[ $word == -* ]]; then
        words=$(erpwatch "$command" --help 2>/dev/null | grep -oE -- '--[a-z-]+=?')
    elif [[ $command == query && $COMP_CWORD -eq 2 ]]; then
        words="json xml html regex"
    elif [[ $command == packs || $before == --pack ]]; then
        words=$(erpwatch packs 2>/dev/null | sed -n '2,/^$/s/ .*//p')
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o filenames -F _erpwatch erpwatch
