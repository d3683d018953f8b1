#include "fake/stun_server.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "wire/stun/message.hpp"

namespace p2pdiag::testing {

namespace {

using Clock = std::chrono::steady_clock;

class Fd {
public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    ~Fd() {
        if (fd_ >= 0) ::close(fd_);
    }
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_;
};

struct Address {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address to_address(const Endpoint& endpoint) {
    Address address;
    if (endpoint.address.is_v4()) {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(endpoint.port);
        v4->sin_addr.s_addr = htonl(endpoint.address.v4_bits());
        address.size = sizeof *v4;
    } else {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(endpoint.port);
        std::memcpy(&v6->sin6_addr, endpoint.address.bytes().data(), 16);
        address.size = sizeof *v6;
    }
    return address;
}

Endpoint from_address(const Address& address) {
    Endpoint endpoint;
    if (address.storage.ss_family == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
        endpoint.address = IpAddress::v4(ntohl(v4->sin_addr.s_addr));
        endpoint.port = ntohs(v4->sin_port);
    } else {
        const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
        endpoint.address = IpAddress::v6(bytes);
        endpoint.port = ntohs(v6->sin6_port);
    }
    return endpoint;
}

Endpoint local_of(int fd) {
    Address address;
    ::getsockname(fd, address.get(), &address.size);
    return from_address(address);
}

// Not valid when the port is taken.
Fd open_bound(int type, const Endpoint& local) {
    Fd fd(::socket(local.address.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
    Address address = to_address(local);
    if (!fd || ::bind(fd.get(), address.get(), address.size) != 0) return Fd();
    if (type == SOCK_STREAM && ::listen(fd.get(), 16) != 0) return Fd();
    return fd;
}

IpAddress loopback(Family family) {
    return *IpAddress::parse(family == Family::ipv4 ? "127.0.0.1" : "::1");
}

struct Delayed {
    Clock::time_point due;
    int fd;
    Endpoint to;
    Bytes bytes;
};

Bytes garbage() {
    const ByteView text = as_bytes("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    return {text.begin(), text.end()};
}

}  // namespace

struct FakeStunServer::Sockets {
    // [address][port]: UDP. [0][0] is the one to ask; [0][1] is always there.
    std::array<std::array<Fd, 2>, 2> udp;
    Endpoint endpoints[2][2];
    Fd listener;
    Endpoint primary;
    std::vector<Fd> connections;
    std::array<Fd, 2> stop;
    std::deque<Delayed> delayed;
    unsigned lost = 0;

    explicit Sockets(const FakeStunOptions& options) {
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
        stop = {Fd(ends[0]), Fd(ends[1])};
        // The same port has to be free for each socket: try until one is.
        for (int tries = 0; tries < 50; ++tries) {
            if (open(options)) return;
        }
        throw std::runtime_error("no free port on loopback");
    }

    bool open(const FakeStunOptions& options) {
        const IpAddress first = loopback(options.family);
        const IpAddress second = IpAddress::v4(0x7f000002);
        Fd reserved = open_bound(SOCK_DGRAM, {first, 0});
        primary = local_of(reserved.get());
        if (options.udp) {
            udp[0][0] = std::move(reserved);
            udp[0][1] = open_bound(SOCK_DGRAM, {first, 0});
            endpoints[0][0] = primary;
            endpoints[0][1] = local_of(udp[0][1].get());
        }
        if (options.udp && options.two_addresses) {
            for (unsigned port = 0; port < 2; ++port) {
                endpoints[1][port] = {second, endpoints[0][port].port};
                udp[1][port] = open_bound(SOCK_DGRAM, endpoints[1][port]);
                if (!udp[1][port]) return false;
            }
        }
        if (options.tcp) listener = open_bound(SOCK_STREAM, primary);
        return !options.tcp || static_cast<bool>(listener);
    }

    void send(int fd, const Endpoint& to, const Bytes& bytes, Clock::duration delay) {
        delayed.push_back({Clock::now() + delay, fd, to, bytes});
    }

    // Milliseconds until the next delayed datagram is due, -1 when there is none.
    int flush() {
        int wait = -1;
        std::deque<Delayed> later;
        for (Delayed& item : delayed) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(item.due - Clock::now());
            if (left.count() <= 0) {
                Address to = to_address(item.to);
                ::sendto(item.fd, item.bytes.data(), item.bytes.size(), MSG_NOSIGNAL, to.get(),
                         to.size);
            } else {
                const int milliseconds = static_cast<int>(left.count());
                wait = wait < 0 ? milliseconds : std::min(wait, milliseconds);
                later.push_back(std::move(item));
            }
        }
        delayed = std::move(later);
        return wait;
    }
};

namespace {

// Nothing where the fault is to stay silent.
std::optional<Bytes> answer(const FakeStunOptions& options, ByteView request, const Endpoint& from,
                            const Endpoint& origin, const std::optional<Endpoint>& other) {
    if (options.fault == StunFault::garbage) return garbage();
    const auto asked = stun::parse(request);
    if (!asked || asked->message_class != stun::Class::request) return std::nullopt;
    stun::Message reply;
    reply.message_class = stun::Class::success;
    reply.cookie = asked->cookie;
    reply.transaction = asked->transaction;
    reply.mapped_address = from;
    reply.xor_mapped_address = from;
    reply.response_origin = origin;
    reply.other_address = other;
    reply.software = "fake";
    switch (options.fault) {
        case StunFault::silent: return std::nullopt;
        case StunFault::wrong_transaction: reply.transaction[5] ^= 0xFF; break;
        case StunFault::rewritten: reply.mapped_address->port ^= 1; break;
        case StunFault::huge:
        case StunFault::no_mapped_address:
            reply.mapped_address.reset();
            reply.xor_mapped_address.reset();
            if (options.fault == StunFault::huge) reply.others.push_back({0x8099, Bytes(60000)});
            break;
        case StunFault::error_420:
            reply = {};
            reply.message_class = stun::Class::error;
            reply.transaction = asked->transaction;
            reply.error = stun::ErrorCodeAttribute{420, "Unknown Attribute"};
            reply.unknown_attributes = {3};
            break;
        default: break;
    }
    Bytes bytes = stun::encode(reply);
    if (options.fault == StunFault::malformed) bytes[23] = 0xFF;  // the first attribute's length
    return bytes;
}

}  // namespace

FakeStunServer::FakeStunServer(FakeStunOptions options)
    : options_(options),
      sockets_(std::make_unique<Sockets>(options)),
      thread_([this] { serve(); }) {}

FakeStunServer::~FakeStunServer() {
    sockets_->stop[1] = Fd();
    thread_.join();
}

Endpoint FakeStunServer::primary() const { return sockets_->primary; }
Endpoint FakeStunServer::alternate() const { return sockets_->endpoints[1][1]; }

void FakeStunServer::serve() {
    Sockets& all = *sockets_;
    std::array<std::uint8_t, 65536> buffer;

    const auto on_datagram = [&](unsigned address, unsigned port) {
        Address peer;
        const ssize_t size = ::recvfrom(all.udp[address][port].get(), buffer.data(), buffer.size(),
                                        0, peer.get(), &peer.size);
        if (size < 0) return;
        ++datagrams_;
        if (all.lost < options_.lose_first) {
            ++all.lost;
            return;
        }
        const ByteView request(buffer.data(), static_cast<std::size_t>(size));
        const Endpoint from = from_address(peer);
        unsigned reply_address = address;
        unsigned reply_port = port;
        const auto asked = stun::parse(request);
        const bool changes = options_.two_addresses && options_.fault != StunFault::ignores_change;
        if (asked && asked->change_request && changes) {
            reply_address ^= asked->change_request->address ? 1U : 0U;
            reply_port ^= asked->change_request->port ? 1U : 0U;
        }
        if (options_.fault == StunFault::wrong_source) reply_port ^= 1U;
        std::optional<Endpoint> other;
        if (options_.two_addresses) other = all.endpoints[address ^ 1U][port ^ 1U];
        const auto reply =
            answer(options_, request, from, all.endpoints[reply_address][reply_port], other);
        if (!reply) return;
        const int fd = all.udp[reply_address][reply_port].get();
        const unsigned noise = options_.fault == StunFault::flood ? 100 : 0;
        for (unsigned i = 0; i < noise; ++i) all.send(fd, from, garbage(), options_.delay);
        const unsigned copies = options_.fault == StunFault::duplicate ? 3 : 1;
        for (unsigned i = 0; i < copies; ++i) all.send(fd, from, *reply, options_.delay);
    };

    // One read is one request: requests are far smaller than a segment.
    const auto on_stream = [&](Fd& connection) {
        const ssize_t size = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
        if (size <= 0) {
            connection = Fd();
            return;
        }
        Address peer;
        ::getpeername(connection.get(), peer.get(), &peer.size);
        const auto reply = answer(options_, ByteView(buffer.data(), static_cast<std::size_t>(size)),
                                  from_address(peer), all.primary, std::nullopt);
        if (reply) ::send(connection.get(), reply->data(), reply->size(), MSG_NOSIGNAL);
    };

    for (;;) {
        std::vector<pollfd> waiting = {{all.stop[0].get(), POLLIN, 0},
                                       {all.listener.get(), POLLIN, 0}};
        for (auto& row : all.udp) {
            for (Fd& fd : row) waiting.push_back({fd.get(), POLLIN, 0});
        }
        for (Fd& connection : all.connections) waiting.push_back({connection.get(), POLLIN, 0});
        if (::poll(waiting.data(), waiting.size(), all.flush()) < 0) return;

        if (waiting[0].revents != 0) return;
        for (unsigned i = 0; i < 4; ++i) {
            if (waiting[2 + i].revents != 0) on_datagram(i / 2, i % 2);
        }
        for (std::size_t i = 0; i < all.connections.size(); ++i) {
            if (waiting[6 + i].revents != 0) on_stream(all.connections[i]);
        }
        std::erase_if(all.connections, [](const Fd& fd) { return !fd; });
        if (waiting[1].revents != 0) {
            Fd accepted(::accept4(all.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (accepted) all.connections.push_back(std::move(accepted));
        }
    }
}

Endpoint closed_port(Family family) {
    for (int tries = 0; tries < 50; ++tries) {
        const Fd udp = open_bound(SOCK_DGRAM, {loopback(family), 0});
        const Endpoint local = local_of(udp.get());
        if (open_bound(SOCK_STREAM, local)) return local;
    }
    throw std::runtime_error("no free port on loopback");
}

bool has_ipv6_loopback() {
    return static_cast<bool>(open_bound(SOCK_DGRAM, {loopback(Family::ipv6), 0}));
}

}  // namespace p2pdiag::testing
