// Who holds a socket: this process, another user's, nobody that is visible.
#include "net/socket_holders.hpp"

#include <sys/stat.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include <filesystem>

#include "fake/loopback.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

std::uint64_t inode_of(const Fd& fd) {
    struct stat status {};
    ::fstat(fd.get(), &status);
    return status.st_ino;
}

TimePoint soon() { return Clock::now() + std::chrono::minutes(5); }

Fd some_socket() { return open_at(SOCK_DGRAM, {any_loopback_address(), 0}); }

// What `work` says when the user nobody does it; 127 where this process may not become nobody.
template <class Work>
int as_nobody(const Work& work) {
    constexpr uid_t nobody = 65534;
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (::setresuid(nobody, nobody, nobody) != 0) ::_exit(127);
        ::_exit(work());
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a socket of this process is found with what is known of it") {
    const Fd socket = some_socket();
    const auto found = net::socket_holders({inode_of(socket)}, soon());
    CHECK_FALSE(found.cut);
    REQUIRE(found.of_inode.count(inode_of(socket)) == 1);
    const net::Process& process = found.of_inode.at(inode_of(socket)).front();
    CHECK(process.pid == ::getpid());
    CHECK(process.name == "unit_net");
    CHECK(process.uid == ::geteuid());
    CHECK(process.parent == ::getppid());
    REQUIRE(process.executable.has_value());
    CHECK(*process.executable == std::filesystem::read_symlink("/proc/self/exe").string());
    if (::geteuid() == 0) CHECK(process.user == "root");
}

TEST_CASE("a socket that no process holds") {
    const auto found = net::socket_holders({1}, soon());
    CHECK(found.of_inode.empty());
    CHECK_FALSE(found.cut);
}

TEST_CASE("without the time to look, that is said") {
    const Fd socket = some_socket();
    const auto found = net::socket_holders({inode_of(socket)}, Clock::now());
    CHECK(found.cut);
    CHECK(found.of_inode.empty());
}

TEST_CASE("another user sees that something was hidden") {
    const Fd socket = some_socket();
    const std::uint64_t inode = inode_of(socket);
    const int outcome = as_nobody([&] {
        const auto found = net::socket_holders({inode}, soon());
        // The child has the socket too, but a process that gave up rights may not look at itself
        // either, so only the refusal is sure.
        return found.denied ? 0 : 1;
    });
    if (outcome == 127) {
        WARN("not root: not tested");
    } else {
        CHECK(outcome == 0);
    }
}

TEST_CASE("links to sockets") {
    CHECK(net::parse_socket_link("socket:[123]") == 123);
    for (const char* other : {"socket:[]", "socket:[12", "socket:[-1]", "socket:[1]x", "pipe:[123]",
                              "/tmp/socket:[1]", "", "socket:[99999999999999999999]"}) {
        CHECK_FALSE(net::parse_socket_link(other));
    }
}

TEST_CASE("the unit in a list of control groups") {
    const auto unit = [](const char* text) {
        const auto found = net::parse_cgroup_unit(text);
        return found ? (found->of_user ? "user " : "") + found->name : std::string("none");
    };
    CHECK(unit("0::/system.slice/nginx.service\n") == "nginx.service");
    CHECK(unit("0::/system.slice/system-getty.slice/getty@tty1.service") == "getty@tty1.service");
    CHECK(unit("12:pids:/x.service\n1:name=systemd:/system.slice/cron.service\n") ==
          "cron.service");
    CHECK(unit("0::/user.slice/user-1000.slice/session-3.scope\n") == "session-3.scope");
    CHECK(unit("0::/user.slice/user-1000.slice/user@1000.service/app.slice/game.service\n") ==
          "user game.service");
    CHECK(unit("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n") ==
          "user init.scope");
    CHECK(unit("0::/system.slice/docker-0123.scope/child.service") == "docker-0123.scope");
    CHECK(unit("0::/system.slice/_cgroup.service") == "cgroup.service");
    for (const char* none : {"", "0::/\n", "0::/docker/0123\n", "0::", "0:", "nonsense",
                             "::::", "3:cpu:/a.service\n"}) {
        CHECK(unit(none) == "none");
    }
}

TEST_CASE("users in status and passwd") {
    CHECK(net::parse_status_uid("Name:\tx\nUid:\t1000\t1001\t1002\t1003\n") == 1001U);
    for (const char* none : {"", "Uid:", "Uid:\t1", "Uid:\t1\tx\t", "Uid: 1 2 3 4"}) {
        CHECK_FALSE(net::parse_status_uid(none));
    }
    CHECK(net::parse_status_parent("Name:\tPPid:\t1\nPPid:\t77\n") == 77);
    CHECK_FALSE(net::parse_status_parent("PPid:\t\n"));
    const char* passwd = "root:x:0:0:root:/root:/bin/bash\n:x:7:\nbroken\nalice:x:1000:1000::/:/\n";
    CHECK(net::parse_passwd_name(passwd, 0) == "root");
    CHECK(net::parse_passwd_name(passwd, 1000) == "alice");
    CHECK_FALSE(net::parse_passwd_name(passwd, 7));
    CHECK_FALSE(net::parse_passwd_name(passwd, 1));
    CHECK_FALSE(net::parse_passwd_name("", 0));
}
