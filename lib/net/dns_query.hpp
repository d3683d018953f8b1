// One question to one name server, with c-ares: unlike the system's resolver it tells what exactly
// that server said, and how long it took.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "net/resolv_conf.hpp"

namespace p2pdiag::net {

enum class DnsOutcome {
    answered,    // with one address at least
    no_address,  // the name exists, but has no address of this family
    no_name,     // NXDOMAIN: the name does not exist
    servfail,    // the server could not find out
    refused,     // it does not answer this machine
    malformed,   // what it sent is no DNS answer, or one that it calls an error of ours
    truncated,   // too long for UDP, and over TCP it gave no answer
    closed,      // nothing listens there: ICMP said so, or TCP was refused
    timed_out,   // silence
    no_route,    // this machine has no way to that server
    failed       // this machine could not even ask
};
std::string_view to_string(DnsOutcome outcome);  // with hyphens: "no-name"

// The server answered, whatever it said.
bool has_answered(DnsOutcome outcome);

struct DnsQuestion {
    NameServer server;
    std::string name;  // without search domains; a final dot may be there
    Family family = Family::ipv4;
    bool over_tcp = false;  // at once, and over nothing else
};

struct DnsAnswer {
    DnsOutcome outcome = DnsOutcome::timed_out;
    std::vector<IpAddress> addresses;               // at most 16
    std::optional<std::chrono::milliseconds> took;  // of what counted, since the first send
    bool over_tcp = false;  // it was asked for so, or the answer was too long for UDP
};

// Asks over UDP, again after 600 ms of silence, and over TCP where the answer was truncated. Ends
// at the deadline at the latest, one over TCP alone after 1.5 s. Throws operation_aborted when
// cancelled.
boost::asio::awaitable<DnsAnswer> ask_name_server(DnsQuestion question, TimePoint deadline);

}  // namespace p2pdiag::net
