#include "foreign/macos.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "routing.hpp"
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

// A packet that has to pass as well, and what is said where it does not.
struct Following {
    Packet packet;
    std::string stopped;
};

// What a first packet that pf keeps no state of needs besides. By UDP the later ones are like it.
std::vector<Following> following(const Packet& first) {
    Packet answer = foreign::sent_back(first);
    answer.state = CtState::established;
    answer.part = Part::answer;
    std::vector<Following> all = {{answer, "It comes in, but no answer to it leaves. "}};
    if (first.protocol != protocol_tcp) return all;
    const std::string begun = "A connection can be begun, but what follows does not ";
    Packet later = first;
    later.state = CtState::established;
    later.part = Part::later;
    all.push_back({later, begun + "come in. "});
    answer.part = Part::later;
    all.push_back({answer, begun + "leave. "});
    return all;
}

// Of the first of these, and of the others where pf keeps no state of it.
std::vector<End> ends_of_following(const Ruleset& ruleset, std::span<const Following> all,
                                   Ways& ways) {
    std::vector<End> ends;
    std::vector<End> stateless;
    for (pf::End& one : pf_ends(ruleset, all.front().packet, ways)) {
        if (!one.end.passes) {
            one.end.why = all.front().stopped + one.end.why;
            // What of this machine's own is refused, the sender is not told.
            one.end.rejected = false;
            one.end.reject_kind.clear();
        }
        const bool goes_on = one.end.passes && one.keeps_state == false && all.size() > 1;
        foreign::add_end(goes_on ? stateless : ends, std::move(one.end));
    }
    if (stateless.empty()) return ends;
    for (const End& after : ends_of_following(ruleset, all.subspan(1), ways)) {
        for (const End& before : stateless) {
            End one = after;
            one.reasons |= before.reasons;
            foreign::add_end(ends, std::move(one));
        }
    }
    return ends;
}

// Of a first packet that comes in: what pf keeps no state of is open where all that follows passes.
void end_exchange(const Ruleset& ruleset, const Packet& first, Ways& ways) {
    std::vector<End> stateless;
    for (pf::End& one : pf_ends(ruleset, first, ways)) {
        if (one.end.passes && one.keeps_state == false)
            foreign::add_end(stateless, std::move(one.end));
        else
            ways.end(std::move(one.end));
    }
    if (stateless.empty()) return;
    const std::vector<Following> all = following(first);
    for (const End& after : ends_of_following(ruleset, all, ways)) {
        for (const End& before : stateless) {
            End one = after.passes ? before : after;
            one.reasons = before.reasons | after.reasons;
            ways.end(std::move(one));
        }
    }
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
    if (packet.direction == Direction::in) {
        end_exchange(ruleset, first, ways);
    } else {
        for (pf::End& one : pf_ends(ruleset, first, ways)) ways.end(std::move(one.end));
    }
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
    std::vector<Following> rest = {{answer, ""}};
    if (own.protocol == protocol_tcp) {
        rest.push_back({own, "A connection can be begun, but what follows does not leave. "});
        rest.back().packet.state = CtState::established;
        rest.back().packet.part = Part::later;
    }
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
        for (End& back : ends_of_following(ruleset, rest, ways)) {
            back.reasons |= sent.end.reasons;
            ways.end(std::move(back));
        }
    }
    return ways.conclude();
}

namespace {

// Stands for the router. Nothing is sent to it.
constexpr const char* some_neighbour = "fe80::5c3a:27ff:fe9e:4d61";

// Of links without neighbour discovery.
bool has_no_discovery(const std::string& interface) {
    for (const char* kind : {"lo", "utun", "ppp", "ipsec", "gif", "stf"}) {
        if (interface.starts_with(kind)) return true;
    }
    return false;
}

Packet discovery(const Packet& asked, Direction direction, std::uint8_t type) {
    const bool known = asked.destination.scope() != AddressScope::unspecified;
    const IpAddress neighbour = *IpAddress::parse(some_neighbour);
    const bool in = direction == Direction::in;
    Packet made;
    made.interface = asked.interface;
    made.direction = direction;
    made.protocol = protocol_icmpv6;
    made.icmp_type = type;
    made.state = CtState::untracked;
    if (in)
        made.source = neighbour;
    else if (known)
        made.source = asked.destination;
    const IpAddress to = in ? asked.destination : neighbour;
    made.destination = type == nd_solicitation ? solicited_node(to) : to;
    return made;
}

std::vector<End> ends_of_discovery(const Ruleset& ruleset, const Packet& packet, Ways& ways) {
    std::vector<End> ends;
    for (pf::End& one : pf_ends(ruleset, packet, ways)) {
        one.end.rejected = false;
        one.end.reject_kind.clear();
        foreign::add_end(ends, std::move(one.end));
    }
    return ends;
}

// What the neighbour's own solicitation has told lasts a while without these.
std::vector<End> left_open(std::vector<End> ends, Ways& ways) {
    std::vector<End> all;
    for (End& one : ends) {
        if (!one.passes) {
            one.reasons |= ways.reasons.add(
                "how long answers find their way, as this machine cannot find neighbours", false);
            End other = one;
            other.passes = true;
            foreign::add_end(all, std::move(other));
        }
        foreign::add_end(all, std::move(one));
    }
    return all;
}

}  // namespace

void ask_for_neighbours(const Ruleset& ruleset, const Packet& packet, Verdict& verdict) {
    if (packet.family() != Family::ipv6 || has_no_discovery(packet.interface)) return;
    const bool may_pass =
        verdict.kind == VerdictKind::accept || verdict.kind == VerdictKind::depends;
    if (!may_pass || verdict.passes == false) return;
    Ways ways;
    const auto ends = [&](Direction direction, std::uint8_t type) {
        return ends_of_discovery(ruleset, discovery(packet, direction, type), ways);
    };
    for (End& one : ends(Direction::in, nd_solicitation)) ways.end(std::move(one));
    ways.go_on(ends(Direction::out, nd_advertisement));
    ways.go_on(left_open(ends(Direction::out, nd_solicitation), ways));
    ways.go_on(left_open(ends(Direction::in, nd_advertisement), ways));
    Verdict found = ways.conclude();
    if (found.kind == VerdictKind::accept) return;
    if (found.kind == VerdictKind::depends && verdict.kind == VerdictKind::depends) {
        verdict.open.insert(verdict.open.end(), found.open.begin(), found.open.end());
        return;
    }
    found.why = (found.passes == false
                     ? "The port is open, but no neighbour can find this machine, as neighbour "
                       "discovery does not pass. "
                     : "The port is open, but of neighbour discovery: ") +
                found.why;
    found.trace = std::move(verdict.trace);
    found.trace_cut = verdict.trace_cut;
    verdict = std::move(found);
}

}  // namespace p2pdiag::firewall::macos
