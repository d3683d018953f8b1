// A process of its own without the network of this machine: a network namespace with nothing but
// loopback, and a /etc/resolv.conf to order.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace p2pdiag::testing {

struct SandboxOptions {
    bool loopback_up = true;
    std::string resolv_conf;  // the content of the file; empty: as it is
};

// Runs `work` in there and hands back what it returned. Nothing where this machine allows no
// namespaces; an exception or a crash in there is the text "FAILED".
std::optional<std::string> in_sandbox(const SandboxOptions& options,
                                      const std::function<std::string()>& work);

}  // namespace p2pdiag::testing
