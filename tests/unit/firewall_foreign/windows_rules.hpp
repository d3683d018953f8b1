// Documents of Windows' rules, made of what a test is about.
#pragma once

#include <utility>
#include <vector>

#include "files.hpp"

namespace p2pdiag::firewall {

using Members = std::vector<std::pair<std::string, std::string>>;  // values as JSON

// Members of the second take the place of those of the first.
inline std::string object(Members members, const Members& others) {
    for (const auto& [key, value] : others) {
        bool found = false;
        for (auto& member : members) {
            if (member.first != key) continue;
            member.second = value;
            found = true;
        }
        if (!found) members.emplace_back(key, value);
    }
    std::string text = "{";
    for (const auto& [key, value] : members) {
        if (text.size() > 1) text += ',';
        text += '"' + key + "\":" + value;
    }
    return text + '}';
}

// Enabled, incoming, UDP to port 8000, allowed, of this machine; for every profile and everybody.
inline std::string rule(const std::string& name, const Members& others = {}) {
    return object({{"InstanceID", '"' + name + '"'},
                   {"DisplayName", '"' + name + '"'},
                   {"Enabled", "1"},
                   {"Direction", "1"},
                   {"Action", "2"},
                   {"Profile", "0"},
                   {"PolicyStoreSourceType", "1"},
                   {"EdgeTraversalPolicy", "0"},
                   {"Protocol", "\"UDP\""},
                   {"LocalPort", "\"8000\""},
                   {"RemotePort", "\"Any\""},
                   {"LocalAddress", "\"Any\""},
                   {"RemoteAddress", "\"Any\""},
                   {"Program", "\"Any\""},
                   {"Package", "null"},
                   {"Service", "\"Any\""},
                   {"InterfaceAlias", "\"Any\""},
                   {"InterfaceType", "0"},
                   {"Authentication", "0"},
                   {"OverrideBlockRules", "false"},
                   {"LocalUser", "\"Any\""},
                   {"RemoteUser", "\"Any\""},
                   {"RemoteMachine", "\"Any\""}},
                  others);
}

inline std::string block(const std::string& name, Members others = {}) {
    others.emplace_back("Action", "4");
    return rule(name, others);
}

struct Machine {
    Members settings;  // of all three profiles
    std::string connections = R"([{"InterfaceAlias":"Wi-Fi","NetworkCategory":1}])";
    std::string ip =
        R"([{"InterfaceAlias":"Wi-Fi","IPAddress":"192.168.1.23","PrefixLength":24,"AddressState":4}])";
};

// By default as Windows comes: on, incoming blocked, outgoing allowed; one private network.
inline std::string document(const std::vector<std::string>& rules, const Machine& machine = {}) {
    std::string profiles;
    for (const char* name : {"Domain", "Private", "Public"}) {
        if (!profiles.empty()) profiles += ',';
        profiles += object({{"Name", '"' + std::string(name) + '"'},
                            {"Enabled", "1"},
                            {"DefaultInboundAction", "0"},
                            {"DefaultOutboundAction", "0"},
                            {"AllowInboundRules", "2"},
                            {"AllowLocalFirewallRules", "2"},
                            {"DisabledInterfaceAliases", "[\"NotConfigured\"]"}},
                           machine.settings);
    }
    std::string all;
    for (const std::string& one : rules) all += (all.empty() ? "" : ",") + one;
    return R"({"format":"p2pdiag-windows-firewall","version":1,"profiles":[)" + profiles +
           R"(],"ports":[],"rules":[)" + all + R"(],"connections":)" + machine.connections +
           R"(,"ip":)" + machine.ip + '}';
}

inline VerdictKind kind_of(const std::vector<std::string>& rules, const Packet& packet,
                           const Machine& machine = {},
                           const std::optional<std::string>& program = std::nullopt) {
    return verdict_of(document(rules, machine), packet, program).kind;
}

}  // namespace p2pdiag::firewall
