#include "foreign/windows_filters.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "foreign/windows_values.hpp"
#include "literals.hpp"

namespace p2pdiag::firewall::windows {

namespace {

constexpr std::size_t most_filters_shown = 20;

void read_protocol(const json::value* value, Filters& filters) {
    const auto texts = read_texts(value);
    if (!texts || texts->size() != 1) return;
    std::string text = texts->front();
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (text == "any" || text == "*" || text == "256") {
        filters.any_protocol = true;
        return;
    }
    if (text == "icmpv4") text = "1";
    if (text == "icmpv6") text = "58";
    filters.protocol = protocol_number(text);
    if (filters.protocol) filters.any_protocol = false;
}

// What is there under `key` and is not the plain "any": a user or machine that it holds for.
void read_security(const json::object& object, std::string_view key, std::string_view what,
                   Filters& filters) {
    const Condition<std::string> names = read_names(json::find(object, key));
    if (!names.known || !names.values.empty()) filters.security.words.emplace_back(what);
}

// Members of rules and filters that say nothing of packets, or that were read already.
constexpr std::string_view harmless =
    " Name ID InstanceID DisplayName Group DisplayGroup RuleGroup Description Caption "
    "ElementName CommonName PolicyKeywords PolicyDecisionStrategy PolicyRoles "
    "ConditionListType CreationClassName ExecutionStrategy Mandatory PolicyRuleName "
    "Priority RuleUsage SequencedActions SystemCreationClassName SystemName PrimaryStatus "
    "Status StatusCode PolicyStoreSource PolicyStoreSourceType LooseSourceMapping "
    "PSComputerName PSShowComputerName LSM Platform Platforms CimClass "
    "CimInstanceProperties CimSystemProperties Enabled Direction Action Profile Profiles "
    "EdgeTraversalPolicy EnforcementStatus Owner Protocol LocalPort RemotePort IcmpType "
    "LocalAddress RemoteAddress Program Package Service InterfaceAlias InterfaceType "
    "Authentication Encryption OverrideBlockRules LocalUser RemoteUser RemoteMachine "
    "CommunicationStatus DetailedStatus HealthState InstallDate OperatingStatus "
    "OperationalStatus StatusDescriptions ";

bool says_nothing(const json::value& value) {
    if (value.is_null() || value == json::value(false)) return true;
    const auto texts = read_texts(&value);
    return texts && std::all_of(texts->begin(), texts->end(), [](const std::string& text) {
               return text.empty() || text == "0" || same_text(text, "Any") ||
                      same_text(text, "False");
           });
}

}  // namespace

void read_filters(const json::object& object, Filters& filters) {
    const auto has = [&](const char* key) { return object.contains(key); };
    const auto member = [&](const char* key) { return json::find(object, key); };
    if (has("Protocol")) read_protocol(member("Protocol"), filters);
    if (has("LocalPort")) filters.local_ports = read_ports(member("LocalPort"));
    if (has("RemotePort")) filters.remote_ports = read_ports(member("RemotePort"));
    if (has("LocalAddress")) filters.local_addresses = read_addresses(member("LocalAddress"));
    if (has("RemoteAddress")) filters.remote_addresses = read_addresses(member("RemoteAddress"));
    if (has("Program")) filters.programs = read_names(member("Program"));
    if (has("Package")) filters.packages = read_names(member("Package"));
    if (has("Service")) filters.services = read_names(member("Service"));
    if (has("InterfaceAlias")) filters.interfaces = read_names(member("InterfaceAlias"));
    if (has("InterfaceType")) filters.interface_types = read_names(member("InterfaceType"));
    if (filters.interface_types.values == std::vector<std::string>{"0"})
        filters.interface_types = {true, true, {}, {}, {}};
    if (has("Authentication")) {
        filters.security.known = true;
        filters.authenticated = read_flag(member("Authentication"),
                                          {{"NotRequired", 0}, {"Required", 1}, {"NoEncap", 2}}, 0);
        if (filters.authenticated) filters.authenticated = !*filters.authenticated;
        filters.overrides_blocks =
            read_flag(member("OverrideBlockRules"), {{"False", 0}, {"True", 1}}, 1);
        read_security(object, "LocalUser", "which user runs the program", filters);
        read_security(object, "RemoteUser", "which user sends", filters);
        read_security(object, "RemoteMachine", "which machine of the domain sends", filters);
    }
}

void note_unread(const json::object& object, Rule& rule) {
    for (const auto& [key, value] : object) {
        const std::string_view name(key.data(), key.size());
        const bool known = harmless.find(' ' + std::string(name) + ' ') != std::string_view::npos;
        if (known || says_nothing(value) || rule.unread.size() >= most_filters_shown) continue;
        rule.unread.push_back(printable(name, 40));
    }
}

void read_enforcement(const json::value* value, Rule& rule) {
    const auto texts = read_texts(value);
    if (!texts) {
        if (value != nullptr) rule.unread.emplace_back("EnforcementStatus");
        return;
    }
    const auto is = [](const std::string& text, std::initializer_list<std::string_view> names) {
        return std::any_of(names.begin(), names.end(),
                           [&](std::string_view name) { return same_text(text, name); });
    };
    for (const std::string& text : *texts) {
        if (is(text, {"1", "Full", "Enforced"})) return;
    }
    for (const std::string& text : *texts) {
        if (is(text, {"16", "LocalFirewallRulesDisallowed"})) {
            rule.inert = "rules of this machine do not count under its group policy";
        } else if (!is(text, {"0", "Invalid", "NotApplicable", "2", "FirewallOffInProfile", "4",
                              "DisabledObject", "5", "InactiveProfile", "ProfileInactive"})) {
            rule.unread.push_back("EnforcementStatus " + printable(text, 40));
        }
    }
}

void read_owner(const json::object& object, Filters& filters) {
    read_security(object, "Owner", "which user runs the program", filters);
}

}  // namespace p2pdiag::firewall::windows
