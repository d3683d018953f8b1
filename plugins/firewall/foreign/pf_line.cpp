#include "foreign/pf_line.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "literals.hpp"

namespace p2pdiag::firewall::pf {

namespace {

struct Service {
    std::string_view name;
    std::uint16_t port;
};

// pfctl prints a port by the name in /etc/services, where it has one and stands alone. Those of
// IANA's names that belong to one port.
constexpr Service services[] = {
    {"ftp", 21},          {"ssh", 22},          {"telnet", 23},       {"smtp", 25},
    {"domain", 53},       {"bootps", 67},       {"bootpc", 68},       {"tftp", 69},
    {"http", 80},         {"pop3", 110},        {"sunrpc", 111},      {"ntp", 123},
    {"netbios-ns", 137},  {"netbios-dgm", 138}, {"netbios-ssn", 139}, {"imap", 143},
    {"snmp", 161},        {"ldap", 389},        {"https", 443},       {"microsoft-ds", 445},
    {"isakmp", 500},      {"afpovertcp", 548},  {"submission", 587},  {"ipp", 631},
    {"imaps", 993},       {"pop3s", 995},       {"socks", 1080},      {"openvpn", 1194},
    {"l2tp", 1701},       {"pptp", 1723},       {"ssdp", 1900},       {"ms-wbt-server", 3389},
    {"ipsec-msft", 4500}, {"sip", 5060},        {"mdns", 5353},       {"postgresql", 5432},
    {"rfb", 5900},        {"irdmi", 8000},
};

std::optional<std::uint16_t> port_of(std::string_view text) {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number;
    const auto* found = std::find_if(std::begin(services), std::end(services),
                                     [&](const Service& one) { return one.name == text; });
    return found == std::end(services) ? std::nullopt : std::optional(found->port);
}

// Ends that would lie outside of what a port can be make an interval that none is in.
Ports between(int low, int high) {
    Ports ports;
    ports.any = false;
    ports.low = static_cast<std::uint16_t>(std::clamp(low, 0, 65535));
    ports.high = static_cast<std::uint16_t>(std::clamp(high, 0, 65535));
    if (low > high) ports.low = 1, ports.high = 0;
    return ports;
}

Ports unread(const std::string& text) {
    Ports ports;
    ports.any = false;
    ports.unread = text;
    return ports;
}

// pf.conf(5): "><" and "<>" leave their ends out and in, ":" takes them in.
Ports read_pair(const std::string& first, const std::string& how, const std::string& second) {
    const auto low = port_of(first);
    const auto high = port_of(second);
    if (!low || !high) return unread(first + ' ' + how + ' ' + second);
    if (how == "><") return between(*low + 1, *high - 1);
    Ports ports = between(*low, *high);
    ports.outside = how == "<>";
    return ports;
}

Ports read_ports(Words& words) {
    const std::string first = words.take();
    const bool alone = first == "=" || first == "!=" || first == "<" || first == "<=" ||
                       first == ">" || first == ">=";
    if (!alone) {
        if (const std::size_t colon = first.find(':'); colon != std::string::npos)
            return read_pair(first.substr(0, colon), ":", first.substr(colon + 1));
        if (words.next() == "><" || words.next() == "<>") {
            const std::string how = words.take();
            return read_pair(first, how, words.take());
        }
        return unread(first);
    }
    const std::string text = words.take();
    const auto port = port_of(text);
    if (!port) return unread(first + ' ' + text);
    if (first == "<") return between(0, *port - 1);
    if (first == "<=") return between(0, *port);
    if (first == ">") return between(*port + 1, 65535);
    if (first == ">=") return between(*port, 65535);
    Ports ports = between(*port, *port);
    ports.outside = first == "!=";
    return ports;
}

void read_address(Words& words, Host& host) {
    std::string text = words.take();
    host.name = text;
    if (text == "any") return;
    host.kind = Host::Kind::unread;
    if (text.size() > 2 && text.front() == '<' && text.back() == '>') {
        host.kind = Host::Kind::table;
        host.name = text.substr(1, text.size() - 2);
        return;
    }
    if (text.size() > 2 && text.front() == '(' && text.back() == ')') {
        host.kind = Host::Kind::interface;
        host.name = text.substr(1, text.size() - 2);
        return;
    }
    const auto network = read_network(text);
    if (words.take("-")) {
        const std::string last_text = words.take();
        const auto last = IpAddress::parse(last_text);
        if (!network || !last || last->family() != network->family) return;
        host.high = to_bits(*last);
    } else if (network) {
        host.high = network->high;
    } else {
        return;
    }
    host.kind = Host::Kind::range;
    host.family = network->family;
    host.low = network->low;
}

}  // namespace

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < line.size() && words.size() < most_words;) {
        const char c = line[at];
        if (c == ' ' || c == '\t') {
            ++at;
            continue;
        }
        const char closing = c == '"' ? '"' : c == '(' ? ')' : '\0';
        const std::size_t end =
            closing == '\0' ? line.find_first_of(" \t", at) : line.find(closing, at + 1);
        const std::size_t stop = std::min(end, line.size());
        if (c == '"')
            words.emplace_back(line.substr(at + 1, stop - at - 1));
        else
            words.emplace_back(line.substr(at, stop - at + (closing == ')' ? 1 : 0)));
        at = closing == '\0' ? stop : stop + 1;
    }
    return words;
}

const std::string& Words::next() const {
    static const std::string nothing;
    return done() ? nothing : words_[at_];
}

bool Words::take(std::string_view word) {
    if (done() || words_[at_] != word) return false;
    ++at_;
    return true;
}

std::string Words::take() {
    std::string word = next();
    skip();
    return word;
}

Host read_host(Words& words) {
    Host host;
    host.negated = words.take("!");
    read_address(words, host);
    if (words.take("port")) host.ports = read_ports(words);
    return host;
}

std::optional<TableEntry> read_network(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const unsigned width = address->is_v4() ? 32 : 128;
    unsigned prefix = width;
    if (slash != text.size()) {
        const std::string_view rest = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), prefix);
        if (error != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
    }
    const auto interval = prefix_interval(to_bits(*address), prefix, width);
    if (!interval) return std::nullopt;
    return TableEntry{false, address->family(), prefix, interval->low, interval->high};
}

std::optional<TableEntry> read_entry(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    const bool negated = text.starts_with('!');
    if (negated) {
        text.remove_prefix(1);
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    }
    auto entry = read_network(text);
    if (entry) entry->negated = negated;
    return entry;
}

}  // namespace p2pdiag::firewall::pf
