#include <signal.h>

#include "child/serve.hpp"
#include "cli/app.hpp"

int main(int argc, char** argv) {
    // Whoever started us may ignore the end of children, and that is inherited: ours would be gone
    // unseen.
    ::signal(SIGCHLD, SIG_DFL);
    if (argc > 1 && p2pdiag::child::is_child_word(argv[1])) p2pdiag::child::serve(argc, argv);
    return p2pdiag::cli::main(argc, argv);
}
