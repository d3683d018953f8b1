#include "situation.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::Protocol;

namespace {

std::vector<Offer> chosen(const Wanted& wanted, const std::vector<Offer>& all, bool pinhole) {
    std::vector<Offer> found;
    for (const Offer& offer : all) {
        if (offer.pinhole != pinhole || !is_usable(offer)) continue;
        if (wanted.via && offer.service.protocol != *wanted.via) continue;
        if (found.size() < most_tries) found.push_back(offer);
    }
    return found;
}

}  // namespace

const Attempt* OpenForward::attempt() const {
    return record && !record->attempts.empty() ? &record->attempts.back() : nullptr;
}

std::optional<Try> OpenForward::made_by() const {
    const Attempt* made = attempt();
    return made == nullptr ? std::nullopt : std::optional(try_of(step, *made));
}

bool is_usable(const Offer& offer) {
    if (!offer.ready) return false;
    return offer.pinhole || judge_outside(offer.external, {}) != Outside::unusable;
}

Choice choose(const Wanted& wanted, const Search& search) {
    Choice choice;
    choice.all = offers(search.found, search.ipv6);
    choice.mappings = chosen(wanted, choice.all, false);
    choice.pinholes = chosen(wanted, choice.all, true);
    return choice;
}

const Lookup* find_lookup(const Situation& situation, const std::string& control_url,
                          Transport transport, std::uint16_t port) {
    for (const Lookup& lookup : situation.lookups) {
        if (lookup.control_url == control_url && lookup.transport == transport &&
            lookup.external_port == port) {
            return &lookup;
        }
    }
    return nullptr;
}

bool leads_to(const portmap::IgdMapping& mapping, const IpAddress& address, std::uint16_t port) {
    return mapping.internal_address == address && mapping.internal_port == port;
}

std::vector<Lookup> lookups_to_make(const Wanted& wanted, const Situation& situation) {
    const auto choice = choose(wanted, situation.search).mappings;
    if (choice.empty() || choice.front().service.protocol != Protocol::upnp) return {};
    const std::string& url = choice.front().service.control_url;
    std::vector<Lookup> missing;
    bool taken = false;
    const auto want = [&](Transport transport, std::uint16_t port) {
        const Lookup* known = find_lookup(situation, url, transport, port);
        if (known == nullptr) missing.push_back({url, transport, port, std::nullopt, true});
        return known;
    };
    for (const Transport transport : wanted.transports) {
        const Lookup* known = want(transport, wanted.outside_port());
        if (known == nullptr || !known->holder) continue;
        taken = taken || !leads_to(*known->holder, choice.front().service.local, wanted.port);
    }
    if (!taken) return missing;
    for (unsigned i = 1; i <= most_alternatives; ++i) {
        const unsigned port = wanted.outside_port() + i;
        if (port > 65535) break;
        for (const Transport transport : wanted.transports) {
            want(transport, static_cast<std::uint16_t>(port));
        }
    }
    return missing;
}

}  // namespace p2pdiag::upnp_plugin
