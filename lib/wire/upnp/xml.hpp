// Inside of lib/wire/upnp: hostile XML, read with pugixml. Why not with miniupnpc's parser:
// docs/adr/0008-upnp-transport.md.
#pragma once

#include <algorithm>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "base/text.hpp"

namespace p2pdiag::upnp {

// What can be read of `text`. A document that breaks off or has a wrong end tag gives what stood
// before: routers with broken XML are many. pugixml knows no entities but those of XML itself, so
// there is nothing to expand; it does not recurse, and its memory is a small multiple of the
// text's.
inline void read_xml(pugi::xml_document& document, std::string_view text) {
    document.load_buffer(text.data(), text.size(), pugi::parse_cdata | pugi::parse_escapes);
}

// The name without its namespace prefix. Routers get the prefixes wrong too often to look at them.
inline std::string_view local_name(const pugi::xml_node& node) {
    const std::string_view name = node.name();
    const std::size_t colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// The first child element of this name; an empty node when there is none, and for an empty
// `parent`.
inline pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) {
    for (const pugi::xml_node node : parent.children()) {
        if (local_name(node) == name) return node;
    }
    return {};
}

// The text in an element, printable and without blanks around it.
inline std::string text_of(const pugi::xml_node& element, std::size_t most) {
    constexpr std::string_view blanks = " \t\r\n";
    std::string_view text = element.child_value();
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    text = text.substr(0, text.find_last_not_of(blanks) + 1);
    return printable(text, most);
}

inline std::string child_text(const pugi::xml_node& parent, std::string_view name,
                              std::size_t most = 128) {
    return text_of(child(parent, name), most);
}

}  // namespace p2pdiag::upnp
