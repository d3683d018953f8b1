#include <algorithm>

#include "foreign/macos.hpp"
#include "foreign/quoting.hpp"

namespace p2pdiag::firewall::macos {

namespace {

using Lines = std::vector<std::string>;

constexpr const char* tool = "/usr/libexec/ApplicationFirewall/socketfilterfw";
constexpr const char* own_anchor = "com.apple/p2pdiag";

std::string pass_line(const Question& question) {
    return std::string("pass in quick ") + (question.family == Family::ipv4 ? "inet" : "inet6") +
           " proto " + (question.protocol == protocol_tcp ? "tcp" : "udp") +
           " from any to any port " + std::to_string(question.port) + " keep state";
}

// Whether a quick rule in an anchor below com.apple would be met before the one that blocks.
bool anchor_helps(const pf::Ruleset& packets, const RuleRef& decider) {
    const auto main = packets.lists.find("");
    if (main == packets.lists.end() || decider.chain != "main" || decider.handle <= 0) return false;
    const auto& rules = main->second.rules;
    const auto number = static_cast<std::size_t>(decider.handle);
    if (number > rules.size()) return false;
    const auto end = rules[number - 1].quick ? rules.begin() + decider.handle : rules.end();
    return std::any_of(rules.begin(), end, [](const pf::Rule& rule) {
        return rule.action == pf::Rule::Action::anchor && rule.anchor == "com.apple/*";
    });
}

void open_pf(const pf::Ruleset& packets, const RuleRef& decider, const Question& question,
             Lines& lines) {
    const std::string line = pass_line(question);
    if (anchor_helps(packets, decider)) {
        lines.push_back("echo '" + line + "' | sudo pfctl -a " + own_anchor + " -f -");
        lines.push_back(std::string("# to take it back: sudo pfctl -a ") + own_anchor +
                        " -F rules");
        lines.emplace_back(
            "# It holds until the Mac restarts. For good: the line in /etc/pf.conf.");
        return;
    }
    lines.push_back("# In /etc/pf.conf, before the line that became `" + decider.text +
                    "`, and then sudo pfctl -f /etc/pf.conf:");
    lines.push_back("#     " + line);
}

void open_applications(const ApplicationFirewall& firewall,
                       const std::optional<std::string>& program, Lines& lines) {
    const std::string start = std::string("sudo ") + tool + ' ';
    if (firewall.blocks_all == true) {
        lines.emplace_back(
            "# \"Block all incoming connections\" is on: the list of programs does not count until "
            "it is off. The firewall itself stays on, but every program that the list allows is "
            "let in again: look at it first.");
        lines.push_back(start + "--setblockall off");
        lines.push_back("# to take it back: " + start + "--setblockall on");
    }
    const bool whole = program && program->starts_with('/');
    const auto path = whole ? foreign::quoted(*program) : std::nullopt;
    if (!path) {
        lines.emplace_back(
            "# The application firewall lets in programs, not ports. With the path of yours:");
        lines.push_back("# " + start + "--add PATH");
        lines.push_back("# " + start + "--unblockapp PATH");
        return;
    }
    const auto& apps = firewall.apps;
    const bool listed = apps && std::any_of(apps->begin(), apps->end(), [&](const App& app) {
                            return *program == app.name || program->starts_with(app.name + '/');
                        });
    if (!listed) lines.push_back(start + "--add " + *path);
    lines.push_back(start + "--unblockapp " + *path);
    lines.push_back("# to take it back: " + start + (listed ? "--blockapp " : "--remove ") + *path);
}

// Everything that a definite answer needs.
bool is_whole(const Ruleset& ruleset) {
    if (!ruleset.applications || !ruleset.packets || !ruleset.packets->enabled) return false;
    const auto& applications = *ruleset.applications;
    const bool told = applications.on && applications.blocks_all && applications.apps;
    const auto& packets = *ruleset.packets;
    return told && (!*packets.enabled ||
                    (packets.has_rules && packets.has_translations && packets.anchors));
}

}  // namespace

std::vector<std::string> remedy(const Ruleset& ruleset, const Question& question,
                                const Verdict& verdict, const std::optional<std::string>& program) {
    Lines lines;
    if (verdict.kind == VerdictKind::accept) return lines;
    if (!is_whole(ruleset) && verdict.passes != false) {
        lines.emplace_back("# The file does not tell all. This in a terminal does:");
        lines.emplace_back(collect_command);
        return lines;
    }
    const auto& decider = verdict.deciding_rule;
    if (decider && decider->owner == "pf") {
        if (ruleset.packets) open_pf(*ruleset.packets, *decider, question, lines);
    } else if (ruleset.applications && ruleset.applications->on != false) {
        open_applications(*ruleset.applications, program, lines);
    }
    return lines;
}

}  // namespace p2pdiag::firewall::macos
