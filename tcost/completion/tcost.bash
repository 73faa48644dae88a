# Completion of tcost in bash, from version 4.4 on: tcost --show-completion bash
_tcost() {
    local IFS=$' \t\n' typed=${COMP_LINE:0:COMP_POINT} words current kept word
    # As it was typed, since COMP_WORDS has --format=json in three pieces; what is replaced begins behind the = or :
    read -ra words <<<"$typed"
    [[ $typed == *[[:space:]] ]] && words+=("")
    current=${words[-1]}
    kept=${current%"${current##*[=:]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        if [[ $word == FILE ]]; then
            compopt -o default -o filenames
            while read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${current#"$kept"}")
        else
            COMPREPLY+=("${word#"$kept"}")
        fi
    done < <(_TCOST_COMPLETE=1 "${1/#\~/$HOME}" "${words[@]:1}" 2>/dev/null </dev/null)
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -F _tcost tcost
