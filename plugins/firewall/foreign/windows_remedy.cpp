#include "foreign/windows_remedy.hpp"

#include "foreign/quoting.hpp"

namespace p2pdiag::firewall::windows {

namespace {

using Lines = std::vector<std::string>;

std::string protocol_name(const Question& question) {
    return question.protocol == protocol_tcp ? "TCP" : "UDP";
}

// Where the active profile is not known, PowerShell is to look it up.
std::string profile_argument(const std::optional<Profile>& profile) {
    if (profile) return std::string(to_string(*profile));
    return "((Get-NetConnectionProfile).NetworkCategory -replace 'DomainAuthenticated','Domain')";
}

void add_allow(const Ruleset& ruleset, const Question& question,
               const std::optional<std::string>& program, Lines& lines) {
    const auto profile = profile_of(ruleset, question.interface);
    const std::string protocol = protocol_name(question);
    const std::string port = std::to_string(question.port);
    const std::string name = "p2pdiag " + protocol + ' ' + port;
    const bool whole = program && program->find('\\') != std::string::npos;
    const auto path = whole ? foreign::quoted(*program) : std::nullopt;
    lines.push_back("New-NetFirewallRule -DisplayName '" + name +
                    "' -Direction Inbound -Action Allow -Protocol " + protocol + " -LocalPort " +
                    port + " -Profile " + profile_argument(profile) +
                    (path ? " -Program " + *path : ""));
    if (profile && !path) {
        std::string netsh(to_string(*profile));
        lines.push_back(
            "# the same in a command prompt: netsh advfirewall firewall add rule name=\"" + name +
            "\" dir=in action=allow protocol=" + protocol + " localport=" + port +
            " profile=" + netsh);
    }
    lines.push_back("# to take it back: Remove-NetFirewallRule -DisplayName '" + name + "'");
}

bool is_narrow(const Rule& rule, const Question& question) {
    const auto& ports = rule.filters.local_ports;
    const bool one_port = ports.known && !ports.any && ports.words.empty() &&
                          ports.values.size() == 1 && ports.values[0].low == question.port &&
                          ports.values[0].high == question.port;
    return one_port || (!rule.filters.programs.any && !rule.filters.programs.values.empty());
}

void lift_block(const Rule& rule, const Question& question, Lines& lines) {
    lines.push_back("# The rule \"" + rule.name +
                    "\" blocks it. No rule that allows goes before one that blocks.");
    const auto id = foreign::quoted(rule.id);
    if (rule.local != true) {
        lines.emplace_back(
            "# It is not a rule of this machine alone (a group policy or a program made it): "
            "change "
            "it there.");
    } else if (id && is_narrow(rule, question)) {
        lines.push_back("Disable-NetFirewallRule -Name " + *id);
        lines.push_back("# to take it back: Enable-NetFirewallRule -Name " + *id);
    } else {
        lines.emplace_back(
            "# It blocks more than this: narrow it in wf.msc, so that it leaves this port out.");
    }
}

void lift_shields(const Ruleset& ruleset, const Question& question, Lines& lines) {
    const std::string set = "Set-NetFirewallProfile -Name " +
                            profile_argument(profile_of(ruleset, question.interface)) +
                            " -AllowInboundRules ";
    lines.emplace_back(
        "# \"Block all incoming connections\" is on: no rule counts until it is off. The firewall "
        "itself stays on, but every rule that allows comes back into force, for other programs and "
        "ports too: look at them first.");
    lines.emplace_back(
        "Get-NetFirewallRule -PolicyStore ActiveStore -Direction Inbound -Action Allow -Enabled "
        "True | Format-Table DisplayName, Profile");
    lines.push_back(set + "True");
    lines.push_back("# to take it back: " + set + "False");
}

bool local_rules_count(const Ruleset& ruleset, const Question& question) {
    const auto active = profile_of(ruleset, question.interface);
    for (std::size_t i = 0; i < std::size(profiles); ++i) {
        if (active && profiles[i] != *active) continue;
        if (ruleset.settings[i] && ruleset.settings[i]->local_rules == false) return false;
    }
    return true;
}

bool is_whole(const Ruleset& ruleset) {
    return ruleset.has_filters && ruleset.connections && ruleset.settings[0] &&
           ruleset.settings[1] && ruleset.settings[2];
}

}  // namespace

std::vector<std::string> remedy(const Ruleset& ruleset, const Question& question,
                                const Verdict& verdict, const std::optional<std::string>& program) {
    Lines lines;
    if (verdict.kind == VerdictKind::accept) return lines;
    if (!is_whole(ruleset) && verdict.passes != false) {
        lines.emplace_back(
            "# The file does not tell all. This in PowerShell, as administrator, does:");
        lines.emplace_back(collect_command);
        return lines;
    }
    if (const auto& decider = verdict.deciding_rule) {
        const auto index = static_cast<std::size_t>(decider->handle);
        if (decider->handle > 0 && index <= ruleset.rules.size()) {
            const Rule& rule = ruleset.rules[index - 1];
            if (rule.action == Action::block) lift_block(rule, question, lines);
        } else if (decider->text == "AllowInboundRules False") {
            lift_shields(ruleset, question, lines);
        }
    }
    if (!local_rules_count(ruleset, question)) {
        lines.emplace_back(
            "# Under this machine's group policy its own rules do not count "
            "(AllowLocalFirewallRules False): the policy's administrator must add this rule to "
            "it:");
        const std::size_t before = lines.size();
        add_allow(ruleset, question, program, lines);
        lines[before].insert(0, "# ");
        lines.resize(before + 1);
        return lines;
    }
    add_allow(ruleset, question, program, lines);
    return lines;
}

}  // namespace p2pdiag::firewall::windows
