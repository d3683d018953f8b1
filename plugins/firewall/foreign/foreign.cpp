#include "foreign/foreign.hpp"

#include <utility>

#include "foreign/windows_remedy.hpp"
#include "verdict.hpp"

namespace p2pdiag::firewall {

namespace {

Verdict with_limit(Verdict verdict, const char* limit) {
    if (verdict.kind == VerdictKind::accept || verdict.kind == VerdictKind::reply_only)
        verdict.why += limit;
    return verdict;
}

// Windows' firewall keeps state: what answers a packet that was let out comes in.
Verdict assess(const windows::Ruleset& ruleset, const Packet& packet,
               const std::optional<std::string>& program) {
    Verdict verdict = windows::judge(ruleset, packet, program);
    if (packet.direction == Direction::in && verdict.passes == false) {
        verdict = join_answer(std::move(verdict),
                              windows::judge(ruleset, foreign::sent_back(packet), program));
    }
    return with_limit(std::move(verdict),
                      " That is Windows' own firewall: filters of other security programs are not "
                      "seen here.");
}

Verdict assess(const macos::Ruleset& ruleset, const Packet& packet,
               const std::optional<std::string>& program) {
    Verdict verdict = macos::judge(ruleset, packet, program);
    if (packet.direction == Direction::in && verdict.passes == false) {
        verdict = join_answer(std::move(verdict),
                              macos::judge_answer(ruleset, foreign::sent_back(packet)));
    }
    if (packet.direction == Direction::in) macos::ask_for_neighbours(ruleset, packet, verdict);
    return with_limit(std::move(verdict),
                      " That is macOS' own firewalls: network extensions of other programs are not "
                      "seen here.");
}

// The address that peers would use; link-local ones only where there is no other.
const windows::OwnAddress* address_on(const windows::Ruleset& ruleset, const std::string& interface,
                                      Family family) {
    const windows::OwnAddress* found = nullptr;
    for (const windows::OwnAddress& own : ruleset.addresses) {
        if (own.interface != interface || own.address.family() != family || !own.usable) continue;
        if (own.address.scope() != AddressScope::link_local) return &own;
        if (found == nullptr) found = &own;
    }
    return found;
}

std::vector<ForeignEntrance> entrances_of(const windows::Ruleset& ruleset) {
    std::vector<ForeignEntrance> entrances;
    if (!ruleset.connections) return entrances;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        for (const windows::Connection& connection : *ruleset.connections) {
            const auto* own = address_on(ruleset, connection.interface, family);
            if (own == nullptr || entrances.size() == max_entrances) continue;
            const std::string network =
                connection.profile ? std::string(to_string(*connection.profile)) : "";
            entrances.push_back({connection.interface, network, own->address});
        }
    }
    return entrances;
}

std::vector<Interval> networks_of(const windows::Ruleset& ruleset, Family family) {
    return windows::networks_named(ruleset, family);
}

std::vector<Interval> networks_of(const macos::Ruleset& ruleset, Family family) {
    if (!ruleset.packets) return {};
    return pf::networks_named(*ruleset.packets, family);
}

std::vector<Interval> networks_named(const ForeignRuleset& ruleset, Family family) {
    return std::visit([&](const auto& one) { return networks_of(one, family); }, ruleset);
}

}  // namespace

ForeignReading read_foreign(std::string_view text) {
    const Recognised recognised = recognise(text);
    if (recognised.format == RulesetFormat::windows) {
        auto reading = windows::read_json(text);
        if (!reading) return reading.error();
        return ForeignRuleset(std::move(*reading));
    }
    if (recognised.format == RulesetFormat::macos) {
        if (text.size() > max_ruleset_text) {
            return ReadError{"the ruleset is larger than " +
                             std::to_string(max_ruleset_text >> 20) + " MiB"};
        }
        return ForeignRuleset(macos::read_text(text));
    }
    return ReadError{recognised.advice.empty() ? "this is a ruleset of Linux" : recognised.advice};
}

std::vector<ForeignEntrance> find_entrances(const ForeignRuleset& ruleset) {
    std::vector<ForeignEntrance> entrances;
    if (const auto* rules = std::get_if<windows::Ruleset>(&ruleset))
        entrances = entrances_of(*rules);
    if (entrances.empty()) entrances = {{"", "", IpAddress()}, {"", "", *IpAddress::parse("::")}};
    return entrances;
}

Verdict assess_foreign(const ForeignRuleset& ruleset, const Packet& packet,
                       const std::optional<std::string>& program) {
    return std::visit([&](const auto& one) { return assess(one, packet, program); }, ruleset);
}

std::vector<Asked> ask_foreign(const ForeignRuleset& ruleset,
                               const std::vector<Entrance>& entrances, const Inquiry& inquiry,
                               const std::optional<std::string>& program) {
    std::vector<Asked> all;
    Asking asking;
    asking.assess = [&](const Packet& packet) { return assess_foreign(ruleset, packet, program); };
    asking.of_most = inquiry.of_most;
    asking.names_any_rule = true;
    for (const Entrance& entrance : entrances) {
        const Family family = entrance.address.family();
        if (inquiry.source && inquiry.source->family() != family) continue;
        asking.stranger = stranger(family, networks_named(ruleset, family));
        for (const std::uint8_t protocol : inquiry.protocols) {
            Asked asked = first_packet(entrance, protocol, inquiry);
            ask_for_sender(asking, asked);
            all.push_back(std::move(asked));
        }
    }
    return all;
}

std::vector<std::string> remedy(const ForeignRuleset& ruleset, const Question& question,
                                const Verdict& verdict, const std::optional<std::string>& program) {
    return std::visit([&](const auto& one) { return remedy(one, question, verdict, program); },
                      ruleset);
}

}  // namespace p2pdiag::firewall
