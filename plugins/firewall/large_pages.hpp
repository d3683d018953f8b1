// Memory for a large ruleset.
#pragma once

#include <cstddef>

namespace p2pdiag::firewall {

// Before `bytes` of rules are read: what malloc hands out from now on lies in large pages, where
// the kernel has them for who asks (transparent_hugepage, "madvise"). A ruleset of 5 MB fills 60 MB
// in small pieces, and every other small page would cost an interrupt: half of the time that
// reading it takes. Does nothing for small ones, and nothing where malloc is not that of glibc.
void prepare_memory(std::size_t bytes);

}  // namespace p2pdiag::firewall
