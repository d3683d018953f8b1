// What `firewall check` was asked, and what it prints.
#include "check_report.hpp"

#include <catch2/catch.hpp>

#include "check_request.hpp"
#include "connected.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

json::object arguments(const std::string& options) {
    return json::parse(R"({"command":"check","options":)" + options +
                       R"(,"input":{"target":{"port":7000}}})")
        ->get_object();
}

CheckReport report_of(const World& world, std::uint16_t port,
                      const std::vector<std::uint8_t>& protocols = {protocol_udp, protocol_tcp}) {
    CheckReport report;
    Inquiry inquiry;
    inquiry.port = port;
    inquiry.protocols = protocols;
    for (const Asked& asked : ask_inbound(world, find_entrances(world), inquiry)) {
        report.lines.push_back({asked, std::nullopt, {}});
    }
    return report;
}

net::Socket udp_socket(const char* address, std::uint16_t port, std::uint64_t inode) {
    net::Socket socket;
    socket.local = {ip(address), port};
    socket.family = socket.local.address.family();
    socket.inode = inode;
    socket.interface = 0;
    socket.v6only = true;
    return socket;
}

Listening listening_at(const Listeners& listeners, const World& world, std::uint16_t port) {
    Inquiry inquiry;
    inquiry.port = port;
    inquiry.protocols = {protocol_udp};
    const auto asked = ask_inbound(world, find_entrances(world), inquiry);
    return find_listener(world, listeners, asked.front())->listening;
}

}  // namespace

TEST_CASE("options, and what stands for those that are not given") {
    const auto bare = read_check_request(arguments("{}"));
    REQUIRE(bare.has_value());
    CHECK(bare->inquiry.port == 7000);
    CHECK(bare->inquiry.protocols.size() == 2);
    CHECK_FALSE(bare->inquiry.source.has_value());
    CHECK_FALSE(bare->as_json);
    const auto full = read_check_request(arguments(
        R"({"port":8000,"protocol":"udp","from":"fd00::1","ruleset":["a","b"],"interface":"eth0",)"
        R"("trace":true,"format":"json","program":"C:\\a.exe"})"));
    REQUIRE(full.has_value());
    CHECK(full->inquiry.port == 8000);
    CHECK(full->inquiry.protocols == std::vector<std::uint8_t>{protocol_udp});
    CHECK(full->inquiry.source == ip("fd00::1"));
    CHECK(full->files == std::vector<std::string>{"a", "b"});
    CHECK(full->trace);
    CHECK(full->as_json);
    const auto wrong = read_check_request(arguments(R"({"from":"example.org\u001b"})"));
    REQUIRE_FALSE(wrong.has_value());
    CHECK(wrong.error().message == "--from: example.org? is no IP address");
}

TEST_CASE("exit codes") {
    CHECK(exit_code(report_of(connected(), 8000)) == 0);
    CHECK(exit_code(report_of(connected("14-established"), 8000)) == 1);
    CHECK(exit_code(report_of(connected("07-ipv4-only"), 8000)) == 1);
    CHECK(exit_code(report_of(connected("16-limit"), 4000, {protocol_udp})) == 3);
    // Not known is only whether it is dropped or rejected.
    CHECK(exit_code(report_of(connected("10-reject-and-drop"), 4000, {protocol_udp})) == 1);
    CHECK(exit_code({}) == 3);
}

TEST_CASE("as text and as JSON") {
    const CheckReport report = report_of(connected("03-early-drop-late-accept"), 8000);
    const std::string text = to_text(report, false);
    CHECK(text.find("UDP 8000 by IPv4 on vb: drop\n") == 0);
    CHECK(text.find("TCP 8000 by IPv6 on vb: drop\n") != std::string::npos);
    CHECK(text.find("Rule: drop   (inet a input") != std::string::npos);
    CHECK(to_text(report, true).find("input       inet a ") != std::string::npos);
    const json::object object = to_json(report, true);
    CHECK(json::find_string(object, "format_version") == "1.0");
    REQUIRE(json::find_array(object, "verdicts")->size() == 4);
    const json::object& first = json::find_array(object, "verdicts")->at(0).get_object();
    CHECK(json::find_string(first, "verdict") == "drop");
    CHECK(first.at("listener").is_null());
    CHECK(json::find_array(first, "trace")->size() == 1);
}

TEST_CASE("listeners: reached, on loopback, on another address, nobody, not known") {
    const World world = connected();
    Listeners listeners;
    CHECK(listening_at(listeners, world, 8000) == Listening::unknown);
    listeners.table.emplace();
    CHECK(listening_at(listeners, world, 8000) == Listening::nobody);
    listeners.table->sockets = {udp_socket("127.0.0.1", 8000, 1), udp_socket("0.0.0.0", 8001, 2),
                                udp_socket("10.8.0.2", 8002, 3)};
    CHECK(listening_at(listeners, world, 8000) == Listening::loopback_only);
    CHECK(listening_at(listeners, world, 8001) == Listening::yes);
    CHECK(listening_at(listeners, world, 8002) == Listening::elsewhere);
    listeners.table->complete = false;
    CHECK(listening_at(listeners, world, 9000) == Listening::unknown);
}

TEST_CASE("a listener behind a redirect, and its program") {
    const World world = connected("08-redirect-5000-accepted");
    Listeners listeners;
    listeners.table.emplace();
    listeners.table->sockets = {udp_socket("0.0.0.0", 5000, 7)};
    net::Process process;
    process.pid = 123;
    process.name = "peer\x1b";
    process.user = "alice";
    listeners.holders.of_inode[7] = {process};
    Inquiry inquiry;
    inquiry.port = 4000;
    inquiry.protocols = {protocol_udp};
    const auto asked = ask_inbound(world, find_entrances(world), inquiry);
    const auto listener = find_listener(world, listeners, asked.front());
    REQUIRE(listener.has_value());
    CHECK(listener->listening == Listening::yes);
    CHECK(listener->words() == "peer? (pid 123, alice) listens on 0.0.0.0:5000.");
    CHECK(json::find_array(to_json(*listener), "processes")->size() == 1);
    // A socket of IPv6 may be bound to an IPv4 address.
    listeners.table->sockets = {udp_socket("::ffff:127.0.0.1", 5000, 7)};
    const auto mapped = find_listener(world, listeners, asked.front());
    REQUIRE(mapped.has_value());
    CHECK(mapped->words() ==
          "peer? (pid 123, alice) listens on 127.0.0.1:5000, which only this machine reaches: to "
          "others the port is closed.");
    // What goes on to another machine is listened to there.
    const World forwarding = connected("08-forwarded-port");
    const auto onward = ask_inbound(forwarding, find_entrances(forwarding), inquiry).front();
    if (onward.verdict.delivery && !onward.verdict.delivery->local) {
        CHECK_FALSE(find_listener(forwarding, listeners, onward).has_value());
    }
}
