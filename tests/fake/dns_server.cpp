#include "fake/dns_server.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>

#include "base/bytes.hpp"

namespace p2pdiag::testing {

namespace {

// RFC 1035 section 3.2.2 and RFC 3596.
constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_aaaa = 28;
// RFC 1035 section 4.1.1.
constexpr std::uint16_t response_flags = 0x8180;
constexpr std::uint16_t server_failure = 2;
constexpr std::uint16_t name_error = 3;
constexpr std::uint16_t refused = 5;
constexpr std::uint16_t truncated = 0x0200;

struct Question {
    std::string label;
    std::uint16_t type = 0;
    std::size_t size = 0;  // of the header and the question
};

Question read_question(ByteView query) {
    ByteReader reader(query);
    Question question;
    reader.take(12);
    for (std::uint8_t size = reader.u8(); size != 0 && reader.ok(); size = reader.u8()) {
        const std::string_view label = as_text(reader.take(size));
        if (question.label.empty()) question.label = label;
    }
    question.type = reader.u16();
    reader.u16();
    question.size = query.size() - reader.remaining();
    return question;
}

// Empty: no answer.
Bytes answer(ByteView query, const FakeDnsOptions& options) {
    if (options.silent) return {};
    const Question question = read_question(query);
    const bool v6 = question.type == type_aaaa;
    const std::string& label = question.label;
    if (label == "silent" || (label == "slow6" && v6)) return {};

    const bool ipv4only = label == "ipv4only";
    const bool known = label == "both" || label == "v4only" || label == "slow6" || ipv4only;
    const bool has_v6 = label == "both" || (ipv4only && options.nat64);
    const bool has_record = known && (v6 ? has_v6 : question.type == type_a);
    std::uint16_t flags = response_flags;
    if (label == "broken") flags |= server_failure;
    if (label == "refused") flags |= refused;
    if (label == "cut") flags |= truncated;
    const bool special = label == "broken" || label == "refused" || label == "cut";
    if (!known && !special) flags |= name_error;

    ByteWriter writer;
    writer.append(query.first(2));
    writer.u16(flags);
    writer.u16(1);
    writer.u16(has_record ? 1 : 0);
    writer.u32(0);
    writer.append(query.subspan(12, question.size - 12));
    if (has_record) {
        writer.u16(0xC00C);  // the name of the question
        writer.u16(question.type);
        writer.u16(1);
        writer.u32(60);
        writer.u16(v6 ? 16 : 4);
        if (v6 && ipv4only) {
            writer.u32(0x0064ff9b);
            writer.zeros(8);
            writer.u32(0xC00000AA);
        } else if (v6) {
            writer.u32(0x20010db8);
            writer.zeros(11);
            writer.u8(1);
        } else {
            writer.u32(0xC0000201);
        }
    }
    return writer.take();
}

}  // namespace

FakeDnsServer::FakeDnsServer(FakeDnsOptions options)
    : options_(options), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(socket_);
        throw std::runtime_error("port 53 is taken");
    }
    thread_ = std::thread([this] { serve(); });
}

FakeDnsServer::~FakeDnsServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
}

void FakeDnsServer::serve() {
    std::array<std::uint8_t, 512> buffer;
    for (;;) {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        const ssize_t received = ::recvfrom(socket_, buffer.data(), buffer.size(), 0,
                                            reinterpret_cast<sockaddr*>(&peer), &size);
        if (received <= 0) return;  // shut down
        if (received < 17) continue;
        const Bytes reply =
            answer(ByteView(buffer.data(), static_cast<std::size_t>(received)), options_);
        if (reply.empty()) continue;
        ::sendto(socket_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), size);
    }
}

}  // namespace p2pdiag::testing
