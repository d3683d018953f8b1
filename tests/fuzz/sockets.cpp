// The socket table: whatever the kernel's answers and the files in /proc hold, it is read or left
// out, stays within its bounds, and every question about it gets an answer.
#include <cstdint>
#include <cstdlib>

#include "net/socket_holders.hpp"
#include "net/socket_table.hpp"

using namespace p2pdiag;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void ask(const net::SocketTable& table) {
    require(table.sockets.size() <= net::max_sockets);
    for (const net::Socket& socket : table.sockets) {
        const std::uint16_t port = socket.local.port;
        require(port != 0);
        const auto at_port = net::sockets_at(table, socket.transport, port);
        const net::Arrival arrival{socket.transport, socket.local, 0, 0};
        const auto got = net::reception(table, arrival);
        require(got.sockets.size() <= at_port.size());
        require(socket.is_open() || net::receives(socket, arrival) == net::Receives::no);
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            const auto reach = net::exposure(table, socket.transport, family, port);
            // Nobody can be reached through a port that no socket has.
            require(!at_port.empty() || !reach || *reach == net::Exposure::none);
        }
        if (&socket - table.sockets.data() > 16) break;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView rest(data + 1, size - 1);
    const std::string_view text = as_text(rest);
    switch (data[0] % 4) {
        case 0:
            if (const auto socket = net::parse_diag_socket(Transport::tcp, rest)) {
                ask({{*socket}, true});
            }
            break;
        case 1: ask(net::parse_proc_sockets(Transport::udp, Family::ipv4, text)); break;
        case 2: ask(net::parse_proc_sockets(Transport::tcp, Family::ipv6, text)); break;
        default:
            if (const auto unit = net::parse_cgroup_unit(text)) require(!unit->name.empty());
            net::parse_socket_link(text);
            net::parse_status_uid(text);
            net::parse_status_parent(text);
            if (const auto name = net::parse_passwd_name(text, 0)) require(!name->empty());
    }
    return 0;
}
