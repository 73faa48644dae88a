# Completion of tcost in fish: tcost --show-completion fish
function __tcost_words
    set -l current (commandline -ct)
    env _TCOST_COMPLETE=1 (commandline -opc) "$current" 2>/dev/null </dev/null
end
complete --command tcost --no-files --arguments '(__tcost_words | string match --invert "FILE*")'
complete --command tcost --force-files --condition '__tcost_words | string match --quiet "FILE*"'
