// Programs that keep a firewall, and what else guards the machine.
#include "guards.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <map>

#include "connected.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

Sight files(std::map<std::string, FileText> present) {
    Sight sight;
    sight.read_file = [present = std::move(present)](const std::string& path) {
        const auto found = present.find(path);
        return found == present.end() ? FileText{ENOENT, {}} : found->second;
    };
    return sight;
}

const std::string ufw_conf = "/etc/ufw/ufw.conf";
const std::string slice = "/sys/fs/cgroup/system.slice";

}  // namespace

TEST_CASE("a machine without any keeper") {
    const Guards guards = read_guards(files({{slice, {EISDIR, {}}}}), connected());
    CHECK(guards.ufw.installed == false);
    CHECK(guards.ufw.switched_on == false);
    CHECK(guards.firewalld.installed == false);
    CHECK(guards.apparmor == "absent");
    CHECK(guards.selinux == "absent");
    Judgement judgement;
    judgement.status = P2PDIAG_PASS;
    judge_guards(guards, judgement);
    CHECK(judgement.findings.empty());
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.data.at("guards").at("confinement").is_null());
}

TEST_CASE("switched on, and no rule of it in force") {
    const Sight sight = files({{ufw_conf, {0, "# comment\nENABLED=yes\nLOGLEVEL=low\n"}},
                               {"/etc/firewalld", {EACCES, {}}},
                               {slice, {EISDIR, {}}},
                               {slice + "/firewalld.service", {EISDIR, {}}}});
    const Guards guards = read_guards(sight, connected());
    CHECK(guards.ufw.switched_on == true);
    CHECK(guards.ufw.has_rules == false);
    CHECK(guards.firewalld.switched_on == true);
    Judgement judgement;
    judgement.status = P2PDIAG_PASS;
    judge_guards(guards, judgement);
    REQUIRE(judgement.findings.size() == 2);
    CHECK(judgement.findings[0].code == "firewall.not-loaded");
    CHECK(judgement.status == P2PDIAG_WARN);
}

TEST_CASE("what cannot be seen is not missing") {
    World unseen = connected();
    unseen.unseen = {{"the nftables rules", "only root may read it"}};
    const Guards guards = read_guards(files({{ufw_conf, {0, "ENABLED=yes\n"}}}), unseen);
    CHECK_FALSE(guards.ufw.has_rules.has_value());
    // Without systemd nobody knows whether firewalld runs.
    CHECK(guards.firewalld.switched_on == false);
    CHECK_FALSE(
        read_guards(files({{"/etc/firewalld", {EACCES, {}}}}), unseen).firewalld.switched_on);
    Judgement judgement;
    judge_guards(guards, judgement);
    CHECK(judgement.findings.empty());
    CHECK_FALSE(read_guards(files({{ufw_conf, {EACCES, {}}}}), unseen).ufw.switched_on);
    CHECK_FALSE(read_guards(files({{ufw_conf, {0, "ENABLE"}}}), unseen).ufw.switched_on);
}

TEST_CASE("AppArmor and SELinux") {
    const Guards guards =
        read_guards(files({{"/sys/module/apparmor/parameters/enabled", {0, "Y\n"}},
                           {"/sys/fs/selinux/enforce", {0, "0"}},
                           {"/proc/self/attr/current", {0, "/usr/bin/p2pdiag (enforce)\n"}}}),
                    connected());
    CHECK(guards.apparmor == "enabled");
    CHECK(guards.selinux == "permissive");
    CHECK(guards.confinement == "/usr/bin/p2pdiag");
    CHECK(read_guards(files({{"/sys/fs/selinux/enforce", {EACCES, {}}}}), connected()).selinux ==
          "unknown");
}
