// The socket table of this machine, and text that pretends to be one.
#include "net/socket_table.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

#include "fake/loopback.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using net::Socket;
using net::SocketState;
using net::SocketTable;

namespace {

const Socket* find(const SocketTable& table, Transport transport, const Endpoint& local,
                   SocketState state) {
    const auto& all = table.sockets;
    const auto found = std::find_if(all.begin(), all.end(), [&](const Socket& one) {
        return one.transport == transport && one.local == local && one.state == state;
    });
    return found == all.end() ? nullptr : &*found;
}

Fd bound_v6(int type, bool v6only) {
    Fd fd(::socket(AF_INET6, type | SOCK_CLOEXEC, 0));
    const int only = v6only ? 1 : 0;
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) fd.reset();
    return fd;
}

bool connect(const Fd& fd, const Endpoint& to) {
    sockaddr_storage storage;
    const socklen_t size = net::to_sockaddr(to, storage);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

// /proc/net prints addresses as the machine holds them; these lines are of a little-endian one.
constexpr bool little_endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

constexpr std::string_view header =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";

}  // namespace

TEST_CASE("sockets of this process are in the table") {
    const Endpoint here{any_loopback_address(), 0};
    const Fd udp = open_at(SOCK_DGRAM, here);
    const Fd tcp = open_at(SOCK_STREAM, here);
    const Fd client = open_at(SOCK_DGRAM, here);
    REQUIRE(connect(client, local_of(udp)));
    const Fd caller(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(connect(caller, local_of(tcp)));

    const auto table = net::socket_table(net::SocketsWanted::all);
    REQUIRE(table.has_value());
    CHECK(table->complete);
    const Socket* one = find(*table, Transport::udp, local_of(udp), SocketState::bound);
    REQUIRE(one != nullptr);
    CHECK(one->family == Family::ipv4);
    CHECK(one->interface == 0);
    CHECK_FALSE(one->v6only);
    CHECK_FALSE(one->remote);
    CHECK(one->inode != 0);
    CHECK(one->uid == ::getuid());
    one = find(*table, Transport::udp, local_of(client), SocketState::connected);
    REQUIRE(one != nullptr);
    CHECK(one->remote == local_of(udp));
    CHECK(find(*table, Transport::tcp, local_of(tcp), SocketState::listening) != nullptr);
    CHECK(find(*table, Transport::tcp, local_of(caller), SocketState::connected) != nullptr);

    const auto open = net::socket_table(net::SocketsWanted::open);
    REQUIRE(open.has_value());
    CHECK(find(*open, Transport::tcp, local_of(tcp), SocketState::listening) != nullptr);
    CHECK(find(*open, Transport::tcp, local_of(caller), SocketState::connected) == nullptr);
    CHECK(find(*open, Transport::udp, local_of(client), SocketState::connected) != nullptr);
}

TEST_CASE("an IPv6 socket says whether it serves IPv4") {
    const Fd both = bound_v6(SOCK_DGRAM, false);
    const Fd single = bound_v6(SOCK_DGRAM, true);
    if (!both.open() || !single.open()) {
        WARN("no IPv6 here: not tested");
        return;
    }
    const auto table = net::socket_table(net::SocketsWanted::open);
    REQUIRE(table.has_value());
    const Socket* one = find(*table, Transport::udp, local_of(both), SocketState::bound);
    REQUIRE(one != nullptr);
    CHECK(one->v6only == false);
    const std::uint16_t port = one->local.port;
    CHECK(net::exposure(*table, Transport::udp, Family::ipv4, port) == net::Exposure::everywhere);
    one = find(*table, Transport::udp, local_of(single), SocketState::bound);
    REQUIRE(one != nullptr);
    CHECK(one->v6only == true);
}

TEST_CASE("the text of /proc/net") {
    if (!little_endian) return;
    const std::string lines = std::string(header) +
                              "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 "
                              "00000000  1000        0 "
                              "4711 1 0000000000000000 100 0 0 10 0\n"
                              "   1: 0701A8C0:1F91 0A21160B:0050 06 00000000:00000000 03:00000FA0 "
                              "00000000     0        0 "
                              "0 3 0000000000000000\n";
    const SocketTable table = net::parse_proc_sockets(Transport::tcp, Family::ipv4, lines);
    CHECK(table.complete);
    REQUIRE(table.sockets.size() == 2);
    CHECK(table.sockets[0].local.to_string() == "127.0.0.1:8080");
    CHECK(table.sockets[0].state == SocketState::listening);
    CHECK(table.sockets[0].inode == 4711);
    CHECK(table.sockets[0].uid == 1000);
    CHECK_FALSE(table.sockets[0].interface);
    CHECK_FALSE(table.sockets[0].remote);
    CHECK(table.sockets[1].state == SocketState::closing);
    CHECK(table.sockets[1].remote->to_string() == "11.22.33.10:80");

    const std::string v6 =
        std::string(header) +
        "  59: B80D0120000000000000000007000000:1F90 00000000000000000000000000000000:0000 07 "
        "00000000:00000000 00:00000000 00000000     0        0 9 2 0000000000000000 0\n";
    const SocketTable six = net::parse_proc_sockets(Transport::udp, Family::ipv6, v6);
    REQUIRE(six.sockets.size() == 1);
    CHECK(six.sockets[0].local.to_string() == "[2001:db8::7]:8080");
    CHECK(six.sockets[0].state == SocketState::bound);
    CHECK_FALSE(six.sockets[0].v6only);
}

TEST_CASE("text that is no socket table is said to be incomplete") {
    for (const char* line : {
             "0:",
             "   0: 0100007F:1F90 00000000:0000 0A",
             "   0: 0100007F00:1F90 00000000:0000 07 0:0 0:0 0 0 0 1",
             "   0: 0100007F:1F9G 00000000:0000 07 0:0 0:0 0 0 0 1",
             "   0: 0100007F:1F90 00000000:0000 07 0:0 0:0 0 -1 0 1",
             "   0: 0100007F:1F90 00000000:0000 07 0:0 0:0 0 0 0 99999999999999999999",
         }) {
        const std::string text = std::string(header) + line + "\n";
        const SocketTable table = net::parse_proc_sockets(Transport::udp, Family::ipv4, text);
        CHECK(table.sockets.empty());
        CHECK_FALSE(table.complete);
    }
    CHECK(net::parse_proc_sockets(Transport::udp, Family::ipv4, header).complete);
    CHECK(net::parse_proc_sockets(Transport::udp, Family::ipv4, "").sockets.empty());
}

TEST_CASE("more sockets than are kept") {
    std::string text(header);
    for (std::size_t i = 0; i <= net::max_sockets; ++i) {
        text += "0: 0100007F:1F90 00000000:0000 07 0:0 0:0 0 0 0 1\n";
    }
    const SocketTable table = net::parse_proc_sockets(Transport::udp, Family::ipv4, text);
    CHECK(table.sockets.size() == net::max_sockets);
    CHECK_FALSE(table.complete);
}

TEST_CASE("answers of sock_diag that are none") {
    CHECK_FALSE(net::parse_diag_socket(Transport::udp, {}));
    Bytes message(72);
    CHECK_FALSE(net::parse_diag_socket(Transport::udp, message));  // no family
    message[0] = AF_INET;
    CHECK_FALSE(net::parse_diag_socket(Transport::udp, message));  // no port
    message[1] = 7;
    message[4] = 0x1f;
    message[5] = 0x90;
    const auto socket = net::parse_diag_socket(Transport::udp, message);
    REQUIRE(socket.has_value());
    CHECK(socket->local.port == 8080);
    CHECK(socket->state == SocketState::bound);
    message.pop_back();
    CHECK_FALSE(net::parse_diag_socket(Transport::udp, message));
}
