// Where the fields that rules name lie in a packet.
#pragma once

#include <optional>
#include <string_view>

#include "literals.hpp"
#include "ruleset.hpp"

namespace p2pdiag::firewall {

struct Field {
    Payload where;
    TypeInfo type;
};

// nft's names, as in "udp" "dport". "th" is the transport header whatever the protocol. Nothing for
// a protocol or field that is not known.
std::optional<Field> payload_field(std::string_view protocol, std::string_view field);

struct MetaField {
    Meta key;
    TypeInfo type;
};

std::optional<MetaField> meta_field(std::string_view key);

// Whether a meta key that meta_field() does not know is a matter of time, load or the local
// program.
bool is_circumstantial_meta(std::string_view key);

struct CtField {
    Ct key;
    TypeInfo type;
};

// `direction` is "original", "reply" or empty.
std::optional<CtField> ct_field(std::string_view key, std::string_view direction);

}  // namespace p2pdiag::firewall
