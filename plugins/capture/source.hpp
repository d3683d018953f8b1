// Where live packets come from: the interfaces that are worth listening on, and the words for when
// that is not possible.
#pragma once

#include <p2pdiag/plugin.hpp>

#include <string>
#include <vector>

#include "base/json.hpp"
#include "helper_process.hpp"
#include "net/interfaces.hpp"

namespace p2pdiag::capture_plugin {

// Those that are up and have an address, and the loopback one. A part of a bridge or bond has none,
// so that its packets are not seen twice. At most as many as the helper takes.
std::vector<net::Interface> worth_listening(const std::vector<net::Interface>& all);
std::vector<std::string> names_of(const std::vector<net::Interface>& interfaces);
// "eth0, lo"
std::string list_of(const std::vector<std::string>& names);

// Why nothing can be captured here, and what to do.
struct Refusal {
    bool not_permitted = false;  // else something is wrong
    std::string sentence;
    std::string command;  // to allow it; empty where none would

    // The sentence, with the command and what it means where there is one.
    std::string text() const;
};
Refusal refusal_of(const HelperResult& result);
Refusal not_started(int error);

// The finding capture.not-permitted.
void report_not_permitted(Run& run, Severity severity, const Refusal& refusal);

}  // namespace p2pdiag::capture_plugin
