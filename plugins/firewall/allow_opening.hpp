// What `firewall allow` lets in, and the rule for it in the language of each packet filter. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/json.hpp"
#include "bits.hpp"

namespace p2pdiag::firewall {

// "192.0.2.0/24", or one address.
struct SourceNet {
    IpAddress address;    // no bit past the prefix is set
    unsigned prefix = 0;  // bits, from 1

    // Nothing when it is none of these; `why` then says what is wrong with it.
    static std::optional<SourceNet> parse(std::string_view text, std::string& why);

    std::string to_string() const;  // always with its prefix
    Known bits() const;             // what is known of an address in it
    IpAddress first() const { return address; }
    IpAddress last() const;

    friend bool operator==(const SourceNet&, const SourceNet&) = default;
};

// One port of one protocol.
struct Opening {
    std::uint16_t port = 0;
    std::uint8_t protocol = 0;        // protocol_udp or protocol_tcp
    std::optional<SourceNet> source;  // nothing: from everywhere

    friend bool operator==(const Opening&, const Opening&) = default;
};

std::string_view protocol_word(std::uint8_t protocol);  // "udp", "tcp"
std::string described(const Opening& opening);          // "UDP port 8000 from 192.0.2.0/24"

// A rule that accepts it; with `for_this_machine` only what is addressed to the machine itself,
// for chains that also see what it forwards.
json::array nft_statements(const Opening& opening, bool for_this_machine);
std::string nft_rule_text(const Opening& opening, bool for_this_machine);

// What stands behind "-A CHAIN", word by word.
std::vector<std::string> iptables_words(const Opening& opening, bool for_this_machine,
                                        const std::string& comment);

// What stands behind "ufw": {"allow", "8000/udp"}.
std::vector<std::string> ufw_words(const Opening& opening);

// "port=8000/udp" or "rich-rule=rule …", what stands behind "--add-", "--query-", "--remove-".
std::string firewalld_subject(const Opening& opening);

// How a rule of ours is known again: "p2pdiag 0123abcd", of the id of the journal's record.
std::string comment_of(std::string_view id);

}  // namespace p2pdiag::firewall
