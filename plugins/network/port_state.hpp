// What network.ports found out about one port, and what that means. Pure: ports.cpp reads it.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "net/socket_holders.hpp"
#include "net/sockets.hpp"
#include "port_settings.hpp"

namespace p2pdiag::network_plugin {

// The attempt to have the port on every address of a family; no error: it was free.
struct PortTrial {
    Transport transport = Transport::udp;
    Family family = Family::ipv4;
    ErrorCode error;

    bool taken() const { return error == boost::system::errc::address_in_use; }
    bool forbidden() const;
    // The machine does not have this family.
    bool unsupported() const;
};

// Where packets from the internet come in: the address that goes out there.
struct Doorway {
    IpAddress address;
    int interface = 0;  // index
};

struct PortState {
    std::uint16_t port = 0;
    std::vector<PortTrial> trials;
    net::SocketTable sockets;             // those with this port, read after the trials
    std::optional<ErrorCode> unreadable;  // the table was not to be had
    net::SocketHolders holders;
    std::map<std::uint32_t, std::string> users;
    std::map<int, std::string> links;  // names by index
    std::vector<Doorway> doorways;
    // Of the kernel; nothing where it did not tell.
    std::optional<PortRange> ephemeral;
    std::optional<std::vector<PortRange>> reserved;
    std::optional<std::uint64_t> unprivileged_start;
    // A holder with this pid, or of this program with the same parent, is a check of the same run.
    net::Process self;
};

// In the data as "use".
enum class PortUse {
    free,       // nobody has it, anybody may
    reachable,  // a program listens, for others than this machine
    loopback,   // a program listens, for this machine only
    perhaps,    // a program listens; the table does not tell for whom
    elsewhere,  // a program listens, but not where packets from the internet come in
    silent,     // taken, and nobody listens
    left_over,  // TCP: nothing but connections, or what is left of them
    invisible,  // taken, by what the socket table does not show
    forbidden,  // the kernel does not let this user have it
    own_run,    // a check of this run holds it
    unclear     // the trial came to nothing
};

// One transport.
struct PortView {
    Transport transport = Transport::udp;
    std::vector<const net::Socket*> sockets;
    std::optional<net::Exposure> exposure_v4;
    std::optional<net::Exposure> exposure_v6;
    PortUse use = PortUse::unclear;
};

PortView view_of(const PortState& state, Transport transport);

std::string_view to_string(PortUse use);  // "left-over"

// port_words.cpp: "game (process 4711, user alice, unit game.service)".
std::string holders_text(const PortState& state, const PortView& view);
std::string use_text(const PortView& view);  // "listens on every address"
// port_json.cpp
json::object to_json(const PortState& state, const PortView& view);

Judgement judge(const PortState& state);

}  // namespace p2pdiag::network_plugin
