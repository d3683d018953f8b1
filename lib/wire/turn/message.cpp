#include "wire/turn/message.hpp"

#include <algorithm>

#include "wire/stun/attributes.hpp"

namespace p2pdiag::turn {

namespace {

// RFC 8656 section 18.
constexpr std::uint16_t channel_number = 0x000C;
constexpr std::uint16_t lifetime = 0x000D;
constexpr std::uint16_t xor_peer_address = 0x0012;
constexpr std::uint16_t data_attribute = 0x0013;
constexpr std::uint16_t xor_relayed_address = 0x0016;

// The form of XOR-MAPPED-ADDRESS: RFC 8489 section 14.2.
std::optional<Endpoint> read_xored(ByteView value, const stun::Message& message) {
    ByteReader reader(value);
    reader.u8();
    const std::uint8_t family = reader.u8();
    Endpoint plain;
    plain.port = reader.u16();
    if (family == 1 && reader.remaining() == 4) {
        plain.address = IpAddress::v4(reader.u32());
    } else if (family == 2 && reader.remaining() == 16) {
        std::array<std::uint8_t, 16> bytes{};
        std::ranges::copy(reader.take(bytes.size()), bytes.begin());
        plain.address = IpAddress::v6(bytes);
    } else {
        return std::nullopt;
    }
    return stun::xor_endpoint(plain, message.cookie, message.transaction);
}

}  // namespace

std::string_view method_name(stun::Method method) {
    switch (static_cast<std::uint16_t>(method)) {
        case 0x001: return "Binding";
        case 0x003: return "Allocate";
        case 0x004: return "Refresh";
        case 0x006: return "Send";
        case 0x007: return "Data";
        case 0x008: return "CreatePermission";
        case 0x009: return "ChannelBind";
        case 0x00A: return "Connect";
        case 0x00B: return "ConnectionBind";
        case 0x00C: return "ConnectionAttempt";
        default: return "unknown method";
    }
}

bool is_turn(stun::Method method) {
    return method != stun::Method::binding && method_name(method) != "unknown method";
}

Attributes attributes_of(const stun::Message& message) {
    Attributes found;
    for (const stun::RawAttribute& raw : message.others) {
        ByteReader reader(raw.value);
        switch (raw.type) {
            case xor_peer_address:
                if (!found.peer) found.peer = read_xored(raw.value, message);
                break;
            case xor_relayed_address:
                if (!found.relayed) found.relayed = read_xored(raw.value, message);
                break;
            case channel_number:
                if (raw.value.size() == 4) found.channel = reader.u16();
                break;
            case lifetime:
                if (raw.value.size() == 4) found.lifetime = reader.u32();
                break;
            case data_attribute: found.data_size = raw.value.size(); break;
            default: break;
        }
    }
    return found;
}

std::optional<ChannelData> parse_channel_data(ByteView datagram) {
    ByteReader reader(datagram);
    ChannelData message;
    message.channel = reader.u16();
    const std::size_t size = reader.u16();
    message.data = reader.take(size);
    const bool possible = message.channel >= 0x4000 && message.channel <= 0x7FFF;
    // RFC 8656 section 12.5: over UDP the padding is not required; with it there are up to three
    // bytes more.
    if (!reader.ok() || !possible || reader.remaining() > 3) return std::nullopt;
    return message;
}

}  // namespace p2pdiag::turn
