#include "net/dns_query.hpp"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <memory>

#include "base/host_port.hpp"
#include "net/borrowed_descriptor.hpp"
#include "net/endpoint.hpp"
#include "net/flow.hpp"
#include "net/routes.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

namespace {

// c-ares doubles it: 600 ms, then 1200 ms.
constexpr int first_timeout_ms = 600;
// A handshake comes before the question.
constexpr int tcp_timeout_ms = 1500;
constexpr int tries = 2;
constexpr int most_addresses = 16;
// RFC 1035 section 4.1.1: the header is 12 bytes; TC is bit 1 of its third.
constexpr int header_size = 12;
constexpr unsigned truncation_bit = 0x02;

// c-ares counts its users, and is set up before any thread of ours could use it.
struct Library {
    Library() : status(::ares_library_init(ARES_LIB_INIT_ALL)) {}
    ~Library() { ::ares_library_cleanup(); }
    int status;
};

struct ChannelEnd {
    void operator()(ares_channel channel) const { ::ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, ChannelEnd>;

// What the callback of c-ares finds.
struct Reply {
    bool done = false;
    int status = ARES_ETIMEOUT;
    bool truncated = false;
    std::vector<IpAddress> addresses;
};

std::string csv_of(const NameServer& server) {
    const std::string port = ':' + std::to_string(server.port);
    if (server.address.is_v4()) return server.to_string() + port;
    return '[' + server.to_string() + ']' + port;
}

// c-ares has connected it, and so it has its local port.
int on_socket(ares_socket_t fd, int type, void*) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (::getsockname(fd, address, &size) != 0) return ARES_SUCCESS;
    const Transport protocol = type == SOCK_STREAM ? Transport::tcp : Transport::udp;
    if (const auto local = from_sockaddr(address)) tell_flow({protocol, *local, std::nullopt});
    return ARES_SUCCESS;
}

Channel open_channel(const NameServer& server, bool tcp) {
    static const Library library;
    if (library.status != ARES_SUCCESS) return nullptr;
    ares_options options{};
    // Every answer is told as it came; the next server, the search domains and aliases of the
    // system's files are not this question's business.
    options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
                    ARES_FLAG_IGNTC | (tcp ? ARES_FLAG_USEVC : 0);
    options.timeout = tcp ? tcp_timeout_ms : first_timeout_ms;
    options.tries = tcp ? 1 : tries;
    char lookups[] = "b";
    options.lookups = lookups;
    const int mask =
        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS;
    ares_channel raw = nullptr;
    if (::ares_init_options(&raw, &options, mask) != ARES_SUCCESS) return nullptr;
    Channel channel(raw);
    ::ares_set_socket_callback(raw, on_socket, nullptr);
    if (::ares_set_servers_ports_csv(raw, csv_of(server).c_str()) != ARES_SUCCESS) return nullptr;
    return channel;
}

void read_addresses(const unsigned char* bytes, int size, Family family, Reply& reply) {
    int count = most_addresses;
    if (family == Family::ipv4) {
        std::array<ares_addrttl, most_addresses> found{};
        if (::ares_parse_a_reply(bytes, size, nullptr, found.data(), &count) != ARES_SUCCESS)
            return;
        for (int i = 0; i < count; ++i) {
            reply.addresses.push_back(
                IpAddress::v4(ntohl(found[static_cast<std::size_t>(i)].ipaddr.s_addr)));
        }
        return;
    }
    std::array<ares_addr6ttl, most_addresses> found{};
    if (::ares_parse_aaaa_reply(bytes, size, nullptr, found.data(), &count) != ARES_SUCCESS) return;
    for (int i = 0; i < count; ++i) {
        std::array<std::uint8_t, 16> address{};
        std::copy_n(found[static_cast<std::size_t>(i)].ip6addr._S6_un._S6_u8, 16, address.begin());
        reply.addresses.push_back(IpAddress::v6(address));
    }
}

struct Asked {
    Family family = Family::ipv4;
    Reply reply;
};

void on_reply(void* argument, int status, int, unsigned char* bytes, int size) {
    // ares_destroy() calls it too, for a question that was given up.
    auto& asked = *static_cast<Asked*>(argument);
    asked.reply.done = true;
    asked.reply.status = status;
    if (bytes == nullptr || size < header_size) return;
    asked.reply.truncated = (bytes[2] & truncation_bit) != 0;
    if (status == ARES_SUCCESS) read_addresses(bytes, size, asked.family, asked.reply);
}

// Until c-ares has something to do with its socket, or the time has come.
asio::awaitable<void> wait_for(int fd, bool writable, TimePoint until) {
    BorrowedDescriptor socket(co_await asio::this_coro::executor, fd);
    if (!socket.valid()) co_return;
    co_await socket.wait(writable ? stream_descriptor::wait_write : stream_descriptor::wait_read,
                         until);
}

asio::awaitable<void> pause(TimePoint until) {
    asio::steady_timer timer(co_await asio::this_coro::executor, until);
    co_await timer.async_wait(asio::use_awaitable);
}

// With one question and one server a channel has one socket at a time.
asio::awaitable<void> drive(ares_channel channel, std::shared_ptr<Asked> asked,
                            TimePoint deadline) {
    while (!asked->reply.done && Clock::now() < deadline) {
        std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
        const int bits = ::ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM);
        timeval longest{1, 0};
        timeval wait{};
        ::ares_timeout(channel, &longest, &wait);
        const auto own =
            std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec);
        const TimePoint until = std::min(deadline, Clock::now() + own);
        const bool readable = ARES_GETSOCK_READABLE(bits, 0) != 0;
        const bool writable = ARES_GETSOCK_WRITABLE(bits, 0) != 0;
        ares_socket_t read_fd = ARES_SOCKET_BAD;
        ares_socket_t write_fd = ARES_SOCKET_BAD;
        if (readable || writable) {
            co_await wait_for(sockets[0], writable, until);
            if (readable) read_fd = sockets[0];
            if (writable) write_fd = sockets[0];
        } else {
            co_await pause(until);
        }
        ::ares_process_fd(channel, read_fd, write_fd);
    }
}

DnsOutcome outcome_of(const Reply& reply) {
    switch (reply.status) {
        case ARES_SUCCESS:
            return reply.addresses.empty() ? DnsOutcome::no_address : DnsOutcome::answered;
        case ARES_ENODATA: return DnsOutcome::no_address;
        case ARES_ENOTFOUND: return DnsOutcome::no_name;
        case ARES_ESERVFAIL: return DnsOutcome::servfail;
        case ARES_EREFUSED: return DnsOutcome::refused;
        case ARES_EFORMERR:
        case ARES_ENOTIMP:
        case ARES_EBADRESP: return DnsOutcome::malformed;
        case ARES_ECONNREFUSED: return DnsOutcome::closed;
        case ARES_ETIMEOUT:
        case ARES_ECANCELLED:
        case ARES_EDESTRUCTION: return DnsOutcome::timed_out;
        default: return DnsOutcome::failed;
    }
}

// Over one transport. The channel ends before what its callback writes to.
asio::awaitable<std::optional<Reply>> ask_over(DnsQuestion question, bool tcp, TimePoint deadline) {
    const auto asked = std::make_shared<Asked>();
    asked->family = question.family;
    const Channel channel = open_channel(question.server, tcp);
    if (!channel) co_return std::nullopt;
    const int type = question.family == Family::ipv4 ? ns_t_a : ns_t_aaaa;
    ::ares_query(channel.get(), question.name.c_str(), ns_c_in, type, on_reply, asked.get());
    co_await drive(channel.get(), asked, deadline);
    co_return asked->reply;
}

}  // namespace

std::string_view to_string(DnsOutcome outcome) {
    switch (outcome) {
        case DnsOutcome::answered: return "answered";
        case DnsOutcome::no_address: return "no-address";
        case DnsOutcome::no_name: return "no-name";
        case DnsOutcome::servfail: return "servfail";
        case DnsOutcome::refused: return "refused";
        case DnsOutcome::malformed: return "malformed";
        case DnsOutcome::truncated: return "truncated";
        case DnsOutcome::closed: return "closed";
        case DnsOutcome::timed_out: return "timed-out";
        case DnsOutcome::no_route: return "no-route";
        case DnsOutcome::failed: break;
    }
    return "failed";
}

bool has_answered(DnsOutcome outcome) {
    return outcome == DnsOutcome::answered || outcome == DnsOutcome::no_address ||
           outcome == DnsOutcome::no_name || outcome == DnsOutcome::servfail ||
           outcome == DnsOutcome::refused || outcome == DnsOutcome::malformed ||
           outcome == DnsOutcome::truncated;
}

asio::awaitable<DnsAnswer> ask_name_server(DnsQuestion question, TimePoint deadline) {
    DnsAnswer answer;
    const auto finish = [&answer](DnsOutcome outcome) {
        answer.outcome = outcome;
        return answer;
    };
    if (!is_host_name(question.name)) co_return finish(DnsOutcome::failed);
    const auto route = route_to(question.server.address);
    const bool link_local = question.server.address.scope() == AddressScope::link_local;
    if (!link_local && !route && is_no_route(route.error())) co_return finish(DnsOutcome::no_route);

    const TimePoint start = Clock::now();
    answer.over_tcp = question.over_tcp;
    auto reply = co_await ask_over(question, question.over_tcp, deadline);
    if (!reply) co_return finish(DnsOutcome::failed);
    if (reply->truncated && !question.over_tcp) {
        answer.over_tcp = true;
        reply = co_await ask_over(question, true, deadline);
        const bool came = reply && has_answered(outcome_of(*reply));
        if (!came) co_return finish(DnsOutcome::truncated);
    }
    answer.outcome = outcome_of(*reply);
    answer.addresses = std::move(reply->addresses);
    if (has_answered(answer.outcome)) {
        answer.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    }
    co_return answer;
}

}  // namespace p2pdiag::net
