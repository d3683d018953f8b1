#include "names_tally.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace p2pdiag::network_plugin {

namespace {

using net::DnsOutcome;

json::object describe(const Names& names, const Lookup& lookup) {
    json::array addresses;
    for (const IpAddress& address : lookup.answer.addresses) {
        addresses.push_back(json::value(address.to_string()));
    }
    const AskedName& name = names.names[lookup.name];
    const char* kind = name.kind == NameKind::wanted     ? "wanted"
                       : name.kind == NameKind::reserved ? "reserved"
                                                         : "random";
    json::object text{{"name", printable(name.name, 255)},
                      {"kind", kind},
                      {"type", lookup.family == Family::ipv4 ? "A" : "AAAA"},
                      {"outcome", "not-awaited"},
                      {"addresses", std::move(addresses)},
                      {"ms", nullptr},
                      {"over_tcp", lookup.answer.over_tcp},
                      {"tcp", lookup.tcp ? json::value(tcp_word(*lookup.tcp)) : json::value()}};
    if (lookup.done) text["outcome"] = net::to_string(lookup.answer.outcome);
    if (lookup.answer.took) text["ms"] = lookup.answer.took->count();
    return text;
}

}  // namespace

bool is_usable(DnsOutcome outcome) {
    return outcome == DnsOutcome::answered || outcome == DnsOutcome::no_address ||
           outcome == DnsOutcome::no_name;
}

const char* tcp_word(DnsOutcome outcome) {
    if (net::has_answered(outcome)) return "answered";
    return outcome == DnsOutcome::closed ? "refused" : "silent";
}

json::value tcp_value(const ServerAnswers& server) {
    return server.tcp ? json::value(tcp_word(*server.tcp)) : json::value(nullptr);
}

json::value outside_value(const ServerAnswers& server) {
    return server.outside ? json::value(*server.outside) : json::value(nullptr);
}

Tally tally_of(const Names& names, const ServerAnswers& server) {
    Tally tally;
    unsigned no_address = 0;
    for (const Lookup& lookup : server.lookups) {
        if (!lookup.done) continue;
        const DnsOutcome outcome = lookup.answer.outcome;
        const bool wanted = names.names[lookup.name].kind == NameKind::wanted;
        if (net::has_answered(outcome)) ++tally.answered;
        const auto& took = lookup.answer.took;
        const bool quicker = took && (!tally.quickest || *took < *tally.quickest);
        // .invalid is answered out of hand (RFC 6761 section 6.4), which tells nothing.
        if (quicker && wanted) tally.quickest = took;
        if (!wanted) continue;
        ++tally.asked;
        if (is_usable(outcome)) ++tally.usable;
        if (outcome == DnsOutcome::answered) ++tally.resolved;
        if (outcome == DnsOutcome::no_address) ++no_address;
        if (!is_usable(outcome) && !tally.trouble) tally.trouble = outcome;
    }
    const auto is_one = [](const AskedName& name) { return name.kind == NameKind::wanted; };
    const auto wanted = std::ranges::count_if(names.names, is_one);
    tally.empty = wanted > 0 && std::cmp_equal(no_address, 2 * wanted);
    return tally;
}

json::object describe(const Names& names, const std::vector<Tally>& tallies) {
    json::array servers;
    for (std::size_t i = 0; i < names.servers.size(); ++i) {
        const ServerAnswers& server = names.servers[i];
        json::array lookups;
        for (const Lookup& lookup : server.lookups) lookups.push_back(describe(names, lookup));
        json::object text{{"server", server.server.to_string()},
                          {"behind_stub", server.behind_stub},
                          {"never_asked", server.never_asked},
                          {"usable", nullptr},
                          {"quickest_ms", nullptr},
                          {"outside", outside_value(server)},
                          {"tcp", tcp_value(server)},
                          {"lookups", std::move(lookups)}};
        if (tallies[i].asked > 0) text["usable"] = tallies[i].usable > 0 && !tallies[i].empty;
        if (tallies[i].quickest) text["quickest_ms"] = tallies[i].quickest->count();
        servers.push_back(std::move(text));
    }
    const net::ResolvConf& conf = names.setup.configured;
    json::array search;
    for (const std::string& domain : conf.search) search.push_back(json::value(domain));
    json::object data{{"servers", std::move(servers)},
                      {"servers_left_out", names.servers_left_out},
                      {"late_ms", names.late.count()},
                      {"stub", nullptr},
                      {"by_default", names.setup.by_default},
                      {"search", std::move(search)},
                      {"ndots", conf.ndots},
                      {"timeout_s", conf.timeout_s},
                      {"attempts", conf.attempts}};
    if (!names.setup.stub.empty()) data["stub"] = names.setup.stub;
    return data;
}

}  // namespace p2pdiag::network_plugin
