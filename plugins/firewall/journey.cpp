#include "journey.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "ipsec.hpp"
#include "literals.hpp"
#include "routing.hpp"
#include "rules_there.hpp"

namespace p2pdiag::firewall {

namespace {

// What of IPS_* a first packet surely has not: an expectation, an answer.
constexpr Bits status_known_fresh =
    status_expected | status_seen_reply | 4 | status_snat | status_dnat;

bool has_digits_only(const std::string& name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
}

// Chains that the kernel runs somewhere and this program knows not where.
std::vector<std::string> homeless_chains(const Ruleset& ruleset) {
    std::vector<std::string> found;
    for (const Chain& chain : ruleset.chains) {
        const Table& table = ruleset.tables[chain.table];
        if (!chain.is_base || table.dormant || found.size() == 8) continue;
        if (table.family == TableFamily::bridge || table.family == TableFamily::arp) continue;
        if (!chain.hook || table.family == TableFamily::other) {
            found.push_back("where the chain " + table.title() + ' ' + chain.name + " runs");
        }
    }
    return found;
}

// Packets of one pass the other first or last: a part of a bridge or bond, the link of a VLAN.
bool lies_below(const net::Interface& link, const net::Interface& whole) {
    const bool is_part = link.master != 0 && link.master == whole.index;
    return is_part || (whole.lower != 0 && whole.lower == link.index);
}

// All that the link is made of.
std::vector<const net::Interface*> links_below(const World& world, const net::Interface& whole) {
    std::vector<const net::Interface*> found = {&whole};
    for (std::size_t i = 0; i < found.size(); ++i) {
        for (const net::Interface& link : world.interfaces) {
            const bool known = std::find(found.begin(), found.end(), &link) != found.end();
            if (!known && lies_below(link, *found[i])) found.push_back(&link);
        }
    }
    found.erase(found.begin());
    return found;
}

// A chain at ingress or egress there, which sees the link's packets first or last.
bool has_rules_below(const World& world, const net::Interface& whole) {
    const std::vector<const net::Interface*> below = links_below(world, whole);
    if (below.empty()) return false;
    for (const Ruleset& ruleset : world.rulesets) {
        for (const Chain& chain : ruleset.chains) {
            const bool outer = chain.hook == Hook::ingress || chain.hook == Hook::egress;
            if (!outer || !does_something(ruleset, chain)) continue;
            // Of a chain whose links are not told it may be any.
            if (chain.devices.empty()) return true;
            for (const net::Interface* link : below) {
                if (is_on(chain, link->name)) return true;
            }
        }
    }
    return false;
}

// What is attached to the link, or to those it is made of, and may do anything with its packets.
std::vector<std::string> programs_at(const World& world, const net::Interface& whole,
                                     Direction direction) {
    std::vector<const net::Interface*> links = links_below(world, whole);
    links.insert(links.begin(), &whole);
    const bool in = direction == Direction::in;
    std::vector<std::string> found;
    for (const net::Interface* link : links) {
        const std::string name = printable(link->name);
        if (in && link->xdp) found.push_back("an XDP program that is attached to " + name);
        if (in ? link->tc_ingress : link->tc_egress)
            found.push_back("filters of tc that are attached to " + name);
    }
    return found;
}

}  // namespace

Journey::Journey(const World& world, const Packet& packet, const Limits& limits)
    : world_(world), packet_(packet), walker_(world, packet, limits, findings_) {}

State Journey::start() const {
    const Family family = packet_.family();
    const unsigned width = family == Family::ipv4 ? 32 : 128;
    State state;
    state.source = packet_.source_bits();
    state.destination = {to_bits(packet_.destination), 0};
    if (packet_.goes_to_some_own_address()) {
        state.destination = Known::nothing(width);
        state.goes_to_some_own_address = true;
    }
    state.source_port = Known::of(packet_.source_port, 16);
    state.destination_port = {packet_.destination_port, 0};
    state.mark = {packet_.mark, 0};
    switch (packet_.state) {
        case CtState::fresh: state.status.unknown = low_mask(32) & ~status_known_fresh; break;
        case CtState::established:
            // An answer's sender and this machine have both been heard.
            state.status = {status_seen_reply, low_mask(32) & ~status_seen_reply};
            state.connection_mark = Known::of(packet_.connection_mark, 32);
            break;
        default:
            state.status = Known::nothing(32);
            state.connection_mark = Known::of(packet_.connection_mark, 32);
    }
    return state;
}

void Journey::end_unknown(const States& states, const std::string& why, bool circumstantial) {
    for (const State& state : states) {
        findings_.give_up(state, findings_.reasons.add(why, circumstantial));
    }
}

// What makes every verdict impossible, before any rule is looked at.
bool Journey::prepare() {
    const State state = start();
    std::vector<std::string> problems;
    for (const Unseen& unseen : world_.unseen) {
        if (unseen.family && *unseen.family != packet_.family()) continue;
        problems.push_back(unseen.what + ": " + unseen.why);
    }
    for (const Ruleset& ruleset : world_.rulesets) {
        problems.insert(problems.end(), ruleset.unplaced.begin(), ruleset.unplaced.end());
        for (const std::string& chain : homeless_chains(ruleset)) problems.push_back(chain);
    }
    for (const net::Interface& interface : world_.interfaces) {
        if (has_digits_only(interface.name)) {
            problems.push_back("an interface that is named like a number: " + interface.name);
        }
    }
    interface_ = world_.find_interface(packet_.interface);
    if (interface_ == nullptr) {
        problems.push_back("there is no interface " + packet_.interface);
    } else if (interface_->master != 0) {
        problems.push_back(interface_->name + " is part of another interface");
    } else if ((interface_->kind == net::LinkKind::bridge || !world_.routes) &&
               has_rules_of(world_, TableFamily::bridge)) {
        // Of a machine that is known by its rules alone, it may be a bridge.
        problems.push_back("rules of the bridge family, which are not followed");
    }
    if (interface_ != nullptr && has_rules_below(world_, *interface_)) {
        problems.push_back("rules at the links that " + interface_->name + " is made of");
    }
    if (interface_ != nullptr) {
        for (std::string& what : programs_at(world_, *interface_, packet_.direction))
            problems.push_back(std::move(what));
    }
    if (packet_.source && packet_.source->family() != packet_.family()) {
        problems.push_back("the sender's address is of another family");
    }
    for (const std::string& problem : problems) end_unknown({state}, problem, false);
    return interface_ != nullptr;
}

Findings Journey::run() {
    if (!prepare()) return std::move(findings_);
    States states = {start()};
    const Stage leaving = {Hook::output, nullptr, interface_, true};
    if (packet_.direction == Direction::out) {
        states = go_out(run_hook(leaving, std::move(states)), leaving);
        finish(states, false, interface_);
        return std::move(findings_);
    }
    // What comes in by loopback has gone out by it.
    if (interface_->kind == net::LinkKind::loopback) {
        states = go_out(run_hook(leaving, std::move(states)), leaving);
    }
    come_in(std::move(states));
    return std::move(findings_);
}

void Journey::come_in(States states) {
    states = run_hook({Hook::ingress, interface_, nullptr, true}, std::move(states));
    states = run_hook({Hook::prerouting, interface_, nullptr, true}, std::move(states));
    for (State state : states) {
        for (const Fate& fate : route_inbound(world_, packet_, state, *interface_)) {
            if (!fate.open.empty())
                state.reasons |= findings_.reasons.add(fate.open, fate.open_understood);
            Ending ending;
            ending.why = fate.why;
            ending.reasons = state.reasons;
            ending.state = state;
            switch (fate.kind) {
                case Fate::Kind::local:
                    deliver({state}, {Hook::input, interface_, nullptr, true});
                    break;
                case Fate::Kind::forward: send_on(state, fate.interface); break;
                case Fate::Kind::unknown:
                    end_unknown({state}, fate.why, fate.circumstantial);
                    break;
                case Fate::Kind::drop:
                    ending.kind = Ending::Kind::dropped;
                    findings_.end(std::move(ending));
                    break;
                case Fate::Kind::reject:
                    ending.kind = Ending::Kind::rejected;
                    ending.reject_kind = fate.reject_kind;
                    findings_.end(std::move(ending));
                    break;
            }
        }
    }
}

// IPsec is asked behind the rules. Of those that a policy may be about it is not known what
// becomes.
Journey::States Journey::without_ipsec(const States& states, net::IpsecPolicy::Direction direction,
                                       const net::Interface* link) {
    if (world_.ipsec.empty()) return states;
    States free;
    for (const State& state : states) {
        const std::string policy = find_ipsec(world_, direction, packet_, state, link);
        if (policy.empty()) {
            free.push_back(state);
        } else {
            end_unknown({state}, "what a policy of IPsec makes of it (`" + policy + "`)", false);
        }
    }
    return free;
}

void Journey::deliver(const States& states, const Stage& stage) {
    const States passed = run_hook(stage, states);
    finish(without_ipsec(passed, net::IpsecPolicy::Direction::in, interface_), true, nullptr);
}

void Journey::send_on(const State& state, int interface) {
    const net::Interface* out = world_.find_interface(interface);
    const Stage stage = {Hook::forward, interface_, out, out != nullptr};
    States states = run_hook(stage, {state});
    states = without_ipsec(states, net::IpsecPolicy::Direction::forward, interface_);
    states = go_out(std::move(states), stage);
    finish(states, false, out);
}

// Behind forward or output. A rule there may have changed where the packet goes.
Journey::States Journey::go_out(States states, const Stage& stage) {
    Stage leaving = stage;
    leaving.hook = Hook::postrouting;
    States same_way;
    for (const State& state : states) {
        const bool own = stage.hook == Hook::output;
        const bool rewritten = own && state.destination != Known{to_bits(packet_.destination), 0};
        const bool remarked = own && state.mark != Known{packet_.mark, 0} &&
                              has_rules_on_marks(world_, packet_.family());
        if (rewritten || remarked) {
            end_unknown({state}, "where the rewritten packet goes", false);
        } else {
            same_way.push_back(state);
        }
    }
    // Asked before the source is rewritten, and again where it is.
    same_way = without_ipsec(same_way, net::IpsecPolicy::Direction::out, stage.out);
    states = run_hook(leaving, std::move(same_way));
    states = without_ipsec(states, net::IpsecPolicy::Direction::out, stage.out);
    leaving.hook = Hook::egress;
    return run_hook(leaving, std::move(states));
}

void Journey::finish(const States& states, bool local, const net::Interface* out) {
    for (const State& state : states) {
        Ending ending;
        ending.kind = Ending::Kind::accepted;
        ending.place = state.accepted_by;
        ending.reasons = state.reasons;
        ending.state = state;
        const bool exact = state.destination.is_exact();
        const bool some_own = local && state.goes_to_some_own_address;
        if ((exact || some_own) && state.destination_port.is_exact()) {
            Delivery delivery;
            delivery.local = local;
            delivery.destination =
                to_address(exact ? state.destination.value : Bits(0), packet_.family());
            delivery.port = static_cast<std::uint16_t>(state.destination_port.value);
            if (out != nullptr) delivery.interface = out->name;
            ending.delivery = delivery;
        }
        findings_.end(std::move(ending));
    }
}

}  // namespace p2pdiag::firewall
