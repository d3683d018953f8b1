// Fragments in any order, with any overlap, beside a reassembly that is as plain as can be: one
// array per datagram, written byte by byte.
#include <cstdlib>
#include <map>
#include <set>

#include "base/bytes.hpp"
#include "capture/fragments.hpp"

using namespace p2pdiag;
using capture::Datagram;
using capture::Fragments;
using Taken = Fragments::Taken;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

struct Plain {
    struct Part {
        std::size_t from, to;
        bool last;
        Bytes bytes;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    bool refused = false;

    Taken add(const Part& part) {
        if (refused) return Taken::refused;
        for (const Part& other : parts) {
            if (other == part) return Taken::held;
        }
        refused = part.to > Fragments::max_size;
        for (const Part& other : parts) {
            const bool apart = part.from >= other.to || other.from >= part.to;
            const bool beyond = (other.last && part.to > other.to) ||
                                (part.last && (other.last || other.to > part.to));
            refused = refused || !apart || beyond;
        }
        if (refused) return Taken::refused;
        parts.push_back(part);
        std::size_t received = 0;
        bool last = false;
        std::size_t end = 0;
        for (const Part& one : parts) {
            received += one.to - one.from;
            end = std::max(end, one.to);
            last = last || one.last;
        }
        return last && received == end ? Taken::whole : Taken::held;
    }

    // From the beginning up to the first hole.
    Bytes beginning() const {
        Bytes all;
        for (bool more = true; more;) {
            more = false;
            for (const Part& one : parts) {
                if (one.from != all.size() || one.to == one.from) continue;
                all.insert(all.end(), one.bytes.begin(), one.bytes.end());
                more = true;
            }
        }
        return all;
    }
};

}  // namespace

// For each fragment three bytes: which datagram, where it begins and how long it is in units of
// eight bytes. The top bit of the first: it is the last one; the next: three bytes longer; the
// next: its content differs; the next: far behind.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader reader(ByteView(data, size));
    std::map<std::uint32_t, Plain> open;
    std::set<std::uint32_t> given_up;
    const auto give_up = [&](const Datagram& datagram) {
        const Bytes expected = open[datagram.ip.id].beginning();
        require(!expected.empty() && datagram.ip.cut());
        require(Bytes(datagram.ip.payload.begin(), datagram.ip.payload.end()) == expected);
        require(given_up.insert(datagram.ip.id).second);
    };
    Fragments fragments(give_up);
    std::size_t refused = 0;
    while (reader.remaining() >= 3) {
        const std::uint8_t first = reader.u8();
        const std::size_t from = (reader.u8() + ((first & 0x10) != 0 ? 7936 : 0)) * std::size_t{8};
        const std::size_t length =
            reader.u8() * std::size_t{8} + ((first & 0x40) != 0 ? std::size_t{3} : 0);
        Bytes bytes(length);
        for (std::size_t i = 0; i < length; ++i) {
            bytes[i] = static_cast<std::uint8_t>((from + i) / 8 + i + ((first & 0x20) != 0));
        }
        capture::IpPacket packet;
        packet.protocol = capture::ip_protocol::udp;
        packet.id = first & 0x0F;
        packet.fragment_offset = static_cast<std::uint16_t>(from);
        packet.more_fragments = (first & 0x80) == 0;
        packet.payload = bytes;
        packet.size = length;
        if (!packet.is_fragment()) continue;

        Datagram datagram;
        const Taken taken = fragments.add(packet, {}, datagram);
        const bool broken = length == 0 || (packet.more_fragments && length % 8 != 0);
        require((taken == Taken::malformed) == broken);
        if (broken) continue;
        Plain& plain = open[packet.id];
        const bool before = plain.refused;
        require(taken == plain.add({from, from + length, !packet.more_fragments, bytes}));
        if (plain.refused && !before) ++refused;
        if (taken != Taken::whole) continue;
        require(!datagram.ip.cut() && datagram.fragments == plain.parts.size());
        require(Bytes(datagram.ip.payload.begin(), datagram.ip.payload.end()) == plain.beginning());
        open.erase(packet.id);
    }
    fragments.give_up_all();
    require(fragments.refused() == refused);
    std::size_t orphans = 0;
    for (const auto& [id, plain] : open) {
        const bool told = !plain.refused && !plain.beginning().empty();
        require(given_up.contains(id) == told);
        if (!plain.refused && !told) orphans += plain.parts.size();
    }
    require(fragments.orphans() == orphans);
    return 0;
}
