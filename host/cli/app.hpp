// The command line of the host.
#pragma once

namespace p2pdiag::cli {

// Everything after the child words of child/serve.hpp. Returns the exit code.
int main(int argc, char** argv);

}  // namespace p2pdiag::cli
