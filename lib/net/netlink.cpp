#include "net/netlink.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace p2pdiag::net {

namespace {

// The kernel fills at most this much into one read (NLMSG_GOODSIZE is smaller still).
constexpr std::size_t read_size = 65536;
// A machine with more links, addresses or routes than that is listed in part.
constexpr unsigned max_reads = 1000;
// The kernel answers at once; this is for a kernel in trouble.
constexpr timeval patience = {1, 0};

ErrorCode system_error(int number) { return {number, boost::system::system_category()}; }

class NetlinkSocket {
public:
    explicit NetlinkSocket(int protocol)
        : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)) {
        if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    ~NetlinkSocket() {
        if (fd_ >= 0) ::close(fd_);
    }
    NetlinkSocket(const NetlinkSocket&) = delete;
    NetlinkSocket& operator=(const NetlinkSocket&) = delete;
    int fd() const { return fd_; }

private:
    int fd_;
};

Bytes make_request(std::uint16_t type, std::uint16_t flags, ByteView body) {
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + body.size());
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    Bytes request(NLMSG_HDRLEN + body.size());
    std::memcpy(request.data(), &header, sizeof header);
    std::copy(body.begin(), body.end(), request.begin() + NLMSG_HDRLEN);
    return request;
}

int protocol_of(NetlinkTable table) {
    switch (table) {
        case NetlinkTable::routes: return NETLINK_ROUTE;
        case NetlinkTable::sockets: return NETLINK_SOCK_DIAG;
        case NetlinkTable::transforms: break;
    }
    return NETLINK_XFRM;
}

struct Progress {
    bool done = false;
    ErrorCode error;
};

// All the messages of one read.
Progress read_messages(ByteView data, bool dump, const OnNetlinkMessage& on_message) {
    while (const auto header = netlink_header<nlmsghdr>(data)) {
        if (header->nlmsg_len < NLMSG_HDRLEN || header->nlmsg_len > data.size()) break;
        const ByteView body =
            data.subspan(NLMSG_HDRLEN, header->nlmsg_len - std::size_t{NLMSG_HDRLEN});
        if (header->nlmsg_type == NLMSG_DONE) return {true, {}};
        if (header->nlmsg_type == NLMSG_ERROR) {
            const auto problem = netlink_header<nlmsgerr>(body);
            return {true, system_error(problem ? -problem->error : EPROTO)};
        }
        on_message(header->nlmsg_type, body);
        if (!dump) return {true, {}};
        data = data.subspan(std::min<std::size_t>(NLMSG_ALIGN(header->nlmsg_len), data.size()));
    }
    return {};
}

}  // namespace

ErrorCode netlink_request(std::uint16_t type, std::uint16_t flags, ByteView body,
                          const OnNetlinkMessage& on_message) {
    return netlink_request(NetlinkTable::routes, type, flags, body, on_message);
}

ErrorCode netlink_request(NetlinkTable table, std::uint16_t type, std::uint16_t flags,
                          ByteView body, const OnNetlinkMessage& on_message) {
    const NetlinkSocket socket(protocol_of(table));
    if (socket.fd() < 0) return system_error(errno);
    const Bytes request = make_request(type, flags, body);
    if (::send(socket.fd(), request.data(), request.size(), 0) < 0) return system_error(errno);

    const bool dump = (flags & NLM_F_DUMP) != 0;
    Bytes buffer(read_size);
    for (unsigned reads = 0; reads < max_reads; ++reads) {
        const ssize_t received = ::recv(socket.fd(), buffer.data(), buffer.size(), 0);
        if (received < 0 && errno == EINTR) continue;
        if (received < 0) return system_error(errno);
        const ByteView data(buffer.data(), static_cast<std::size_t>(received));
        const Progress progress = read_messages(data, dump, on_message);
        if (progress.done) return progress.error;
    }
    return {};
}

namespace {

// Takes the next attribute off; nothing behind the last.
struct Attribute {
    std::uint16_t type = 0;
    ByteView value;
};

std::optional<Attribute> take_attribute(ByteView& body) {
    const auto attribute = netlink_header<rtattr>(body);
    if (!attribute || attribute->rta_len < sizeof(rtattr) || attribute->rta_len > body.size())
        return std::nullopt;
    Attribute taken;
    taken.type = attribute->rta_type & NLA_TYPE_MASK;
    taken.value = body.subspan(sizeof(rtattr), attribute->rta_len - sizeof(rtattr));
    body = body.subspan(std::min<std::size_t>(RTA_ALIGN(attribute->rta_len), body.size()));
    return taken;
}

ByteView behind_header(ByteView body, std::size_t header_size) {
    return body.subspan(std::min<std::size_t>(NLMSG_ALIGN(header_size), body.size()));
}

}  // namespace

ByteView netlink_attribute(ByteView body, std::size_t header_size, std::uint16_t type) {
    body = behind_header(body, header_size);
    while (const auto attribute = take_attribute(body)) {
        if (attribute->type == type) return attribute->value;
    }
    return {};
}

std::vector<std::uint16_t> netlink_attribute_types(ByteView body, std::size_t header_size) {
    std::vector<std::uint16_t> types;
    body = behind_header(body, header_size);
    while (const auto attribute = take_attribute(body)) types.push_back(attribute->type);
    return types;
}

std::optional<std::uint32_t> netlink_u32(ByteView value) {
    return netlink_header<std::uint32_t>(value);
}

std::string netlink_text(ByteView value) {
    const auto end = std::find(value.begin(), value.end(), std::uint8_t{0});
    return {value.begin(), end};
}

std::optional<IpAddress> netlink_address(ByteView value) {
    if (value.size() == 4) {
        return IpAddress::v4(std::array<std::uint8_t, 4>{value[0], value[1], value[2], value[3]});
    }
    if (value.size() != 16) return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    std::copy(value.begin(), value.end(), bytes.begin());
    return IpAddress::v6(bytes);
}

}  // namespace p2pdiag::net
