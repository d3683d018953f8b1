#include "attribution.hpp"

#include <algorithm>

#include "wire/icmp/message.hpp"

namespace p2pdiag::capture_plugin {

using capture::Carrier;
using capture::Segment;

namespace {

// An answer may come after its check has ended; and the host's note of a socket a little after the
// first packet from it.
constexpr std::int64_t tolerance_ns = 2'000'000'000;

std::optional<std::uint8_t> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    return std::nullopt;
}

std::optional<stun::TransactionId> parse_id(std::string_view hex) {
    stun::TransactionId id{};
    if (hex.size() != 2 * id.size()) return std::nullopt;
    for (std::size_t i = 0; i < id.size(); ++i) {
        const auto high = hex_digit(hex[2 * i]);
        const auto low = hex_digit(hex[2 * i + 1]);
        if (!high || !low) return std::nullopt;
        id[i] = static_cast<std::uint8_t>(*high << 4 | *low);
    }
    return id;
}

std::string text_of(const json::object& object, std::string_view name) {
    return std::string(json::find_string(object, name).value_or(""));
}

// Port 0 stands for none.
std::optional<Endpoint> endpoint_of(const json::object& object, std::string_view name) {
    const auto text = json::find_string(object, name);
    return text ? Endpoint::parse(*text) : std::nullopt;
}

bool is_same(const Endpoint& claimed, const Endpoint& seen) {
    if (claimed.port != seen.port) return false;
    const bool any = claimed.address.scope() == AddressScope::unspecified &&
                     claimed.address.family() == seen.address.family();
    return any || claimed.address == seen.address;
}

Carrier carrier_of(std::string_view protocol) {
    for (const Carrier carrier : {Carrier::udp, Carrier::tcp, Carrier::icmp}) {
        if (protocol == to_string(carrier)) return carrier;
    }
    return Carrier::other;
}

// An echo has an identifier where others have a port, the same in both directions.
struct Ends {
    Endpoint from;
    Endpoint to;

    Ends(Carrier carrier, const Endpoint& source, const Endpoint& destination, ByteView message)
        : from(source), to(destination) {
        if (carrier != Carrier::icmp) return;
        const auto identifier = icmp::echo_identifier(source.address.family(), message);
        from.port = to.port = identifier.value_or(0);
    }
};

std::string sentence(const std::string& check, const std::string& what) {
    return what.empty() ? check : check + ": " + what;
}

}  // namespace

void Attribution::note(const json::object& note) {
    const std::string_view type = json::find_string(note, "type").value_or("");
    const std::string check = text_of(note, "check");
    if (check.empty()) return;
    const std::int64_t time = json::find_integer(note, "time_ns").value_or(0);
    if (type == "flow") return note_flow(note);
    if (type == "started") spans_[check] = {time, std::nullopt};
    if (type == "finished") spans_[check].end_ns = time;
}

void Attribution::note_flow(const json::object& note) {
    const std::string check = text_of(note, "check");
    const Carrier carrier = carrier_of(text_of(note, "protocol"));
    if (carrier == Carrier::other) return;
    if (const json::array* transactions = json::find_array(note, "transactions")) {
        for (const json::value& entry : *transactions) {
            if (!entry.is_object()) continue;
            const json::object& transaction = entry.get_object();
            const auto id = parse_id(json::find_string(transaction, "id").value_or(""));
            if (id) transactions_[*id] = {check, text_of(transaction, "text")};
        }
    }
    Claim claim{check, text_of(note, "text"), endpoint_of(note, "local"),
                endpoint_of(note, "remote"), json::find_integer(note, "time_ns").value_or(0)};
    if (!claim.local && !claim.remote) return;
    // Every other ICMP message would be its own.
    if (carrier == Carrier::icmp && (!claim.local || claim.local->port == 0)) return;
    const Key key{carrier, claim.local.has_value(),
                  claim.local ? claim.local->port : claim.remote->port};
    claims_[key].push_back(std::move(claim));
}

std::string Attribution::comment(const Segment& segment, std::int64_t time_ns) const {
    if (segment.icmp) {
        std::string about = by_transaction(segment.icmp->payload);
        if (about.empty()) {
            const capture::IcmpError& error = *segment.icmp;
            const Ends ends(error.carrier, error.from, error.to, error.payload);
            about = by_flow(error.carrier, ends.from, ends.to, time_ns);
        }
        return about.empty() ? about : about + " (an error about it)";
    }
    if (!segment.later_fragment) {
        std::string about = by_transaction(segment.payload);
        if (!about.empty()) return about;
    }
    // A later fragment is no beginning of anything, and has the ports of the first one.
    if (segment.later_fragment) {
        return by_flow(segment.carrier, segment.from, segment.to, time_ns);
    }
    const Ends ends(segment.carrier, segment.from, segment.to, segment.payload);
    return by_flow(segment.carrier, ends.from, ends.to, time_ns);
}

// RFC 8489 section 5: type, length, cookie, transaction. On a stream too it is the first message
// that counts.
std::string Attribution::by_transaction(ByteView payload) const {
    ByteReader reader(payload);
    const std::uint16_t type = reader.u16();
    reader.u16();
    const std::uint32_t cookie = reader.u32();
    const ByteView id = reader.take(stun::TransactionId{}.size());
    if (!reader.ok() || cookie != stun::magic_cookie || (type & 0xc000) != 0) return {};
    stun::TransactionId key{};
    std::copy(id.begin(), id.end(), key.begin());
    const auto found = transactions_.find(key);
    if (found == transactions_.end()) return {};
    // RFC 8489 section 5: the class is in bits 4 and 8; responses have the higher one.
    constexpr std::uint16_t response = 0x0100;
    const bool answer = (type & response) != 0;
    return sentence(found->second.check, (answer ? "answer to " : "") + found->second.text);
}

bool Attribution::ran_at(const std::string& check, std::int64_t time_ns) const {
    const auto span = spans_.find(check);
    if (span == spans_.end()) return true;
    if (time_ns + tolerance_ns < span->second.begin_ns) return false;
    return !span->second.end_ns || time_ns <= *span->second.end_ns + tolerance_ns;
}

std::string Attribution::by_flow(Carrier carrier, const Endpoint& from, const Endpoint& to,
                                 std::int64_t time_ns) const {
    const Claim* found = nullptr;
    bool disputed = false;
    const auto look = [&](bool is_local, const Endpoint& end, const Endpoint& other) {
        const auto claims = claims_.find(Key{carrier, is_local, end.port});
        if (claims == claims_.end()) return;
        for (const Claim& claim : claims->second) {
            if (!is_same(is_local ? *claim.local : *claim.remote, end)) continue;
            if (is_local && claim.remote && !is_same(*claim.remote, other)) continue;
            if (claim.since_ns > time_ns + tolerance_ns) continue;
            if (!ran_at(claim.check, time_ns)) continue;
            disputed = disputed || (found != nullptr && found->check != claim.check);
            if (found == nullptr || !claim.text.empty()) found = &claim;
        }
    };
    for (const bool is_local : {true, false}) {
        look(is_local, from, to);
        look(is_local, to, from);
    }
    if (found == nullptr || disputed) return {};
    return sentence(found->check, found->text);
}

}  // namespace p2pdiag::capture_plugin
