#include "net/socket_table.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <utility>

#include "base/file.hpp"
#include "net/netlink.hpp"

namespace p2pdiag::net {

namespace {

// enum in the kernel's include/net/tcp_states.h; numbers of the netlink and /proc interfaces.
enum TcpState : unsigned {
    tcp_established = 1,
    tcp_time_wait = 6,
    tcp_close = 7,
    tcp_listen = 10,
    tcp_bound_inactive = 13  // from Linux 6.8 on: bound, neither listening nor connected
};

// More text than that is not read.
constexpr std::size_t max_proc_file = std::size_t{64} << 20;

SocketState state_of(Transport transport, unsigned state) {
    if (state == tcp_close || state == tcp_bound_inactive) return SocketState::bound;
    if (transport == Transport::udp) return SocketState::connected;
    if (state == tcp_listen) return SocketState::listening;
    return state == tcp_time_wait ? SocketState::closing : SocketState::connected;
}

bool is_wanted(const Socket& socket, SocketsWanted wanted) {
    return wanted == SocketsWanted::all || socket.transport == Transport::udp ||
           socket.state == SocketState::listening || socket.state == SocketState::bound;
}

void add(SocketTable& table, const Socket& socket) {
    if (table.sockets.size() < max_sockets) {
        table.sockets.push_back(socket);
    } else {
        table.complete = false;
    }
}

// ---- sock_diag

IpAddress diag_address(Family family, const __be32 (&words)[4]) {
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), words, bytes.size());
    if (family == Family::ipv6) return IpAddress::v6(bytes);
    return IpAddress::v4(std::array<std::uint8_t, 4>{bytes[0], bytes[1], bytes[2], bytes[3]});
}

constexpr std::uint16_t from_network(std::uint16_t value) {
    if constexpr (std::endian::native == std::endian::big) return value;
    return static_cast<std::uint16_t>(value << 8 | value >> 8);
}

ErrorCode dump(Transport transport, Family family, SocketsWanted wanted, SocketTable& table) {
    inet_diag_req_v2 request{};
    request.sdiag_family = family == Family::ipv4 ? AF_INET : AF_INET6;
    request.sdiag_protocol = transport == Transport::udp ? IPPROTO_UDP : IPPROTO_TCP;
    const bool all = wanted == SocketsWanted::all || transport == Transport::udp;
    request.idiag_states = all ? ~0U : 1U << tcp_listen | 1U << tcp_bound_inactive;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&request);
    const auto on_message = [&](std::uint16_t type, ByteView body) {
        if (type != SOCK_DIAG_BY_FAMILY) return;
        const auto socket = parse_diag_socket(transport, body);
        if (socket && is_wanted(*socket, wanted)) add(table, *socket);
    };
    return netlink_request(NetlinkTable::sockets, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP,
                           ByteView(bytes, sizeof request), on_message);
}

// ---- /proc/net

template <class Number>
std::optional<Number> number_in(std::string_view text, int base) {
    Number value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

std::string_view next_word(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    return word;
}

// "0100007F:1F90": words of 32 bits as they lie in memory, each printed as a number, and the port.
std::optional<Endpoint> proc_endpoint(Family family, std::string_view text) {
    const std::size_t words = family == Family::ipv4 ? 1 : 4;
    if (text.size() != words * 8 + 5 || text[words * 8] != ':') return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < words; ++i) {
        const auto word = number_in<std::uint32_t>(text.substr(i * 8, 8), 16);
        if (!word) return std::nullopt;
        std::memcpy(bytes.data() + i * 4, &*word, 4);
    }
    const auto port = number_in<std::uint16_t>(text.substr(words * 8 + 1), 16);
    if (!port) return std::nullopt;
    const IpAddress address =
        family == Family::ipv6
            ? IpAddress::v6(bytes)
            : IpAddress::v4(std::array<std::uint8_t, 4>{bytes[0], bytes[1], bytes[2], bytes[3]});
    return Endpoint{address, *port};
}

// "sl local remote st queues timer retransmits uid timeout inode …"
std::optional<Socket> parse_proc_line(Transport transport, Family family, std::string_view line) {
    std::array<std::string_view, 10> words;
    for (std::string_view& word : words) word = next_word(line);
    const auto local = proc_endpoint(family, words[1]);
    const auto remote = proc_endpoint(family, words[2]);
    const auto state = number_in<unsigned>(words[3], 16);
    const auto uid = number_in<std::uint32_t>(words[7], 10);
    const auto inode = number_in<std::uint64_t>(words[9], 10);
    if (!local || !remote || !state || !uid || !inode) return std::nullopt;
    Socket socket;
    socket.transport = transport;
    socket.family = family;
    socket.state = state_of(transport, *state);
    socket.local = *local;
    if (remote->port != 0) socket.remote = *remote;
    socket.inode = *inode;
    socket.uid = *uid;
    return socket;
}

ErrorCode read_proc(Transport transport, Family family, SocketsWanted wanted, SocketTable& table) {
    // Not /proc/net, which is that of the process: a thread may be in a namespace of its own.
    std::string path = "/proc/thread-self/net/" + std::string(to_string(transport));
    if (family == Family::ipv6) path += '6';
    const auto text = read_file(path, max_proc_file);
    if (!text) return text.error();
    const SocketTable read = parse_proc_sockets(transport, family, *text);
    if (!read.complete) table.complete = false;
    for (const Socket& socket : read.sockets) {
        if (is_wanted(socket, wanted)) add(table, socket);
    }
    return {};
}

ErrorCode collect(Transport transport, Family family, SocketsWanted wanted, SocketTable& table) {
    const std::size_t before = table.sockets.size();
    if (!dump(transport, family, wanted, table)) return {};
    table.sockets.resize(before);
    const ErrorCode error = read_proc(transport, family, wanted, table);
    // A kernel without IPv6 has no such file.
    const bool none =
        family == Family::ipv6 && error == boost::system::errc::no_such_file_or_directory;
    return none ? ErrorCode() : error;
}

}  // namespace

std::optional<Socket> parse_diag_socket(Transport transport, ByteView body) {
    const auto message = netlink_header<inet_diag_msg>(body);
    if (!message) return std::nullopt;
    const unsigned char kernel_family = message->idiag_family;
    if (kernel_family != AF_INET && kernel_family != AF_INET6) return std::nullopt;
    Socket socket;
    socket.transport = transport;
    socket.family = kernel_family == AF_INET ? Family::ipv4 : Family::ipv6;
    socket.state = state_of(transport, message->idiag_state);
    socket.local = {diag_address(socket.family, message->id.idiag_src),
                    from_network(message->id.idiag_sport)};
    if (socket.local.port == 0) return std::nullopt;
    if (message->id.idiag_dport != 0) {
        socket.remote = Endpoint{diag_address(socket.family, message->id.idiag_dst),
                                 from_network(message->id.idiag_dport)};
    }
    socket.interface = static_cast<int>(message->id.idiag_if);
    const ByteView v6only = netlink_attribute(body, sizeof(inet_diag_msg), INET_DIAG_SKV6ONLY);
    if (!v6only.empty()) socket.v6only = v6only[0] != 0;
    socket.inode = message->idiag_inode;
    socket.uid = message->idiag_uid;
    return socket;
}

SocketTable parse_proc_sockets(Transport transport, Family family, std::string_view text) {
    SocketTable table;
    bool header = true;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (std::exchange(header, false)) continue;
        const auto socket = parse_proc_line(transport, family, line);
        if (!socket) {
            table.complete = false;
        } else if (socket->local.port != 0) {
            add(table, *socket);
        }
    }
    return table;
}

Result<SocketTable> socket_table(SocketsWanted wanted) {
    SocketTable table;
    for (const Transport transport : {Transport::udp, Transport::tcp}) {
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            if (const ErrorCode error = collect(transport, family, wanted, table)) return error;
        }
    }
    return table;
}

}  // namespace p2pdiag::net
