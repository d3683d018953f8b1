// What each name server says of the same names, and what that means. The judging is pure: the
// answers are handed in.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <string>
#include <vector>

#include "net/dns_query.hpp"

namespace p2pdiag::network_plugin {

// Why a name was asked for.
enum class NameKind {
    wanted,    // it is in the profile, and should have an address
    reserved,  // below .invalid, which RFC 6761 section 6.4 keeps from ever existing
    random     // below a name of the profile, by chance: it should not exist
};

struct AskedName {
    std::string name;
    NameKind kind = NameKind::wanted;
    std::string parent;  // of a random name
};

struct Lookup {
    std::size_t name = 0;  // index into Names::names
    Family family = Family::ipv4;
    bool done = false;  // else it was not waited for
    net::DnsAnswer answer;
    // What the same question came to over TCP; nothing: it was not asked so, since something came
    // over UDP, or nothing did for any.
    std::optional<net::DnsOutcome> tcp = std::nullopt;
};

struct ServerAnswers {
    net::NameServer server;
    bool behind_stub = false;  // a stub on this machine asks it
    bool never_asked = false;  // by the C library, which takes the first three alone
    std::vector<Lookup> lookups;
    // A public or provider's address behind a router, so that what is asked of it leaves the
    // network here; nothing: the kernel did not tell.
    std::optional<bool> outside;
    // What the first name asked for came to over TCP; nothing: it was not asked so, since something
    // came over UDP.
    std::optional<net::DnsOutcome> tcp;
};

struct Names {
    net::ResolverSetup setup;
    std::vector<AskedName> names;
    std::vector<ServerAnswers> servers;  // in the order in which the C library asks them
    std::size_t servers_left_out = 0;
    // This machine has a way out over any family; nothing: the kernel did not tell.
    std::optional<bool> has_route;
    bool interrupted = false;
    // How much later than it wanted this machine was woken meanwhile, in all.
    std::chrono::milliseconds late{0};
};

// Nothing came over UDP for any name that was asked for to the end, or a "closed" by ICMP: the
// server's doing, or that of what drops UDP.
bool is_lost_over_udp(const Names& names, const ServerAnswers& server);

Judgement judge(const Names& names);

}  // namespace p2pdiag::network_plugin
