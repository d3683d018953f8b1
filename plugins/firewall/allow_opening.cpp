#include "allow_opening.hpp"

#include <charconv>

#include "bits.hpp"
#include "model.hpp"

namespace p2pdiag::firewall {

namespace {

unsigned width_of(const IpAddress& address) { return address.is_v4() ? 32 : 128; }

Bits host_mask(const IpAddress& address, unsigned prefix) {
    return low_mask(width_of(address) - prefix);
}

std::string_view ip_word(const SourceNet& net) { return net.address.is_v4() ? "ip" : "ip6"; }

json::object match(json::object left, json::value right) {
    return {{"match",
             json::object{{"op", "=="}, {"left", std::move(left)}, {"right", std::move(right)}}}};
}

json::object payload(std::string_view protocol, std::string_view field) {
    return {{"payload", json::object{{"protocol", protocol}, {"field", field}}}};
}

}  // namespace

std::optional<SourceNet> SourceNet::parse(std::string_view text, std::string& why) {
    const std::size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) {
        why = "an address, or a network like 192.0.2.0/24, is wanted";
        return std::nullopt;
    }
    SourceNet net{*address, width_of(*address)};
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const char* end = digits.data() + digits.size();
        const auto [stop, error] = std::from_chars(digits.data(), end, net.prefix);
        if (error != std::errc() || stop != end || net.prefix > width_of(*address)) {
            why = "what stands after / must be from 1 to " + std::to_string(width_of(*address));
            return std::nullopt;
        }
    }
    if (net.prefix == 0) {
        why = "that is everybody: leave it out";
        return std::nullopt;
    }
    const Bits bits = to_bits(*address);
    const Bits network = bits & ~host_mask(*address, net.prefix);
    if (network != bits) {
        net.address = to_address(network, address->family());
        why = "it has bits beyond its prefix: the network is " + net.to_string();
        return std::nullopt;
    }
    if (address->scope() == AddressScope::multicast) {
        why = "nobody sends from a multicast address";
        return std::nullopt;
    }
    return net;
}

std::string SourceNet::to_string() const {
    return address.to_string() + '/' + std::to_string(prefix);
}

Known SourceNet::bits() const { return {to_bits(address), host_mask(address, prefix)}; }

IpAddress SourceNet::last() const {
    return to_address(to_bits(address) | host_mask(address, prefix), address.family());
}

std::string_view protocol_word(std::uint8_t protocol) {
    return protocol == protocol_udp ? "udp" : "tcp";
}

std::string described(const Opening& opening) {
    std::string text = opening.protocol == protocol_udp ? "UDP" : "TCP";
    text += " port " + std::to_string(opening.port);
    if (opening.source) text += " from " + opening.source->to_string();
    return text;
}

json::array nft_statements(const Opening& opening, bool for_this_machine) {
    json::array statements;
    if (opening.source) {
        json::value address(opening.source->address.to_string());
        // A signed number, as every number is that comes out of a text.
        const std::int64_t len = opening.source->prefix;
        if (opening.source->prefix != width_of(opening.source->address)) {
            address =
                json::object{{"prefix", json::object{{"addr", std::move(address)}, {"len", len}}}};
        }
        statements.push_back(match(payload(ip_word(*opening.source), "saddr"), std::move(address)));
    }
    statements.push_back(
        match(payload(protocol_word(opening.protocol), "dport"), std::int64_t{opening.port}));
    if (for_this_machine) {
        json::object fib{
            {"fib", json::object{{"result", "type"}, {"flags", json::array{"daddr"}}}}};
        statements.push_back(match(std::move(fib), "local"));
    }
    statements.push_back(json::object{{"accept", nullptr}});
    return statements;
}

std::string nft_rule_text(const Opening& opening, bool for_this_machine) {
    std::string text;
    if (opening.source) {
        text =
            std::string(ip_word(*opening.source)) + " saddr " + opening.source->to_string() + ' ';
    }
    text += std::string(protocol_word(opening.protocol)) + " dport " + std::to_string(opening.port);
    if (for_this_machine) text += " fib daddr type local";
    return text + " accept";
}

std::vector<std::string> iptables_words(const Opening& opening, bool for_this_machine,
                                        const std::string& comment) {
    const std::string protocol(protocol_word(opening.protocol));
    std::vector<std::string> words;
    if (opening.source) words = {"-s", opening.source->to_string()};
    for (const std::string& word : {std::string("-p"), protocol, std::string("-m"), protocol,
                                    std::string("--dport"), std::to_string(opening.port)}) {
        words.push_back(word);
    }
    if (for_this_machine) words.insert(words.end(), {"-m", "addrtype", "--dst-type", "LOCAL"});
    words.insert(words.end(), {"-m", "comment", "--comment", comment, "-j", "ACCEPT"});
    return words;
}

std::vector<std::string> ufw_words(const Opening& opening) {
    const std::string port = std::to_string(opening.port);
    const std::string protocol(protocol_word(opening.protocol));
    if (!opening.source) return {"allow", port + '/' + protocol};
    // A single address is printed without a prefix, and is to be found again.
    const SourceNet& net = *opening.source;
    const bool single = net.prefix == width_of(net.address);
    const std::string from = single ? net.address.to_string() : net.to_string();
    return {"allow", "from", from, "to", "any", "port", port, "proto", protocol};
}

std::string firewalld_subject(const Opening& opening) {
    const std::string port = std::to_string(opening.port);
    const std::string protocol(protocol_word(opening.protocol));
    if (!opening.source) return "port=" + port + '/' + protocol;
    const std::string family(to_string(opening.source->address.family()));
    return "rich-rule=rule family=\"" + family + "\" source address=\"" +
           opening.source->to_string() + "\" port port=\"" + port + "\" protocol=\"" + protocol +
           "\" accept";
}

std::string comment_of(std::string_view id) { return "p2pdiag " + std::string(id); }

}  // namespace p2pdiag::firewall
