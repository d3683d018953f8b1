// Limits that are far, near and reached.
#include <catch2/catch.hpp>

#include "limits_state.hpp"

using namespace p2pdiag;
using namespace p2pdiag::network_plugin;
using net::Socket;
using net::SocketState;
using net::SocketTable;

namespace {

using Codes = std::vector<std::string>;

Codes codes(const Judgement& judgement) {
    Codes all;
    for (const Finding& finding : judgement.findings) all.push_back(finding.code);
    return all;
}

Limits roomy() {
    Limits limits;
    limits.conntrack = Amount{100, 1000};
    limits.udp_ports = PortAmount{{10, 1000}, {}, 0};
    limits.tcp_ports = PortAmount{{10, 1000}, {}, 0};
    limits.files = Amount{1000, 100000};
    limits.process_files = 1024;
    limits.process_files_hard = 4096;
    return limits;
}

Socket socket(Transport transport, const char* local, const char* remote = nullptr) {
    Socket made;
    made.transport = transport;
    made.local = *Endpoint::parse(local);
    made.family = made.local.address.family();
    if (made.family == Family::ipv6) made.v6only = false;
    if (remote != nullptr) {
        made.remote = Endpoint::parse(remote);
        made.state = SocketState::connected;
    }
    return made;
}

}  // namespace

TEST_CASE("a machine with room") {
    const Judgement judgement = judge(roomy());
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.findings.empty());
    CHECK(judgement.summary ==
          "Room for more: 10 of 1000 UDP ports and 10 of 1000 TCP ports used, 100 of 1000 tracked "
          "connections");
    CHECK(judgement.data.at("conntrack").at("limit") == 1000);
    CHECK(judgement.data.at("process_files") == 1024);
}

TEST_CASE("connection tracking") {
    Limits limits = roomy();
    limits.conntrack = Amount{899, 1000};
    CHECK(judge(limits).status == P2PDIAG_PASS);
    limits.conntrack = Amount{900, 1000};
    CHECK(judge(limits).status == P2PDIAG_WARN);
    CHECK(codes(judge(limits)) == Codes{"net.conntrack-full"});
    limits.conntrack = Amount{1000, 1000};
    CHECK(judge(limits).status == P2PDIAG_FAIL);
    CHECK(judge(limits).findings[0].severity == Severity::error);
    limits.conntrack.reset();
    limits.conntrack_reason = "not-loaded";
    CHECK(judge(limits).status == P2PDIAG_PASS);
    limits.conntrack_reason = "not-readable";
    CHECK(judge(limits).status == P2PDIAG_UNKNOWN);
    CHECK(judge(limits).summary == "Not every limit could be read: connection tracking");
    // What is known to be full is said all the same.
    limits.udp_ports->ports.used = 1000;
    CHECK(judge(limits).status == P2PDIAG_FAIL);
}

TEST_CASE("ports") {
    Limits limits = roomy();
    limits.udp_ports->ports.used = 950;
    CHECK(judge(limits).status == P2PDIAG_WARN);
    limits.udp_ports->ports.used = 1000;
    CHECK(judge(limits).status == P2PDIAG_FAIL);
    CHECK(codes(judge(limits)) == Codes{"net.ports-exhausted"});
    CHECK(judge(limits).findings[0].evidence.at("protocol") == "udp");
    // Connections share ports.
    limits = roomy();
    limits.tcp_ports->ports.used = 1000;
    CHECK(judge(limits).status == P2PDIAG_WARN);
    limits.tcp_ports->busiest = Endpoint::parse("192.0.2.1:80");
    limits.tcp_ports->to_busiest = 1000;
    CHECK(judge(limits).status == P2PDIAG_FAIL);
    CHECK(judge(limits).findings[1].evidence.at("destination") == "192.0.2.1:80");
    limits.tcp_ports.reset();
    limits.ports_reason = "no-table";
    CHECK(judge(limits).status == P2PDIAG_UNKNOWN);
    CHECK(judge(limits).data.at("tcp_ports").is_null());
}

TEST_CASE("files") {
    Limits limits = roomy();
    limits.files = Amount{95000, 100000};
    CHECK(judge(limits).status == P2PDIAG_WARN);
    limits.files = Amount{100000, 100000};
    CHECK(judge(limits).status == P2PDIAG_FAIL);
    limits = roomy();
    limits.process_files = 256;
    CHECK(judge(limits).status == P2PDIAG_WARN);
    CHECK(codes(judge(limits)) == Codes{"net.files-exhausted"});
    CHECK(judge(limits).findings[0].evidence.at("scope") == "process");
}

TEST_CASE("numbers near the end of what a number can hold") {
    constexpr std::uint64_t most = ~std::uint64_t{0} >> 1;
    CHECK_FALSE(Amount{1000, most}.near());
    CHECK(Amount{most, most}.full());
    CHECK(Amount{0, 0}.full());
}

TEST_CASE("which ports of the range are taken") {
    const PortRange range{40000, 40009};
    SocketTable table;
    table.sockets = {
        socket(Transport::udp, "0.0.0.0:40000"),       socket(Transport::udp, "192.168.1.7:40000"),
        socket(Transport::udp, "192.168.1.7:40001"),   socket(Transport::udp, "[::]:40002"),
        socket(Transport::udp, "[2001:db8::7]:40003"), socket(Transport::udp, "0.0.0.0:50000"),
        socket(Transport::tcp, "0.0.0.0:40005")};
    const auto udp = count_ports(table, Transport::udp, range, {});
    REQUIRE(udp.has_value());
    CHECK(udp->ports.limit == 10);
    CHECK(udp->ports.used == 3);  // of IPv4: 40000, 40001, 40002
    table.sockets[3].v6only = true;
    CHECK(count_ports(table, Transport::udp, range, {})->ports.used == 2);
    const auto rest = count_ports(table, Transport::udp, range, {{40000, 40004}});
    CHECK(rest->ports.limit == 5);
    CHECK(rest->ports.used == 0);
    table.complete = false;
    CHECK_FALSE(count_ports(table, Transport::udp, range, {}));
}

TEST_CASE("the place that most connections lead to") {
    const PortRange range{40000, 40009};
    SocketTable table;
    table.sockets = {socket(Transport::tcp, "10.0.0.1:40000", "192.0.2.1:80"),
                     socket(Transport::tcp, "10.0.0.1:40001", "192.0.2.1:80"),
                     socket(Transport::tcp, "10.0.0.1:40001", "192.0.2.2:80"),
                     socket(Transport::tcp, "10.0.0.1:22", "192.0.2.3:1")};
    const auto tcp = count_ports(table, Transport::tcp, range, {});
    REQUIRE(tcp.has_value());
    CHECK(tcp->ports.used == 2);
    CHECK(tcp->busiest == Endpoint::parse("192.0.2.1:80"));
    CHECK(tcp->to_busiest == 2);
    CHECK_FALSE(count_ports({}, Transport::tcp, range, {})->busiest);
}

TEST_CASE("the file table") {
    CHECK(parse_file_numbers("1018\t0\t2466160\n")->used == 1018);
    CHECK(parse_file_numbers("1018\t0\t9223372036854775807\n")->limit == 9223372036854775807U);
    for (const char* text : {"", "1", "1\t2", "a\t0\t1", "1\t0\t"}) {
        CHECK_FALSE(parse_file_numbers(text));
    }
}
