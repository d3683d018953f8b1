// What made-up situations of the target port mean.
#include <catch2/catch.hpp>

#include <cerrno>

#include "port_state.hpp"

using namespace p2pdiag;
using namespace p2pdiag::network_plugin;
using net::Socket;
using net::SocketState;

namespace {

using Codes = std::vector<std::string>;

Codes codes(const Judgement& judgement) {
    Codes all;
    for (const Finding& finding : judgement.findings) all.push_back(finding.code);
    return all;
}

ErrorCode error(int number) { return {number, boost::system::system_category()}; }

// Port 8000, free everywhere, on a machine that reaches the internet from 192.168.1.7.
PortState free_port() {
    PortState state;
    state.port = 8000;
    for (const Transport transport : {Transport::udp, Transport::tcp}) {
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            state.trials.push_back({transport, family, {}});
        }
    }
    state.ephemeral = PortRange{32768, 60999};
    state.reserved.emplace();
    state.unprivileged_start = 1024;
    state.doorways = {{*IpAddress::parse("192.168.1.7"), 2}};
    state.users = {{1000, "alice"}};
    state.self.pid = 50;
    state.self.parent = 40;
    state.self.executable = "/usr/bin/p2pdiag";
    return state;
}

void fail(PortState& state, Transport transport, int number) {
    for (PortTrial& trial : state.trials) {
        if (trial.transport == transport) trial.error = error(number);
    }
}

// A socket of process 4711, and the port taken by it.
Socket& add(PortState& state, Transport transport, const char* address,
            SocketState in = SocketState::bound) {
    Socket socket;
    socket.transport = transport;
    socket.local = {*IpAddress::parse(address), state.port};
    socket.family = socket.local.address.family();
    socket.state =
        transport == Transport::tcp && in == SocketState::bound ? SocketState::listening : in;
    socket.interface = 0;
    if (socket.family == Family::ipv6) socket.v6only = false;
    socket.inode = 100 + state.sockets.sockets.size();
    socket.uid = 1000;
    net::Process game;
    game.pid = 4711;
    game.name = "game";
    game.uid = 1000;
    game.user = "alice";
    game.unit = net::SystemdUnit{"game.service", false};
    state.holders.of_inode[socket.inode] = {game};
    fail(state, transport, EADDRINUSE);
    state.sockets.sockets.push_back(socket);
    return state.sockets.sockets.back();
}

}  // namespace

TEST_CASE("a free port is no fault") {
    const Judgement judgement = judge(free_port());
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(codes(judgement) == Codes{"net.no-listener"});
    CHECK(judgement.findings[0].severity == Severity::info);
    CHECK(judgement.summary == "Port 8000 is free by UDP and TCP; no program listens on it yet");
    const json::value data = judgement.data;
    CHECK(data.at_pointer("/udp/use") == "free");
    CHECK(data.at_pointer("/udp/ipv4/bind") == "free");
    CHECK(data.at_pointer("/tcp/ipv6/exposure") == "none");
    CHECK(data.at("ephemeral") == false);
    CHECK(data.at("reserved") == false);
}

TEST_CASE("a machine without IPv6 has a free port as well") {
    PortState state = free_port();
    for (PortTrial& trial : state.trials) {
        if (trial.family == Family::ipv6) trial.error = error(EAFNOSUPPORT);
    }
    CHECK(judge(state).status == P2PDIAG_PASS);
    CHECK(judge(state).data.at("udp").at("ipv6").at("bind") == "unsupported");
}

TEST_CASE("a program that listens for everybody is the normal case") {
    PortState state = free_port();
    add(state, Transport::udp, "0.0.0.0");
    const Judgement judgement = judge(state);
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(codes(judgement) == Codes{"net.port-in-use", "net.no-listener"});
    CHECK(judgement.findings[0].severity == Severity::info);
    CHECK(judgement.summary ==
          "UDP port 8000: game (process 4711, user alice, unit game.service) listens on every "
          "IPv4 address; TCP: free");
    const json::value evidence = judgement.findings[0].evidence;
    CHECK(evidence.at("protocol") == "udp");
    CHECK(evidence.at_pointer("/sockets/0/address") == "0.0.0.0:8000");
    CHECK(evidence.at_pointer("/sockets/0/processes/0/pid") == 4711);
    CHECK(evidence.at_pointer("/sockets/0/processes/0/user") == "alice");
    CHECK(evidence.at_pointer("/sockets/0/processes/0/unit") == "game.service");
    CHECK(evidence.at_pointer("/ipv4/exposure") == "everywhere");
    CHECK(evidence.at_pointer("/ipv6/exposure") == "none");
    CHECK(judgement.findings[1].evidence.at("protocols") == json::array{"tcp"});
}

TEST_CASE("a socket of IPv6 for both families") {
    PortState state = free_port();
    add(state, Transport::udp, "::");
    CHECK(judge(state).summary.find("listens on every address; TCP: free") != std::string::npos);
    state.sockets.sockets[0].v6only = true;
    state.doorways.push_back({*IpAddress::parse("2001:db8::7"), 2});
    CHECK(judge(state).summary.find("listens on every IPv6 address") != std::string::npos);
    // Where packets come by IPv4 alone, that is nowhere.
    state.doorways.pop_back();
    CHECK(judge(state).findings[0].code == "net.listener-elsewhere");
}

TEST_CASE("a listener on loopback alone fails by UDP, and is a warning by TCP") {
    PortState state = free_port();
    add(state, Transport::udp, "127.0.0.1");
    Judgement judgement = judge(state);
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(codes(judgement) == Codes{"net.listener-loopback-only", "net.no-listener"});
    CHECK(judgement.findings[0].severity == Severity::error);
    CHECK(judgement.data.at("udp").at("use") == "loopback");

    state = free_port();
    add(state, Transport::tcp, "::1");
    add(state, Transport::tcp, "127.0.0.53");
    judgement = judge(state);
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(judgement.findings[0].code == "net.listener-loopback-only");
    CHECK(judgement.findings[0].severity == Severity::warning);

    add(state, Transport::tcp, "0.0.0.0");
    CHECK(codes(judge(state)) == Codes{"net.port-in-use", "net.no-listener"});
}

TEST_CASE("a listener where no packet from the internet comes in") {
    PortState state = free_port();
    add(state, Transport::udp, "172.17.0.1");
    const Judgement judgement = judge(state);
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(judgement.findings[0].code == "net.listener-elsewhere");
    CHECK(judgement.findings[0].message.find("192.168.1.7") != std::string::npos);
    add(state, Transport::udp, "192.168.1.7");
    CHECK(judge(state).findings[0].code == "net.port-in-use");
    // Without a way to the internet, no address is the wrong one.
    state.sockets.sockets.pop_back();
    state.doorways.clear();
    CHECK(judge(state).findings[0].code == "net.port-in-use");
}

TEST_CASE("a socket that may serve others leaves it open") {
    PortState state = free_port();
    add(state, Transport::udp, "::").v6only.reset();
    state.sockets.sockets[0].interface.reset();
    const Judgement judgement = judge(state);
    CHECK(judgement.status == P2PDIAG_UNKNOWN);
    CHECK(judgement.data.at("udp").at("use") == "perhaps");
    CHECK(judgement.data.at("udp").at("ipv4").at("exposure").is_null());
}

TEST_CASE("taken, but nobody listens") {
    PortState state = free_port();
    add(state, Transport::udp, "0.0.0.0", SocketState::connected);
    CHECK(judge(state).status == P2PDIAG_WARN);
    CHECK(judge(state).findings[0].code == "net.port-in-use");
    CHECK(judge(state).data.at("udp").at("use") == "silent");

    state = free_port();
    add(state, Transport::tcp, "0.0.0.0").state = SocketState::bound;
    CHECK(judge(state).data.at("tcp").at("use") == "silent");

    state = free_port();
    add(state, Transport::tcp, "192.168.1.7", SocketState::closing).inode = 0;
    const Judgement judgement = judge(state);
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.data.at("tcp").at("use") == "left-over");
    CHECK(codes(judgement) == Codes{"net.port-in-use", "net.no-listener"});
}

TEST_CASE("taken by what is not in the table") {
    PortState state = free_port();
    fail(state, Transport::udp, EADDRINUSE);
    CHECK(judge(state).status == P2PDIAG_WARN);
    CHECK(judge(state).findings[0].code == "net.port-in-use");
    CHECK(judge(state).data.at("udp").at("use") == "invisible");
    state.unreadable = error(EACCES);
    CHECK(judge(state).data.at("sockets_reason") == "Permission denied");
    CHECK(judge(state).data.at("udp").at("ipv4").at("exposure").is_null());
    // That nobody has the other one, its trial says without any table.
    CHECK(judge(state).data.at("tcp").at("use") == "free");
}

TEST_CASE("a program that may not be seen: its user, and how to learn more") {
    PortState state = free_port();
    add(state, Transport::udp, "0.0.0.0");
    state.holders.of_inode.clear();
    state.holders.denied = true;
    Judgement judgement = judge(state);
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.summary.find("a program of user alice (sudo p2pdiag run network.ports names "
                                 "it) listens on every") != std::string::npos);
    const json::value data = judgement.data;
    CHECK(data.at_pointer("/udp/sockets/0/processes").is_null());
    CHECK(data.at_pointer("/udp/sockets/0/processes_reason") == "needs-root");
    state.self.uid = 0;
    judgement = judge(state);
    CHECK(judgement.summary.find("sudo") == std::string::npos);
    CHECK(judgement.data.at("udp").at("sockets").at(0).at("processes_reason") == "not-permitted");
    state.holders.denied = false;
    judgement = judge(state);
    CHECK(judgement.data.at("udp").at("sockets").at(0).at("processes_reason") == "not-visible");
}

TEST_CASE("ports that are not for everybody") {
    PortState state = free_port();
    state.port = 80;
    fail(state, Transport::udp, EACCES);
    fail(state, Transport::tcp, EACCES);
    Judgement judgement = judge(state);
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(codes(judgement) == Codes{"net.port-not-permitted"});
    CHECK(judgement.findings[0].evidence.at("reason") == "privileged");
    CHECK(judgement.findings[0].message.find("ip_unprivileged_port_start=80") != std::string::npos);
    state.port = 8000;
    judgement = judge(state);
    CHECK(judgement.findings[0].evidence.at("reason") == "forbidden");
    // Who listens there already does not mind.
    state.port = 80;
    add(state, Transport::udp, "0.0.0.0");
    fail(state, Transport::udp, EACCES);
    add(state, Transport::tcp, "0.0.0.0");
    fail(state, Transport::tcp, EACCES);
    CHECK(codes(judge(state)) == Codes{"net.port-in-use", "net.port-in-use"});
}

TEST_CASE("a port that the system may give to anybody") {
    PortState state = free_port();
    state.port = 45000;
    state.reserved = std::vector{PortRange{9000, 9010}, PortRange{50000, 50000}};
    Judgement judgement = judge(state);
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(codes(judgement) == Codes{"net.no-listener", "net.port-ephemeral"});
    CHECK(judgement.findings[1].evidence.at("command") ==
          "sudo sysctl net.ipv4.ip_local_reserved_ports=9000-9010,50000,45000");
    state.reserved->push_back({44000, 46000});
    CHECK(codes(judge(state)) == Codes{"net.no-listener"});
    CHECK(judge(state).data.at("reserved") == true);
    // Not known which ports are reserved: nothing is claimed.
    state.reserved.reset();
    CHECK(codes(judge(state)) == Codes{"net.no-listener"});
    CHECK(judge(state).data.at("reserved").is_null());
}

TEST_CASE("a trial that came to nothing is not taken for anything") {
    PortState state = free_port();
    fail(state, Transport::udp, EMFILE);
    CHECK(judge(state).status == P2PDIAG_UNKNOWN);
    CHECK(judge(state).data.at("udp").at("use") == "unclear");
    CHECK(codes(judge(state)) == Codes{"net.no-listener"});  // of TCP
}

TEST_CASE("a port that another check of the run holds is not judged") {
    PortState state = free_port();
    net::Process& holder = state.holders.of_inode[add(state, Transport::udp, "0.0.0.0").inode][0];
    holder.pid = 51;
    holder.parent = 40;
    holder.executable = "/usr/bin/p2pdiag";
    CHECK(judge(state).status == P2PDIAG_UNKNOWN);
    CHECK(judge(state).data.at("udp").at("use") == "own-run");
    holder.executable = "/usr/bin/game";
    CHECK(judge(state).data.at("udp").at("use") == "reachable");
    holder.executable = "/usr/bin/p2pdiag";
    holder.parent = 41;
    CHECK(judge(state).data.at("udp").at("use") == "reachable");
}

TEST_CASE("names that are no text, and thousands of sockets") {
    PortState state = free_port();
    for (int i = 0; i < 3000; ++i) add(state, Transport::tcp, "0.0.0.0", SocketState::connected);
    add(state, Transport::tcp, "0.0.0.0");
    for (auto& [inode, holders] : state.holders.of_inode) holders[0].name = "\x1b[2J\xff";
    const Judgement judgement = judge(state);
    CHECK(judgement.summary.find("?[2J? (process 4711") != std::string::npos);
    const json::value data = judgement.data;
    CHECK(data.at_pointer("/tcp/sockets").as_array().size() == 32);
    CHECK(data.at_pointer("/tcp/sockets/0/state") == "listening");
    CHECK(data.at_pointer("/tcp/sockets_left_out") == 2969);
    CHECK(json::parse(json::to_text(judgement.data)).has_value());
}

TEST_CASE("the kernel's settings for ports") {
    CHECK(parse_port_range("32768\t60999\n") == PortRange{32768, 60999});
    for (const char* text : {"", "32768", "32768 ", "60999 32768", "1 70000", "a b", "1 2 3"}) {
        CHECK_FALSE(parse_port_range(text));
    }
    CHECK(parse_port_list("\n") == std::vector<PortRange>());
    CHECK(parse_port_list("8000,9000-9010\n") ==
          std::vector{PortRange{8000, 8000}, PortRange{9000, 9010}});
    for (const char* text : {"8000,x", "9-8", "-", "1-2-3", ",1", "65536"}) {
        CHECK_FALSE(parse_port_list(text));
    }
    CHECK(parse_setting("1024\n") == 1024U);
    for (const char* text : {"", "-1", "1 2", "x", "99999999999999999999"}) {
        CHECK_FALSE(parse_setting(text));
    }
}
