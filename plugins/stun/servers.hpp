// stun.servers in its parts: what was configured, what each server did, what that means.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "net/resolve.hpp"
#include "net/stun.hpp"

namespace p2pdiag::stun_plugin {

// More than anybody configures; each costs four sockets and two threads.
inline constexpr std::size_t max_servers = 16;

struct ServerName {
    std::string text;  // as configured, printable
    std::string host;  // empty: the text names no server
    // Where to ask over UDP and TCP; none for stuns:
    std::optional<std::uint16_t> port;
    std::optional<std::uint16_t> tls_port;

    bool is_literal() const { return IpAddress::parse(host).has_value(); }
};

// "host:port", "host", "stun:host[:port]" or "stuns:host[:port]" (RFC 7064).
ServerName parse_server(std::string_view text);

// A check's input; empty where that is no object.
json::object read_input(std::string_view input);

// Its member servers.stun, as it stands there; empty where there is none.
json::array configured_servers(const json::object& input);

// Without repetitions, at most max_servers.
std::vector<ServerName> parse_servers(const json::array& configured);

struct TransportReport {
    bool asked = false;
    std::optional<net::BindingResult> result;  // none: it was not waited for to the end
};

struct FamilyReport {
    std::optional<net::ResolveError> lookup_error;
    std::vector<IpAddress> addresses;
    bool no_route = false;
    // The kernel has no way for UDP to its port; other routes or rules may have one elsewhere.
    bool refused_by_routes = false;
    TransportReport udp;
    TransportReport tcp;
    TransportReport tls;
};

struct ServerReport {
    ServerName name;
    FamilyReport ipv4;
    FamilyReport ipv6;
};

struct ServersReport {
    std::vector<ServerReport> servers;
    std::size_t left_out = 0;  // configured beyond max_servers
    // This machine has a route to the internet; nothing where the kernel did not tell.
    std::optional<bool> internet_v4 = false;
    std::optional<bool> internet_v6 = false;
    bool interrupted = false;  // cancelled, or the deadline came first
};

// Fills `report->servers`, which hold nothing but names, as answers come in; after a cancellation
// what is there so far stands.
boost::asio::awaitable<void> probe_servers(std::shared_ptr<ServersReport> report);

Judgement judge(const ServersReport& report);

// What came back over UDP: "no answer", "an answer that is no valid STUN", …
std::string words_of_udp(const net::BindingResult& result);

// Who said by ICMP what the outcome stands on; null where nobody did.
json::value icmp_json(const net::BindingResult& result);

json::object to_json(const ServersReport& report);  // docs/checks/stun.servers.md

}  // namespace p2pdiag::stun_plugin
