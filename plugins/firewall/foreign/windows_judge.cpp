#include <algorithm>

#include "base/text.hpp"
#include "foreign/windows_match.hpp"
#include "foreign/windows_values.hpp"
#include "verdict.hpp"

namespace p2pdiag::firewall::windows {

namespace {

using foreign::End;
using foreign::Match;
using foreign::Ways;

constexpr const char* owner = "windows-firewall";

Truth truth_of(std::optional<bool> known) {
    if (!known) return Truth::maybe;
    return *known ? Truth::yes : Truth::no;
}

std::string_view to_string(Action action) {
    if (action == Action::block) return "Block";
    return action == Action::bypass ? "AllowBypass" : "Allow";
}

// "8000, 9000-9010"
std::string spelled(const Condition<PortRange>& ports) {
    std::vector<std::string> parts;
    for (const PortRange& range : ports.values) {
        parts.push_back(std::to_string(range.low) +
                        (range.low == range.high ? "" : '-' + std::to_string(range.high)));
    }
    parts.insert(parts.end(), ports.words.begin(), ports.words.end());
    return joined(parts, ", ");
}

// What of the rule narrows it, as far as it fits a line.
std::string text_of(const Rule& rule) {
    const Filters& filters = rule.filters;
    std::string text(rule.action ? to_string(*rule.action) : "(unknown action)");
    if (filters.protocol == protocol_udp) text += " UDP";
    if (filters.protocol == protocol_tcp) text += " TCP";
    if (filters.any_protocol == true) text += " any protocol";
    if (filters.local_ports.known && !filters.local_ports.any)
        text += " port " + spelled(filters.local_ports);
    if (!filters.programs.any && !filters.programs.values.empty())
        text += ", program " + filters.programs.values.front();
    if (!filters.services.any && !filters.services.values.empty())
        text += ", service " + filters.services.values.front();
    if (filters.remote_addresses.known && !filters.remote_addresses.any)
        text += ", from " + (filters.remote_addresses.words.empty()
                                 ? "certain addresses"
                                 : joined(filters.remote_addresses.words, ", "));
    if (rule.profiles && *rule.profiles != 7) {
        std::string names;
        for (const Profile profile : profiles) {
            if ((*rule.profiles & static_cast<unsigned>(profile)) != 0)
                names += (names.empty() ? "" : "|") + std::string(to_string(profile));
        }
        text += ", profile " + names;
    }
    return printable(text, 400);
}

class Judge {
public:
    Judge(const Ruleset& ruleset, const Flow& flow) : ruleset_(ruleset), flow_(flow) {}

    Verdict judge() {
        matches_.resize(ruleset_.rules.size());
        for (std::size_t i = 0; i < matches_.size(); ++i) matches_[i] = match_of(i);
        if (const auto profile = profile_of(ruleset_, flow_.interface)) {
            under(*profile, 0);
        } else {
            const std::uint64_t which = ways_.reasons.add("which network profile is active", true);
            for (const Profile one : candidates()) under(one, which);
        }
        return ways_.conclude();
    }

private:
    // Apart from the profile.
    Match match_of(std::size_t index) {
        const Rule& rule = ruleset_.rules[index];
        Match match;
        const std::string name = '"' + rule.name + '"';
        const auto unknown = [&](const char* what) {
            return ways_.reasons.add(what + name, false);
        };
        if (rule.inbound == !flow_.inbound) match.require(Truth::no);
        if (match.truth != Truth::no) {
            const Match conditions = windows::match(rule, flow_, ruleset_, ways_.reasons);
            match.require(conditions.truth, conditions.reasons);
        }
        if (match.truth == Truth::no) return match;
        if (!rule.inbound) match.require(Truth::maybe, unknown("the direction of the rule "));
        if (!rule.action) match.require(Truth::maybe, unknown("the action of the rule "));
        if (!rule.enabled) match.require(Truth::maybe, unknown("whether it is enabled, the rule "));
        return match;
    }

    // Which profile may be active on the interface.
    std::vector<Profile> candidates() const {
        std::vector<Profile> found;
        const bool any = flow_.interface.empty() && ruleset_.connections;
        if (any) {
            for (const Connection& connection : *ruleset_.connections) {
                if (!connection.profile) return {std::begin(profiles), std::end(profiles)};
                if (std::find(found.begin(), found.end(), *connection.profile) == found.end())
                    found.push_back(*connection.profile);
            }
        }
        if (found.empty()) found.assign(std::begin(profiles), std::end(profiles));
        return found;
    }

    RuleRef setting(Profile profile, std::string text) const {
        RuleRef ref;
        ref.table = "profile " + std::string(to_string(profile));
        ref.chain = chain();
        ref.text = std::move(text);
        ref.owner = owner;
        return ref;
    }

    const char* chain() const { return flow_.inbound ? "inbound" : "outbound"; }

    RuleRef ref_of(std::size_t index) const {
        const Rule& rule = ruleset_.rules[index];
        RuleRef ref;
        ref.table = "ActiveStore";
        ref.chain = chain();
        ref.handle = static_cast<std::int64_t>(index + 1);
        ref.text = text_of(rule);
        ref.comment = rule.name;
        ref.owner = owner;
        return ref;
    }

    void trace(RuleRef rule, bool certain, std::string outcome) {
        TraceStep step;
        step.hook = flow_.inbound ? Hook::input : Hook::output;
        step.rule = std::move(rule);
        step.certain = certain;
        step.outcome = std::move(outcome);
        ways_.trace(std::move(step));
    }

    // What ends here if `truth`; whether nothing goes on.
    bool ends(Truth truth, std::uint64_t reasons, bool passes, RuleRef rule, std::string why) {
        if (truth == Truth::no) return false;
        trace(rule, truth == Truth::yes && certain_, passes ? "accept" : "drop");
        if (truth == Truth::maybe) certain_ = false;
        End one;
        one.passes = passes;
        one.rule = std::move(rule);
        one.why = std::move(why);
        one.reasons = base_ | (truth == Truth::maybe ? reasons : 0);
        ways_.end(std::move(one));
        return truth == Truth::yes;
    }

    void under(Profile profile, std::uint64_t reasons) {
        base_ = reasons;
        certain_ = reasons == 0;
        const auto& known = ruleset_.settings[index_of(profile)];
        const Settings settings = known.value_or(Settings{});
        const std::string name(to_string(profile));
        const std::uint64_t unknown = ways_.reasons.add(
            "the settings of the profile " + name + ", which the file does not tell", false);
        if (settings_end_it(profile, settings, unknown)) return;
        notes_.clear();
        if (rules_end_it(profile, settings, unknown)) return;
        by_default(profile, settings, unknown);
    }

    static std::size_t index_of(Profile profile) {
        return static_cast<std::size_t>(
            std::find(std::begin(profiles), std::end(profiles), profile) - std::begin(profiles));
    }

    bool settings_end_it(Profile profile, const Settings& settings, std::uint64_t unknown) {
        const std::string name(to_string(profile));
        if (ends(!truth_of(settings.enabled), unknown, true, setting(profile, "Enabled False"),
                 "Windows' firewall is off on networks of the profile " + name + '.')) {
            return true;
        }
        Truth off = Truth::no;
        for (const std::string& alias : settings.off_on) {
            if (flow_.interface.empty()) off = Truth::maybe;
            if (same_text(alias, flow_.interface)) off = Truth::yes;
        }
        return ends(off, ways_.reasons.add("the interface", true), true,
                    setting(profile, "DisabledInterfaceAliases"),
                    "Windows' firewall is off on this interface in the profile " + name + '.');
    }

    // The rule's match in this profile.
    Match in_profile(std::size_t index, Profile profile, const Settings& settings,
                     std::uint64_t unknown) {
        const Rule& rule = ruleset_.rules[index];
        Match match = matches_[index];
        if (match.truth == Truth::no) return match;
        std::string hindrance;
        if (rule.enabled == false) {
            hindrance = "it is disabled";
        } else if (rule.profiles && (*rule.profiles & static_cast<unsigned>(profile)) == 0) {
            hindrance = "it is not for networks of the profile " + std::string(to_string(profile));
        } else if (!rule.inert.empty()) {
            hindrance = rule.inert;
        } else if (settings.local_rules == false && rule.local == true) {
            hindrance =
                "rules of this machine do not count under its group policy "
                "(AllowLocalFirewallRules)";
        }
        if (!hindrance.empty()) {
            note(index, match, hindrance);
            match.require(Truth::no);
            return match;
        }
        if (!rule.profiles) {
            match.require(
                Truth::maybe,
                ways_.reasons.add("the profiles of the rule \"" + rule.name + '"', false));
        }
        if (settings.local_rules != true && rule.local != false) {
            const std::string what = "whether the rule \"" + rule.name + "\" is of a group policy";
            match.require(Truth::maybe,
                          settings.local_rules ? ways_.reasons.add(what, false) : unknown);
        }
        return match;
    }

    // A rule that would let the packet in, were it not for one thing.
    void note(std::size_t index, const Match& match, const std::string& hindrance) {
        constexpr std::size_t most = 3;
        const Rule& rule = ruleset_.rules[index];
        if (match.truth != Truth::yes || rule.action == Action::block || notes_.size() >= most)
            return;
        trace(ref_of(index), certain_, "does not count: " + hindrance);
        notes_.push_back(" The rule \"" + rule.name + "\" would let it " +
                         (flow_.inbound ? "in" : "out") + ", but " + hindrance + '.');
    }

    // Bypass, then block, then allow: [MS-FASP] 2.2.34.
    bool rules_end_it(Profile profile, const Settings& settings, std::uint64_t unknown) {
        std::vector<Match> here(ruleset_.rules.size());
        for (std::size_t i = 0; i < here.size(); ++i)
            here[i] = in_profile(i, profile, settings, unknown);
        if (!ruleset_.unread.empty()) {
            const std::uint64_t reason = ways_.reasons.add(
                "entries that are not understood: " + joined(ruleset_.unread, ", "), false);
            RuleRef ref = setting(profile, "an entry that is not understood");
            ends(Truth::maybe, reason, true, ref, "An entry is not understood.");
            ends(Truth::maybe, reason, false, ref, "An entry is not understood.");
        }
        for (const int stage : {0, 1, 2}) {
            if (stage == 1 && flow_.inbound &&
                ends(!truth_of(settings.allow_rules), unknown, false,
                     setting(profile, "AllowInboundRules False"),
                     "All incoming connections are blocked on networks of the profile " +
                         std::string(to_string(profile)) +
                         ", whatever the rules allow (AllowInboundRules).")) {
                return true;
            }
            for (std::size_t i = 0; i < here.size(); ++i) {
                if (is_of_stage(ruleset_.rules[i], stage) && rule_ends_it(i, here[i], stage))
                    return true;
            }
        }
        return false;
    }

    static bool is_of_stage(const Rule& rule, int stage) {
        // Not known to be of one action: it may be of each.
        if (!rule.action) return true;
        const bool bypass =
            rule.action == Action::bypass ||
            (rule.action == Action::allow && rule.filters.overrides_blocks != false);
        if (stage == 0) return bypass;
        if (stage == 1) return rule.action == Action::block;
        return rule.action == Action::allow && rule.filters.overrides_blocks != true;
    }

    bool rule_ends_it(std::size_t index, Match match, int stage) {
        const Rule& rule = ruleset_.rules[index];
        const bool passes = stage != 1;
        if (stage == 0 && rule.filters.overrides_blocks != true && rule.action != Action::bypass) {
            match.require(
                Truth::maybe,
                ways_.reasons.add(
                    "whether rules that block come after the rule \"" + rule.name + '"', false));
        }
        std::string why =
            passes ? "The rule \"" + rule.name + "\" lets it " + (flow_.inbound ? "in." : "out.")
                   : "The rule \"" + rule.name +
                         "\" blocks it; rules that block go before those that allow.";
        return ends(match.truth, match.reasons, passes, ref_of(index), std::move(why));
    }

    void by_default(Profile profile, const Settings& settings, std::uint64_t unknown) {
        const std::string name(to_string(profile));
        const auto allowed = flow_.inbound ? settings.inbound_allowed : settings.outbound_allowed;
        const std::string member =
            flow_.inbound ? "DefaultInboundAction " : "DefaultOutboundAction ";
        const std::string what = flow_.inbound ? "incoming" : "outgoing";
        std::string notes;
        for (const std::string& one : notes_) notes += one;
        if (ends(truth_of(allowed), unknown, true, setting(profile, member + "Allow"),
                 "No rule blocks it, and " + what +
                     " connections are allowed by default on networks of the profile " + name +
                     '.')) {
            return;
        }
        ends(Truth::yes, 0, false, setting(profile, member + "Block"),
             "No rule lets it " + std::string(flow_.inbound ? "in" : "out") + ", and " + what +
                 " connections are blocked by default on networks of the profile " + name + '.' +
                 notes);
    }

    const Ruleset& ruleset_;
    const Flow& flow_;
    Ways ways_;
    std::vector<Match> matches_;
    std::uint64_t base_ = 0;  // reasons for being in this profile
    bool certain_ = true;
    std::vector<std::string> notes_;
};

Flow flow_of(const Packet& packet, const std::optional<std::string>& program) {
    Flow flow;
    flow.inbound = packet.direction == Direction::in;
    flow.family = packet.family();
    flow.protocol = packet.protocol;
    flow.interface = packet.interface;
    flow.program = program;
    flow.with_stranger = packet.with_stranger;
    const std::optional<IpAddress> to = packet.destination.scope() == AddressScope::unspecified
                                            ? std::nullopt
                                            : std::optional(packet.destination);
    flow.local = flow.inbound ? to : packet.source;
    flow.remote = flow.inbound ? packet.source : to;
    flow.local_port = flow.inbound ? packet.destination_port : packet.source_port;
    flow.remote_port = packet.source_port;
    if (!flow.inbound) {
        flow.remote_port.reset();
        if (packet.destination_port != 0) flow.remote_port = packet.destination_port;
    }
    return flow;
}

}  // namespace

Verdict judge(const Ruleset& ruleset, const Packet& packet,
              const std::optional<std::string>& program) {
    const Flow flow = flow_of(packet, program);
    return Judge(ruleset, flow).judge();
}

std::optional<Profile> profile_of(const Ruleset& ruleset, std::string_view interface) {
    if (!ruleset.connections) return std::nullopt;
    std::optional<Profile> found;
    for (const Connection& connection : *ruleset.connections) {
        if (!interface.empty() && !same_text(connection.interface, interface)) continue;
        if (!connection.profile || (found && *found != *connection.profile)) return std::nullopt;
        found = connection.profile;
    }
    return found;
}

}  // namespace p2pdiag::firewall::windows
