#include "source.hpp"

#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace p2pdiag::capture_plugin {

namespace {

constexpr std::size_t most_interfaces = 16;  // of the helper

// Why the command alone would not help: the kernel ignores a file's capabilities then.
std::string obstacle(const std::filesystem::path& helper) {
    struct statvfs file_system {};
    const bool known = ::statvfs(helper.c_str(), &file_system) == 0;
    if (known && (file_system.f_flag & ST_NOSUID) != 0) {
        return "; it lies on a file system mounted with nosuid, where that has no effect";
    }
    if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
        return "; this session may not gain privileges (no_new_privs), so that has no effect in it";
    }
    return {};
}

}  // namespace

std::vector<net::Interface> worth_listening(const std::vector<net::Interface>& all) {
    std::vector<net::Interface> chosen;
    for (const net::Interface& interface : all) {
        const bool has_address = !interface.addresses.empty();
        const bool loopback = interface.kind == net::LinkKind::loopback;
        if (!interface.up || (!has_address && !loopback)) continue;
        if (chosen.size() < most_interfaces) chosen.push_back(interface);
    }
    return chosen;
}

std::vector<std::string> names_of(const std::vector<net::Interface>& interfaces) {
    std::vector<std::string> names;
    for (const net::Interface& interface : interfaces) names.push_back(interface.name);
    return names;
}

std::string list_of(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::string Refusal::text() const {
    if (command.empty()) return sentence;
    return sentence + "; to allow it (every local user may then capture): " + command;
}

Refusal refusal_of(const HelperResult& result) {
    if (!result.not_permitted()) return {false, result.why(), {}};
    const auto helper = helper_path();
    return {true, "capturing packets is not permitted to this user" + obstacle(helper),
            command_to_allow(helper)};
}

Refusal not_started(int error) {
    const auto helper = helper_path();
    if (error == EACCES || error == EPERM) {
        return {true, "this user may not start " + helper.native(), {}};
    }
    return {false, helper.native() + " cannot be started: " + std::strerror(error), {}};
}

void report_not_permitted(Run& run, Severity severity, const Refusal& refusal) {
    json::object evidence{{"helper", helper_path().native()}, {"command", nullptr}};
    if (!refusal.command.empty()) evidence["command"] = refusal.command;
    run.finding("capture.not-permitted", severity, refusal.text(), json::to_text(evidence));
}

}  // namespace p2pdiag::capture_plugin
