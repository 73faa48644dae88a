#compdef tcost
# Completion of tcost in zsh: tcost --show-completion zsh
_tcost() {
    local line word
    local -a offered settings files
    for line in "${(@f)$(_TCOST_COMPLETE=1 ${~words[1]} "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}"; do
        word=${line%%$'\t'*}
        case $word in
            '') ;;
            FILE) files=(_files) ;;
            *=) settings+=("${word//:/\\:}:${line#*$'\t'}") ;;
            *) offered+=("${word//:/\\:}:${line#*$'\t'}") ;;
        esac
    done
    _describe word offered -- settings -S ''
    $files
}
# Read by compinit, it is the body of the function; read by source, it defines the function.
if [[ $funcstack[1] == _tcost ]]; then
    _tcost "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
    compdef _tcost tcost
fi
