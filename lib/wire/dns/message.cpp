#include "wire/dns/message.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace p2pdiag::dns {

namespace {

struct ParseCategory : boost::system::error_category {
    const char* name() const noexcept override { return "dns"; }
    std::string message(int value) const override {
        switch (static_cast<ParseError>(value)) {
            case ParseError::too_short: return "shorter than a DNS header";
            case ParseError::too_many_questions: return "no number of questions that anybody asks";
            case ParseError::bad_name: return "a name that runs past the end or in a circle";
        }
        return "unknown DNS error";
    }
};

constexpr std::size_t header_size = 12;

class Parser {
public:
    explicit Parser(ByteView datagram) : datagram_(datagram) {}

    Result<Message> run() {
        if (datagram_.size() < header_size) return ParseError::too_short;
        ByteReader header(datagram_);
        message_.id = header.u16();
        const std::uint16_t flags = header.u16();
        const std::size_t questions = header.u16();
        const std::size_t answers = header.u16();
        message_.response = (flags & 0x8000) != 0;
        message_.opcode = static_cast<std::uint8_t>(flags >> 11 & 0x0F);
        message_.truncated = (flags & 0x0200) != 0;
        message_.code = static_cast<ResponseCode>(flags & 0x0F);
        if (questions > max_questions) return ParseError::too_many_questions;
        at_ = header_size;
        for (std::size_t i = 0; i < questions; ++i) {
            if (!question()) return ParseError::bad_name;
        }
        for (std::size_t i = 0; i < std::min(answers, max_records); ++i) {
            if (!record()) {
                message_.answers_cut = true;
                break;
            }
        }
        return std::move(message_);
    }

private:
    bool question() {
        Question one;
        if (!name(at_, one.name) || left() < 4) return false;
        one.type = static_cast<Type>(u16());
        u16();  // class
        message_.questions.push_back(std::move(one));
        return true;
    }

    bool record() {
        constexpr std::size_t fixed_size = 10;  // RFC 1035 section 4.1.3
        Record one;
        if (!name(at_, one.name) || left() < fixed_size) return false;
        one.type = static_cast<Type>(u16());
        u16();
        one.ttl = static_cast<std::uint32_t>(u16()) << 16;
        one.ttl |= u16();
        const std::size_t size = u16();
        if (left() < size) return false;
        const ByteView data = datagram_.subspan(at_, size);
        if (one.type == Type::a && size == 4) {
            one.address = IpAddress::v4(ByteReader(data).u32());
        } else if (one.type == Type::aaaa && size == 16) {
            std::array<std::uint8_t, 16> bytes{};
            std::copy(data.begin(), data.end(), bytes.begin());
            one.address = IpAddress::v6(bytes);
        } else if (one.type == Type::cname || one.type == Type::ns || one.type == Type::ptr) {
            std::size_t start = at_;
            if (!name(start, one.target)) return false;
        }
        at_ += size;
        message_.answers.push_back(std::move(one));
        return true;
    }

    // RFC 1035 section 4.1.4. Moves `at` past the name. A pointer may only lead further back than
    // where the part it ends began, so that every chain of them ends.
    bool name(std::size_t& at, std::string& text) const {
        std::size_t place = at;
        std::size_t lowest = at;
        std::size_t size = 0;
        bool jumped = false;
        while (place < datagram_.size()) {
            const std::size_t length = datagram_[place];
            if (length >= 0xC0) {
                if (place + 1 >= datagram_.size()) return false;
                const std::size_t target = (length & 0x3F) << 8 | datagram_[place + 1];
                if (target >= lowest) return false;
                if (!jumped) at = place + 2;
                jumped = true;
                place = lowest = target;
                continue;
            }
            if (length >= 0x40) return false;  // reserved
            if (length == 0) {
                if (!jumped) at = place + 1;
                if (text.empty()) text = ".";
                return true;
            }
            size += length + 1;
            if (size > max_name || datagram_.size() - place - 1 < length) return false;
            if (!text.empty()) text += '.';
            text += printable(as_text(datagram_.subspan(place + 1, length)));
            place += length + 1;
        }
        return false;
    }

    std::size_t left() const { return datagram_.size() - at_; }
    std::uint16_t u16() {
        const std::uint16_t value = ByteReader(datagram_.subspan(at_)).u16();
        at_ += 2;
        return value;
    }

    ByteView datagram_;
    std::size_t at_ = 0;
    Message message_;
};

}  // namespace

std::string to_string(Type type) {
    switch (type) {
        case Type::a: return "A";
        case Type::ns: return "NS";
        case Type::cname: return "CNAME";
        case Type::soa: return "SOA";
        case Type::ptr: return "PTR";
        case Type::mx: return "MX";
        case Type::txt: return "TXT";
        case Type::aaaa: return "AAAA";
        case Type::srv: return "SRV";
        case Type::https: return "HTTPS";
        case Type::any: return "ANY";
    }
    return "type " + std::to_string(static_cast<unsigned>(type));
}

std::string_view to_string(ResponseCode code) {
    switch (code) {
        case ResponseCode::no_error: return "NOERROR";
        case ResponseCode::format_error: return "FORMERR";
        case ResponseCode::server_failure: return "SERVFAIL";
        case ResponseCode::name_error: return "NXDOMAIN";
        case ResponseCode::not_implemented: return "NOTIMP";
        case ResponseCode::refused: return "REFUSED";
    }
    return "unknown code";
}

const boost::system::error_category& parse_category() {
    static const ParseCategory category;
    return category;
}

ErrorCode make_error_code(ParseError error) { return {static_cast<int>(error), parse_category()}; }

Result<Message> parse(ByteView datagram) { return Parser(datagram).run(); }

}  // namespace p2pdiag::dns
