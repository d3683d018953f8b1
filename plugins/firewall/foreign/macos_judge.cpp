#include "foreign/macos.hpp"

#include <algorithm>

#include "verdict.hpp"

namespace p2pdiag::firewall::macos {

namespace {

using foreign::End;
using foreign::Ways;

// Something that is not in the file may do either.
std::vector<End> both(const std::string& what, Ways& ways) {
    const std::uint64_t reason = ways.reasons.add(what + ", which the file does not tell", false);
    std::vector<End> ends(2);
    ends[0].passes = true;
    for (End& one : ends) {
        one.reasons = reason;
        one.why = "Not known is " + what + '.';
    }
    return ends;
}

std::vector<pf::End> pf_ends(const Ruleset& ruleset, const Packet& packet, Ways& ways) {
    std::vector<pf::End> ends;
    if (ruleset.packets) ends = pf::ends_of(*ruleset.packets, packet, ways);
    if (!ruleset.packets) {
        for (End& one : both("what pf does (pfctl -s info)", ways))
            ends.push_back({std::move(one), std::nullopt});
    }
    if (!ruleset.unread.empty()) {
        const std::string what = "lines that are not understood: " + ruleset.unread.front();
        for (End& one : both(what, ways)) ends.push_back({std::move(one), std::nullopt});
    }
    return ends;
}

// Whether pf leaves the interface alone is told by a listing of its own.
void note_interfaces(const Ruleset& ruleset, Verdict& verdict) {
    if (!ruleset.packets || ruleset.packets->has_interfaces || verdict.passes != false) return;
    const auto& decider = verdict.deciding_rule;
    if (!decider || decider->owner != "pf") return;
    verdict.open.emplace_back(
        "whether pf is set to skip the interface (pfctl -v -s Interfaces), which the file does not "
        "tell");
    verdict.why += " That is, unless pf is set to skip the interface.";
}

}  // namespace

Verdict judge(const Ruleset& ruleset, const Packet& packet,
              const std::optional<std::string>& program) {
    Ways ways;
    Packet first = packet;
    first.state = CtState::fresh;
    for (pf::End& one : pf_ends(ruleset, first, ways)) ways.end(std::move(one.end));
    const bool any = std::any_of(ways.ends().begin(), ways.ends().end(),
                                 [](const End& one) { return one.passes; });
    if (packet.direction == Direction::in && any) {
        ways.go_on(ruleset.applications
                       ? ends_of(*ruleset.applications, first, program, ways)
                       : both("what the application firewall does (socketfilterfw)", ways));
    }
    Verdict verdict = ways.conclude();
    note_interfaces(ruleset, verdict);
    return verdict;
}

Verdict judge_answer(const Ruleset& ruleset, const Packet& own) {
    Ways ways;
    Packet answer = own;
    answer.direction = Direction::in;
    answer.source = own.destination;
    if (own.destination.scope() == AddressScope::unspecified) answer.source.reset();
    answer.source_port.reset();
    if (own.destination_port != 0) answer.source_port = own.destination_port;
    answer.destination =
        own.source.value_or(own.family() == Family::ipv4 ? IpAddress() : *IpAddress::parse("::"));
    answer.destination_port = own.source_port.value_or(0);
    answer.state = CtState::established;
    for (pf::End& sent : pf_ends(ruleset, own, ways)) {
        if (!sent.end.passes) {
            sent.end.why = "A packet of this machine does not leave: " + sent.end.why;
            ways.end(std::move(sent.end));
            continue;
        }
        const bool by_rule = sent.end.rule && sent.end.rule->handle != 0;
        if (sent.keeps_state == true || (by_rule && !sent.keeps_state)) {
            End passed = sent.end;
            passed.why = "pf keeps state of what it passes out.";
            if (!sent.keeps_state)
                passed.reasons |= ways.reasons.add(
                    "whether the rule `" + sent.end.rule->text + "` keeps state", false);
            ways.end(std::move(passed));
            if (sent.keeps_state == true) continue;
        }
        for (pf::End& back : pf_ends(ruleset, answer, ways)) {
            back.end.reasons |= sent.end.reasons;
            ways.end(std::move(back.end));
        }
    }
    return ways.conclude();
}

}  // namespace p2pdiag::firewall::macos
