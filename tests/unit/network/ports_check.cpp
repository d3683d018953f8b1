// network.ports and network.limits over real sockets, in a network of their own.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <fake_host.hpp>
#include <fstream>
#include <stdexcept>

#include "base/json.hpp"
#include "checks.hpp"
#include "fake/loopback.hpp"
#include "fake/sandbox.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

constexpr p2pdiag_check ports_check =
    p2pdiag::check<network_plugin::check_ports>({.id = "network.ports", .title = "t"});
constexpr p2pdiag_check limits_check =
    p2pdiag::check<network_plugin::check_limits>({.id = "network.limits", .title = "t"});

// A process that holds a socket, since a check's own are not judged. It ends when the other end of
// a pipe is closed: its owner may have given up the right to send it a signal.
class Holder {
public:
    Holder(int type, const char* local) {
        const Fd fd = open_at(type, *Endpoint::parse(local));
        if (!fd.open()) throw std::runtime_error(local);
        Pipe pipe = make_pipe();
        pid_ = ::fork();
        if (pid_ == 0) {
            pipe.write.reset();
            char byte = 0;
            while (::read(pipe.read.get(), &byte, 1) > 0) {
            }
            ::_exit(0);
        }
        alive_ = std::move(pipe.write);
    }
    ~Holder() {
        alive_.reset();
        ::waitpid(pid_, nullptr, 0);
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    pid_t pid() const { return pid_; }

private:
    pid_t pid_ = -1;
    Fd alive_;
};

struct Outcome {
    p2pdiag_status status = P2PDIAG_ERROR;
    std::vector<std::string> codes;
    json::value data;

    // "status code code …"
    std::string text() const {
        std::string all = std::to_string(status);
        for (const std::string& code : codes) all += " " + code;
        return all;
    }
};

Outcome run(const p2pdiag_check& check, std::string_view input = R"({"target":{"port":8000}})") {
    FakeHost host;
    Outcome outcome;
    outcome.status = host.run(check, input);
    for (const std::string& line : host.emitted()) {
        const json::object message = json::parse(line)->get_object();
        if (const auto code = json::find_string(message, "code")) outcome.codes.emplace_back(*code);
        if (const json::object* data = json::find_object(message, "data")) outcome.data = *data;
    }
    return outcome;
}

std::string words(p2pdiag_status status, const std::string& codes) {
    return std::to_string(status) + (codes.empty() ? "" : " " + codes);
}

void check_inside(const std::function<std::string()>& work, const std::string& wanted) {
    const auto result = in_sandbox({}, work);
    if (result) {
        CHECK(*result == wanted);
    } else {
        WARN("no namespaces here: not tested");
    }
}

}  // namespace

TEST_CASE("a free port, a taken one, one for this machine only") {
    check_inside([] { return run(ports_check).text(); }, words(P2PDIAG_PASS, "net.no-listener"));
    check_inside(
        [] {
            const Holder game(SOCK_DGRAM, "0.0.0.0:8000");
            const Outcome outcome = run(ports_check);
            const json::value& one = outcome.data.at_pointer("/udp/sockets/0/processes/0/pid");
            return outcome.text() + (one == game.pid() ? "" : " of somebody else");
        },
        words(P2PDIAG_PASS, "net.port-in-use net.no-listener"));
    check_inside(
        [] {
            const Holder game(SOCK_DGRAM, "127.0.0.1:8000");
            return run(ports_check).text();
        },
        words(P2PDIAG_FAIL, "net.listener-loopback-only net.no-listener"));
    check_inside(
        [] {
            const Holder web(SOCK_STREAM, "127.0.0.1:8000");
            return run(ports_check).text();
        },
        words(P2PDIAG_WARN, "net.listener-loopback-only net.no-listener"));
    check_inside(
        [] {
            const Holder other(SOCK_DGRAM, "0.0.0.0:8001");
            return run(ports_check).text();
        },
        words(P2PDIAG_PASS, "net.no-listener"));
}

TEST_CASE("what is left of a connection holds a port, but nobody listens") {
    check_inside(
        [] {
            Fd server = open_at(SOCK_STREAM, *Endpoint::parse("127.0.0.1:8000"));
            Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            sockaddr_storage there;
            const socklen_t size = net::to_sockaddr(local_of(server), there);
            ::connect(client.get(), reinterpret_cast<const sockaddr*>(&there), size);
            Fd accepted(::accept(server.get(), nullptr, nullptr));
            // The side that closes first is the one that keeps the port.
            accepted.reset();
            client.reset();
            server.reset();
            const Outcome outcome = run(ports_check);
            return outcome.text() + " " + std::string(outcome.data.at("tcp").at("use").as_string());
        },
        words(P2PDIAG_PASS, "net.port-in-use net.no-listener left-over"));
}

TEST_CASE("without rights: somebody else's program has a user and no name; low ports are refused") {
    const auto as_nobody = [](const char* input) {
        const Holder service(SOCK_DGRAM, "0.0.0.0:8000");
        constexpr uid_t nobody = 65534;
        if (::setresuid(nobody, nobody, nobody) != 0) return std::string("not root");
        const Outcome outcome = run(ports_check, input);
        const json::value& data = outcome.data;
        std::string text = outcome.text();
        if (const auto* sockets = data.at("udp").at("sockets").if_array(); !sockets->empty()) {
            const json::object& one = sockets->at(0).as_object();
            text += one.at("processes").is_null() ? " null " : " named ";
            text += std::string(json::find_string(one, "processes_reason").value_or("no reason"));
            text += one.at("uid") == 0 ? " root" : " other";
        }
        return text;
    };
    const auto check_both = [&](const char* input, const std::string& wanted) {
        const auto result = in_sandbox({}, [&] { return as_nobody(input); });
        if (!result || *result == "not root") {
            WARN("not root: not tested");
        } else {
            CHECK(*result == wanted);
        }
    };
    check_both(R"({"target":{"port":8000}})",
               words(P2PDIAG_PASS, "net.port-in-use net.no-listener null needs-root root"));
    check_both(R"({"target":{"port":80}})", words(P2PDIAG_WARN, "net.port-not-permitted"));
}

TEST_CASE("all ports of the range are taken") {
    check_inside(
        [] {
            std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << "40000 40009";
            std::vector<Fd> held;
            for (int port = 40000; port < 40010; ++port) {
                held.push_back(
                    open_at(SOCK_DGRAM, {IpAddress(), static_cast<std::uint16_t>(port)}));
            }
            const Outcome outcome = run(limits_check);
            return outcome.text() + " " + json::to_text(outcome.data.at("udp_ports").at("used")) +
                   "/" + json::to_text(outcome.data.at("udp_ports").at("limit"));
        },
        words(P2PDIAG_FAIL, "net.ports-exhausted 10/10"));
}

TEST_CASE("the limits of this machine are read whole") {
    const Outcome outcome = run(limits_check);
    CHECK(outcome.status != P2PDIAG_ERROR);
    for (const char* part : {"udp_ports", "tcp_ports", "files", "process_files"}) {
        CAPTURE(part);
        CHECK_FALSE(outcome.data.at(part).is_null());
    }
    CHECK(outcome.data.at("conntrack").is_null() != outcome.data.at("conntrack_reason").is_null());
}
