# Completion of tcost in fish: tcost --show-completion fish
function __tcost_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in (env _TCOST_COMPLETE=1 $before "$current" 2>/dev/null </dev/null)
        if string match -q "FILE*" -- $line
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete --command tcost --no-files --arguments '(__tcost_complete)'
