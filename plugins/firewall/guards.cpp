#include "guards.hpp"

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"
#include "owner.hpp"

namespace p2pdiag::firewall {

namespace {

// A directory or a file that may not be read is there, too.
std::optional<bool> exists(const Sight& sight, const std::string& path) {
    const int error = sight.read_file(path).error;
    if (error == ENOENT || error == ENOTDIR) return false;
    if (error == 0 || error == EISDIR || error == EACCES || error == EPERM) return true;
    return std::nullopt;
}

std::optional<bool> has_rules_of(const World& world, std::string_view owner) {
    if (!world.unseen.empty()) return std::nullopt;
    for (const Ruleset& ruleset : world.rulesets) {
        for (const Chain& chain : ruleset.chains) {
            if (owner_of({&ruleset, &chain, nullptr}) == owner) return true;
        }
    }
    return false;
}

// ENABLED=yes in /etc/ufw/ufw.conf, ufw(8).
std::optional<bool> ufw_is_enabled(const FileText& conf) {
    if (conf.error != 0) return std::nullopt;
    constexpr std::string_view key = "ENABLED=";
    for (std::size_t at = 0; at < conf.text.size();) {
        const std::size_t end = std::min(conf.text.find('\n', at), conf.text.size());
        const std::string_view line = std::string_view(conf.text).substr(at, end - at);
        at = end + 1;
        if (line.starts_with(key)) return line.substr(key.size()).starts_with("yes");
    }
    return std::nullopt;
}

Keeper read_ufw(const Sight& sight, const World& world) {
    Keeper ufw{"ufw", {}, {}, has_rules_of(world, "ufw")};
    const std::string path = "/etc/ufw/ufw.conf";
    ufw.installed = exists(sight, path);
    if (ufw.installed == true) ufw.switched_on = ufw_is_enabled(sight.read_file(path));
    if (ufw.installed == false) ufw.switched_on = false;
    return ufw;
}

// systemd makes the control group of a service while it runs.
Keeper read_firewalld(const Sight& sight, const World& world) {
    Keeper firewalld{"firewalld", {}, {}, has_rules_of(world, "firewalld")};
    firewalld.installed = exists(sight, "/etc/firewalld");
    if (exists(sight, "/sys/fs/cgroup/system.slice") == true) {
        firewalld.switched_on = exists(sight, "/sys/fs/cgroup/system.slice/firewalld.service");
    }
    if (firewalld.installed == false) firewalld.switched_on = false;
    return firewalld;
}

std::string first_word(const FileText& file) {
    return printable(file.text.substr(0, file.text.find_first_of(" \n\0", 0, 3)));
}

std::string read_apparmor(const Sight& sight) {
    const FileText enabled = sight.read_file("/sys/module/apparmor/parameters/enabled");
    if (enabled.error == ENOENT) return "absent";
    if (enabled.error != 0) return "unknown";
    return enabled.text.starts_with('Y') ? "enabled" : "disabled";
}

std::string read_selinux(const Sight& sight) {
    const FileText enforce = sight.read_file("/sys/fs/selinux/enforce");
    if (enforce.error == ENOENT) return "absent";
    if (enforce.error != 0) return "unknown";
    return enforce.text.starts_with('1') ? "enforcing" : "permissive";
}

json::value shown(const std::optional<bool>& truth) {
    return truth ? json::value(*truth) : json::value(nullptr);
}

json::object shown(const Keeper& keeper) {
    return {{"installed", shown(keeper.installed)},
            {"switched_on", shown(keeper.switched_on)},
            {"has_rules", shown(keeper.has_rules)}};
}

}  // namespace

Guards read_guards(const Sight& sight, const World& world) {
    Guards guards;
    guards.ufw = read_ufw(sight, world);
    guards.firewalld = read_firewalld(sight, world);
    guards.apparmor = read_apparmor(sight);
    guards.selinux = read_selinux(sight);
    const FileText current = sight.read_file("/proc/self/attr/current");
    if (current.error == 0) guards.confinement = first_word(current);
    return guards;
}

void judge_guards(const Guards& guards, Judgement& judgement) {
    json::object data{
        {"apparmor", guards.apparmor}, {"selinux", guards.selinux}, {"confinement", nullptr}};
    if (!guards.confinement.empty()) data["confinement"] = guards.confinement;
    for (const Keeper* keeper : {&guards.ufw, &guards.firewalld}) {
        data[keeper->name] = shown(*keeper);
        if (keeper->switched_on != true || keeper->has_rules != false) continue;
        Finding finding;
        finding.code = "firewall.not-loaded";
        finding.severity = Severity::warning;
        finding.message = keeper->name +
                          " is switched on, but none of its rules are in force: what it is meant "
                          "to block is open, and what it opens is opened by nobody.";
        finding.evidence = shown(*keeper);
        judgement.findings.push_back(std::move(finding));
        if (judgement.status == P2PDIAG_PASS) judgement.status = P2PDIAG_WARN;
    }
    judgement.data["guards"] = std::move(data);
}

}  // namespace p2pdiag::firewall
