// Whose packet is it? What the checks of a run said of their sockets and transactions, put together
// with the packets that were seen.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/json.hpp"
#include "capture/segment.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::capture_plugin {

class Attribution {
public:
    // A note of the host, see docs/plugin-author/reference.md: a flow, or that a check began or
    // ended. One that is not understood is passed over.
    void note(const json::object& note);

    // "stun.nat: mapping test, send 1 to 192.0.2.1:3478", or "stun.nat: answer: …"; empty where no
    // check claimed the packet, or several did.
    std::string comment(const capture::Segment& segment, std::int64_t time_ns) const;

private:
    struct Transaction {
        std::string check;
        std::string text;
    };
    struct Claim {
        std::string check;
        std::string text;
        std::optional<Endpoint> local;
        std::optional<Endpoint> remote;
        std::int64_t since_ns = 0;
    };
    struct Span {
        std::int64_t begin_ns = 0;
        std::optional<std::int64_t> end_ns;
    };
    // The protocol, and a port of this end (claims with a local end) or of the other.
    struct Key {
        capture::Carrier carrier = capture::Carrier::other;
        bool is_local = true;
        std::uint16_t port = 0;
        friend auto operator<=>(const Key&, const Key&) = default;
    };

    void note_flow(const json::object& note);
    std::string by_transaction(ByteView payload) const;
    std::string by_flow(capture::Carrier carrier, const Endpoint& from, const Endpoint& to,
                        std::int64_t time_ns) const;
    bool ran_at(const std::string& check, std::int64_t time_ns) const;

    std::map<stun::TransactionId, Transaction> transactions_;
    std::map<Key, std::vector<Claim>> claims_;
    std::map<std::string, Span> spans_;
};

}  // namespace p2pdiag::capture_plugin
