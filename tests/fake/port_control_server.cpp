#include "fake/port_control_server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>

#include "fake/loopback.hpp"
#include "net/endpoint.hpp"

namespace p2pdiag::testing {

namespace {

// The sockets of a server.
constexpr std::size_t right = 0, other_port = 1, other_address = 2;

Bytes garbage() {
    const ByteView text = as_bytes("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    return {text.begin(), text.end()};
}

}  // namespace

PortControlServer::PortControlServer(PortControlOptions options) : options_(std::move(options)) {
    stop_ = make_pipe();
    for (int tries = 0; tries < 50 && !sockets_[right].open(); ++tries) listen();
    if (!sockets_[right].open()) throw std::runtime_error("no free port 5351 on loopback");
    if (options_.fault == PortControlFault::refused) sockets_[right].reset();
    thread_ = std::thread([this] { serve(); });
}

PortControlServer::~PortControlServer() {
    stop_.write.reset();
    thread_.join();
}

void PortControlServer::listen() {
    const bool v4 = options_.family == Family::ipv4;
    address_ = options_.address.value_or(v4 ? any_loopback_address() : *IpAddress::parse("::1"));
    sockets_[right] = open_at(SOCK_DGRAM, {address_, natpmp::server_port});
    sockets_[other_port] = open_at(SOCK_DGRAM, {address_, 0});
    if (v4)
        sockets_[other_address] =
            open_at(SOCK_DGRAM, {any_loopback_address(), natpmp::server_port});
    // Of IPv6 there is one loopback address, which a test beside this one may hold for a moment.
    if (!sockets_[right].open() && !v4) std::this_thread::sleep_for(std::chrono::seconds(1));
}

std::vector<PortControlServer::Mapping> PortControlServer::mappings() const {
    const std::lock_guard lock(mutex_);
    return mappings_;
}

void PortControlServer::restart() {
    const std::lock_guard lock(mutex_);
    mappings_.clear();
    options_.epoch = 0;
}

void PortControlServer::readdress(IpAddress external) {
    const std::lock_guard lock(mutex_);
    options_.external_address = external;
}

void PortControlServer::misbehave(PortControlFault fault) {
    const std::lock_guard lock(mutex_);
    options_.fault = fault;
}

void PortControlServer::serve() {
    std::array<std::uint8_t, 2048> buffer;
    for (;;) {
        std::array<pollfd, 2> waiting = {pollfd{stop_.read.get(), POLLIN, 0},
                                         pollfd{sockets_[right].get(), POLLIN, 0}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0 || waiting[0].revents != 0) return;
        sockaddr_storage storage;
        socklen_t size = sizeof storage;
        auto* const peer = reinterpret_cast<sockaddr*>(&storage);
        const ssize_t received =
            ::recvfrom(sockets_[right].get(), buffer.data(), buffer.size(), 0, peer, &size);
        const auto from = net::from_sockaddr(peer);
        if (received < 0 || !from) continue;
        on_request(*from, ByteView(buffer.data(), static_cast<std::size_t>(received)));
    }
}

void PortControlServer::on_request(const Endpoint& from, ByteView request) {
    const std::lock_guard lock(mutex_);
    if (++requests_ <= options_.lose_first) return;
    if (options_.fault == PortControlFault::silent) return;
    auto bytes = answer(from, request);
    if (!bytes) return;
    if (options_.delay.count() > 0) std::this_thread::sleep_for(options_.delay);
    switch (options_.fault) {
        case PortControlFault::garbage: bytes = garbage(); break;
        case PortControlFault::oversize: bytes->resize(2000); break;
        case PortControlFault::truncated: bytes->resize(bytes->size() - 4); break;
        case PortControlFault::flood:
            for (int i = 0; i < 100; ++i) send(from, garbage());
            break;
        default: break;
    }
    send(from, *bytes);
}

std::optional<Bytes> PortControlServer::answer(const Endpoint& from, ByteView request) {
    if (const auto asked = natpmp::parse_request(request)) {
        if (options_.natpmp) return natpmp_answer(*asked);
        pcp::Response response;
        response.result = pcp::ResultCode::unsupp_version;
        return pcp::encode(response);
    }
    const auto asked = pcp::parse_request(request);
    if (!asked) return std::nullopt;
    if (options_.pcp) return pcp_answer(from, *asked);
    natpmp::Response response;
    response.opcode = static_cast<natpmp::Opcode>(asked->opcode);
    response.result = natpmp::ResultCode::unsupported_version;
    response.has_payload = false;
    return natpmp::encode(response);
}

Bytes PortControlServer::natpmp_answer(const natpmp::Request& request) {
    natpmp::Response response;
    response.opcode = request.opcode;
    response.result = options_.natpmp_result;
    response.epoch = options_.epoch;
    response.internal_port = request.internal_port;
    if (options_.fault == PortControlFault::wrong_opcode) {
        response.opcode = request.opcode == natpmp::Opcode::external_address
                              ? natpmp::Opcode::map_udp
                              : natpmp::Opcode::external_address;
    }
    if (response.result != natpmp::ResultCode::success) return natpmp::encode(response);
    if (request.opcode == natpmp::Opcode::external_address) {
        response.external_address = options_.external_address;
        return natpmp::encode(response);
    }
    const Transport transport =
        request.opcode == natpmp::Opcode::map_udp ? Transport::udp : Transport::tcp;
    Mapping wanted{pcp::protocol_number(transport),
                   request.internal_port,
                   request.external_port,
                   request.lifetime,
                   {}};
    if (request.lifetime == 0) {
        remove({{}, wanted.protocol, wanted.internal_port, 0, {}}, std::nullopt);
        if (options_.fault == PortControlFault::keeps) response.lifetime = 600;
    } else if (const auto made = make(wanted, false)) {
        response.external_port = made->external_port;
        response.lifetime = made->lifetime;
    } else {
        response.result = natpmp::ResultCode::out_of_resources;
    }
    if (options_.fault == PortControlFault::garbled_port) response.internal_port &= 0xFF;
    if (options_.fault == PortControlFault::no_port) response.external_port = 0;
    if (options_.fault == PortControlFault::no_lifetime) response.lifetime = 0;
    return natpmp::encode(response);
}

Bytes PortControlServer::pcp_answer(const Endpoint& from, const pcp::Request& request) {
    pcp::Response response;
    response.opcode = request.opcode;
    response.result = options_.pcp_result;
    response.epoch = options_.epoch;
    response.map = request.map;
    if (request.client_address != from.address) {
        response.result = pcp::ResultCode::address_mismatch;
    }
    if (request.opcode == pcp::Opcode::announce && !options_.announce) {
        response.result = pcp::ResultCode::unsupp_opcode;
    }
    if (request.prefer_failure && !options_.prefer_failure) {
        response.result = pcp::ResultCode::unsupp_option;
    }
    if (response.result == pcp::ResultCode::success && request.map) {
        if (request.lifetime == 0) {
            if (!remove(*request.map, request.map->nonce)) {
                response.result = pcp::ResultCode::no_resources;
            }
            if (options_.fault == PortControlFault::keeps) response.lifetime = 600;
        } else if (const auto made =
                       make({request.map->protocol, request.map->internal_port,
                             request.map->external_port, request.lifetime, request.map->nonce},
                            request.prefer_failure)) {
            response.lifetime = made->lifetime;
            response.map->external_port = made->external_port;
            response.map->external_address =
                from.address.is_v4() ? options_.external_address : from.address;
        } else {
            response.result = pcp::ResultCode::cannot_provide_external;
        }
    }
    if (response.result != pcp::ResultCode::success) response.lifetime = options_.error_lifetime;
    switch (options_.fault) {
        case PortControlFault::wrong_nonce:
            if (response.map) response.map->nonce[3] ^= 0xFF;
            break;
        case PortControlFault::garbled_port:
            if (response.map) response.map->internal_port &= 0xFF;
            break;
        case PortControlFault::wrong_opcode:
            response.opcode = response.map ? pcp::Opcode::announce : pcp::Opcode::map;
            if (!response.map) response.map = pcp::MapData{};
            break;
        case PortControlFault::no_port:
            if (response.map) response.map->external_port = 0;
            break;
        case PortControlFault::no_lifetime: response.lifetime = 0; break;
        default: break;
    }
    return pcp::encode(response);
}

bool PortControlServer::remove(const pcp::MapData& wanted, std::optional<pcp::Nonce> nonce) {
    if (options_.fault == PortControlFault::keeps) return true;
    return std::erase_if(mappings_, [&](const Mapping& one) {
               return one.protocol == wanted.protocol &&
                      one.internal_port == wanted.internal_port && (!nonce || one.nonce == *nonce);
           }) > 0;
}

std::optional<PortControlServer::Mapping> PortControlServer::make(const Mapping& wanted,
                                                                  bool exact) {
    Mapping made = wanted;
    made.lifetime =
        std::clamp(wanted.lifetime, options_.shortest_lifetime, options_.longest_lifetime);
    for (Mapping& one : mappings_) {
        if (one.protocol != wanted.protocol || one.internal_port != wanted.internal_port) continue;
        if (exact && wanted.external_port != one.external_port) return std::nullopt;
        made.external_port = one.external_port;
        return one = made;
    }
    if (made.external_port == 0) made.external_port = made.internal_port;
    for (int tries = 0; tries < 0x10000; ++tries, ++made.external_port) {
        if (is_free(made)) return mappings_.emplace_back(made);
        if (exact) break;
    }
    return std::nullopt;
}

bool PortControlServer::is_free(const Mapping& wanted) const {
    const auto& taken = options_.taken;
    const bool foreign = std::find(taken.begin(), taken.end(), wanted.external_port) != taken.end();
    return wanted.external_port >= options_.lowest_port &&
           wanted.external_port <= options_.highest_port && !foreign &&
           std::none_of(mappings_.begin(), mappings_.end(), [&](const Mapping& one) {
               return one.protocol == wanted.protocol && one.external_port == wanted.external_port;
           });
}

void PortControlServer::send(const Endpoint& to, const Bytes& bytes) {
    std::size_t socket = right;
    if (options_.fault == PortControlFault::wrong_source) socket = other_port;
    if (options_.fault == PortControlFault::foreign_source) socket = other_address;
    sockaddr_storage storage;
    const socklen_t size = net::to_sockaddr(to, storage);
    ::sendto(sockets_[socket].get(), bytes.data(), bytes.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&storage), size);
}

}  // namespace p2pdiag::testing
