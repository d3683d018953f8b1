// Whether a program takes the packets that the rules let in: without one, the sender gets the same
// answer as from a rule that rejects.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ask.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "net/socket_holders.hpp"
#include "net/sockets.hpp"

namespace p2pdiag::firewall {

enum class Listening : std::uint8_t {
    yes,
    perhaps,
    loopback_only,  // on 127.0.0.1 or ::1: others cannot reach it
    elsewhere,      // on other addresses or links than the packet's
    nobody,
    unknown
};
std::string_view to_string(Listening listening);  // "loopback-only"

struct Listener {
    Listening listening = Listening::unknown;
    std::optional<Endpoint> address;     // that it has bound
    std::vector<net::Process> programs;  // as far as they may be seen
    // One sentence, with what the sender sees of it where the firewall accepts.
    std::string words() const;
};

// Who has which port, on this machine now.
struct Listeners {
    std::optional<net::SocketTable> table;  // nothing: it could not be read
    net::SocketHolders holders;
};

// To look through the programs of a machine; there may be thousands.
inline constexpr std::chrono::seconds time_for_listeners{1};

// Of the ports that were asked about and those they are redirected to.
Listeners read_listeners(const World& world, const std::vector<Asked>& all, TimePoint until);

// Nothing for a packet that goes on to another machine.
std::optional<Listener> find_listener(const World& world, const Listeners& listeners,
                                      const Asked& asked);

// {"state", "address", "processes": [{"pid", "name", "user"}]}
json::object to_json(const Listener& listener);

}  // namespace p2pdiag::firewall
