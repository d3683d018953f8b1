// The shells' side of completion: each script hands the words to `p2pdiag __complete` and shows its
// answer. So none of them knows a command or an option, and plugins that come later are completed
// as well.
#include "cli/completion.hpp"

namespace p2pdiag::cli {

namespace {

struct Script {
    std::string_view shell;
    std::string_view text;
};

constexpr Script scripts[] = {
    {"bash", R"bash(# bash completion for p2pdiag; made by 'p2pdiag completion bash'.
_p2pdiag() {
    local -a words
    local typed kept line
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:COMP_POINT-1:1} == [[:space:]] ]] && words+=("")
    typed=${words[-1]}
    # bash replaces only what follows the last of these.
    kept=${typed%"${typed##*[=:]}"}
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files | :directories)
                local -a names
                local kind=-f
                [[ $line == :directories ]] && kind=-d
                mapfile -t names < <(compgen "$kind" -- "${typed#"$kept"}")
                COMPREPLY+=("${names[@]}")
                compopt -o filenames 2>/dev/null || :
                ;;
            *)
                line=${line%%$'\t'*}
                COMPREPLY+=("${line#"$kept"}")
                ;;
        esac
    done < <("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _p2pdiag p2pdiag
)bash"},
    {"zsh", R"zsh(#compdef p2pdiag
# zsh completion for p2pdiag; made by 'p2pdiag completion zsh'.
_p2pdiag() {
    local -a candidates
    local line word files directories
    for line in "${(@f)$(${(e)~words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        case $line in
            '') ;;
            :files) files=1 ;;
            :directories) directories=1 ;;
            *)
                word=${line%%$'\t'*}
                if [[ $line == *$'\t'* ]]; then
                    candidates+=("${word//:/\\:}:${line#*$'\t'}")
                else
                    candidates+=("${word//:/\\:}")
                fi
                ;;
        esac
    done
    (( $#candidates )) && _describe p2pdiag candidates
    [[ -n $files ]] && _files
    [[ -n $directories ]] && _files -/
    return 0
}
if [[ $funcstack[1] == _p2pdiag ]]; then
    _p2pdiag "$@"
else
    compdef _p2pdiag p2pdiag
fi
)zsh"},
    {"fish", R"fish(# fish completion for p2pdiag; made by 'p2pdiag completion fish'.
function __p2pdiag_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    test (count $typed) -eq 0; and set typed ''
    for line in (command $words[1] __complete $words[2..-1] $typed 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path $typed
            case :directories
                __fish_complete_directories $typed ''
            case '*'
                echo $line
        end
    end
end
complete -c p2pdiag -f -a '(__p2pdiag_complete)'
)fish"},
};

}  // namespace

std::vector<std::string> completion_shells() {
    std::vector<std::string> names;
    for (const Script& script : scripts) names.emplace_back(script.shell);
    return names;
}

std::string_view completion_script(std::string_view shell) {
    for (const Script& script : scripts) {
        if (script.shell == shell) return script.text;
    }
    return {};
}

}  // namespace p2pdiag::cli
