#include "own_forwards.hpp"

#include <algorithm>
#include <cstdlib>

#include "failures.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::InForce;
using portmap::Protocol;

namespace {

Stands unknown(std::string why) { return {Standing::unknown, {}, std::move(why)}; }

// Nothing where it has no end, or none is known.
std::optional<std::int64_t> end_of(const Attempt& attempt, const Try& made) {
    portmap::Seconds lease = made.request.lifetime;
    if (attempt.grant && attempt.grant->lifetime) lease = *attempt.grant->lifetime;
    if (lease.count() == 0) return std::nullopt;
    return attempt.asked_at + lease.count();
}

std::string elsewhere_words(const Try& made) {
    return "it leads to " + made.service.local.to_string() +
           ", which is no address of this machine any more";
}

// It is there. Whether it is still of use to somebody is another question.
Stands in_place(const OwnForward& forward, const Try& made) {
    if (!forward.address_is_ours) {
        return {Standing::stale, "other-address", elsewhere_words(made)};
    }
    if (forward.open.begun_only) {
        return {Standing::stale, "unfinished",
                "the command that made it was ended before it was done"};
    }
    return {Standing::in_force, {}, {}};
}

Stands by_list(const OwnForward& forward, const Attempt& attempt, const Try& made) {
    switch (forward.said.in_force) {
        case InForce::yes: return in_place(forward, made);
        case InForce::unknown:
            return unknown("its router does not say whether it is in force" +
                           (forward.said.detail.empty() ? "" : ": " + forward.said.detail));
        case InForce::no:
        case InForce::foreign: break;
    }
    if (!forward.router_is_known) {
        return unknown("the router here does not list it, and may be another one");
    }
    if (forward.open.begun_only) return unknown("it was begun and is not in force");
    if (forward.said.in_force == InForce::foreign) {
        return {Standing::lost, "taken", "the router has the port for " + forward.said.owner};
    }
    if (forward.said.switched_off) {
        return {Standing::lost, "switched-off", "the router lists it, and has switched it off"};
    }
    const auto end = end_of(attempt, made);
    if (end && forward.now >= *end) return {Standing::lost, "lease-over", "its time is over"};
    return {Standing::lost, "gone",
            "the router no longer has it: it was restarted, or somebody removed it"};
}

// Many routers list by UPnP what was made by PCP and NAT-PMP, and many do not: that it is not there
// proves nothing, and speaks against it.
bool missing_in_list(const OwnForward& forward, const Attempt& attempt, const Try& made,
                     const Search& search) {
    for (const portmap::IgdReport& igd : search.found.igds) {
        if (igd.answer.from != forward.router->router || !igd.mappings || !*igd.mappings) continue;
        const portmap::IgdMappings& list = **igd.mappings;
        const bool listed = std::ranges::any_of(list.entries, [&](const auto& entry) {
            return entry.transport == made.request.transport &&
                   entry.external_port == attempt.grant->external_port;
        });
        if (!listed && list.complete) return true;
    }
    return false;
}

// NAT-PMP and PCP cannot be asked without asking for the port again. They promise it for a time,
// and their epoch says whether they have forgotten their promises.
Stands by_time(const OwnForward& forward, const Attempt& attempt, const Try& made,
               const Search& search) {
    if (!forward.router_is_known) return unknown("its router may be another one");
    if (!attempt.grant) return unknown("it is not known to be granted");
    const auto end = end_of(attempt, made);
    if (lease_is_over(attempt, made, forward.now)) {
        return {Standing::lost, "lease-over", "its time is over"};
    }
    if (!forward.epoch || !attempt.grant->epoch) {
        return unknown("its router does not say whether it was restarted");
    }
    const std::int64_t elapsed = forward.now - attempt.asked_at;
    switch (compare_epochs(*attempt.grant->epoch, *forward.epoch, elapsed)) {
        case Epoch::restarted:
            return {Standing::lost, "restarted", "the router was restarted and has forgotten it"};
        case Epoch::undecided:
            return unknown("the router may have been restarted, or a clock was set");
        case Epoch::same: break;
    }
    if (!end || forward.now >= *end) return unknown("its time is just over");
    if (missing_in_list(forward, attempt, made, search)) {
        return unknown("the router promised it and does not list it by UPnP");
    }
    return in_place(forward, made);
}

std::optional<IpAddress> outside_address(const OwnForward& forward, const Search& search) {
    for (const Offer& offer : offers(search.found, search.ipv6)) {
        const bool same = forward.router && offer.service.router == forward.router->router;
        if (same && !offer.pinhole && offer.external) return offer.external;
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(Standing standing) {
    switch (standing) {
        case Standing::in_force: return "in-force";
        case Standing::lost: return "lost";
        case Standing::stale: return "stale";
        case Standing::unknown: break;
    }
    return "unknown";
}

Epoch compare_epochs(std::uint32_t then, std::uint32_t now, std::int64_t elapsed_s) {
    const std::int64_t server = std::int64_t{now} - std::int64_t{then};
    // RFC 6887 section 8.5: one second back is no restart. Further back is one, whatever our clock
    // says.
    if (server < -1) return Epoch::restarted;
    // The section's sixteenth, with one second more, for a question that was asked more than once.
    constexpr std::int64_t slack = 3;
    const std::int64_t longer = std::max(server, elapsed_s);
    return std::abs(server - elapsed_s) <= slack + longer / 16 ? Epoch::same : Epoch::undecided;
}

Stands judge_standing(const OwnForward& forward, const Search& search) {
    const auto made = forward.open.made_by();
    if (!made) return unknown("its router was never asked");
    if (!forward.router_is_here) return unknown("its router does not answer here");
    const Attempt& attempt = *forward.open.attempt();
    const bool upnp = made->service.protocol == Protocol::upnp;
    Stands stands =
        upnp ? by_list(forward, attempt, *made) : by_time(forward, attempt, *made, search);
    const bool wrong = stands.standing == Standing::lost || stands.standing == Standing::stale;
    if (wrong && forward.open.held_by) {
        return unknown("process " + std::to_string(*forward.open.held_by) +
                       " works on it or keeps it up");
    }
    return stands;
}

Reached reached(const OwnForward& forward, const Search& search) {
    Reached out;
    const auto made = forward.open.made_by();
    const Attempt* attempt = forward.open.attempt();
    if (!made || !attempt->grant) return out;
    const std::uint16_t port = attempt->grant->external_port;
    const bool pinhole = !made->service.local.is_v4();
    const auto told =
        pinhole ? std::optional(made->service.local) : outside_address(forward, search);
    if (told) out.at = Endpoint{*told, port};
    if (made->service.protocol == Protocol::upnp && forward.said.in_force == InForce::yes) {
        out.verified = "read-back";
    }
    const auto& proof = forward.open.verified;
    if (!proof || proof->method != "packet" || proof->external.port != port) return out;
    // What a packet proved then holds for the address at which it arrived, not for one that this
    // network has got since.
    const auto& seen = search.seen.addresses;
    const bool compared = !pinhole && !seen.empty();
    const bool same = compared ? std::ranges::find(seen, proof->external.address) != seen.end()
                               : told == proof->external.address;
    if (!same) return out;
    return {proof->external, "packet", proof->at_program};
}

}  // namespace p2pdiag::upnp_plugin
