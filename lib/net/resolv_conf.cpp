#include "net/resolv_conf.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/file.hpp"
#include "base/text.hpp"

namespace p2pdiag::net {

namespace {

constexpr std::size_t largest_file = 64 * 1024;
constexpr std::size_t most_servers = 8;
constexpr std::size_t most_lines = 3;  // MAXNS
constexpr std::size_t most_domains = 32;
// RFC 1035 section 3.1: 255 octets.
constexpr std::size_t longest_domain = 255;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    std::size_t at = 0;
    while (at < line.size()) {
        while (at < line.size() && is_blank(line[at])) ++at;
        const std::size_t begin = at;
        while (at < line.size() && !is_blank(line[at])) ++at;
        if (at > begin) words.push_back(line.substr(begin, at - begin));
    }
    return words;
}

std::optional<NameServer> parse_server(std::string_view text) {
    NameServer server;
    const std::size_t percent = text.find('%');
    if (percent != text.npos) server.zone = printable(text.substr(percent + 1), 16);
    const auto address = IpAddress::parse(text.substr(0, percent));
    if (!address) return std::nullopt;
    server.address = *address;
    return server;
}

void read_option(std::string_view option, ResolvConf& into) {
    const auto number = [&](std::string_view name, unsigned most, unsigned& value) {
        if (!option.starts_with(name)) return;
        const std::string_view digits = option.substr(name.size());
        unsigned read = 0;
        const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), read);
        if (result.ec == std::errc() && result.ptr == digits.data() + digits.size()) {
            value = std::min(read, most);
        }
    };
    number("ndots:", 15, into.ndots);
    number("timeout:", 30, into.timeout_s);
    number("attempts:", 5, into.attempts);
}

// `lines`: with servers, so far.
void add_server(const NameServer& server, std::size_t& lines, ResolvConf& into) {
    auto& known = into.servers;
    const bool fresh = std::find(known.begin(), known.end(), server) == known.end();
    if (fresh && known.size() < most_servers) known.push_back(server);
    if (++lines <= most_lines) into.asked = known.size();
}

void read_line(const std::vector<std::string_view>& words, std::size_t& lines, ResolvConf& into) {
    if (words.size() < 2) return;
    const std::string_view keyword = words.front();
    if (keyword == "nameserver") {
        const auto server = parse_server(words[1]);
        if (server) add_server(*server, lines, into);
    } else if (keyword == "search" || keyword == "domain") {
        // The last such line counts.
        into.search.clear();
        const std::size_t count = keyword == "domain" ? 2 : words.size();
        for (std::size_t i = 1; i < count && into.search.size() < most_domains; ++i) {
            into.search.push_back(printable(words[i], longest_domain));
        }
    } else if (keyword == "options") {
        for (std::size_t i = 1; i < words.size(); ++i) read_option(words[i], into);
    }
}

struct Stub {
    const char* name;
    const char* file;  // resolv.conf(5) with the servers that it asks
};

// systemd-resolved.service(8): that file is "always kept up to date" with "the uplink DNS servers".
// NetworkManager writes the other when a resolver of its own stands in resolv.conf.
constexpr Stub stubs[] = {
    {"systemd-resolved", "/run/systemd/resolve/resolv.conf"},
    {"NetworkManager", "/run/NetworkManager/no-stub-resolv.conf"},
};

bool asks_this_machine(const ResolvConf& conf) {
    return std::any_of(conf.servers.begin(), conf.servers.end(), [](const NameServer& server) {
        return server.address.scope() == AddressScope::loopback;
    });
}

}  // namespace

std::string NameServer::to_string() const {
    return address.to_string() + (zone.empty() ? "" : '%' + zone);
}

ResolvConf parse_resolv_conf(std::string_view text) {
    ResolvConf conf;
    std::size_t lines = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.starts_with('#') || line.starts_with(';')) continue;
        read_line(words_of(line), lines, conf);
    }
    return conf;
}

ResolverSetup resolver_setup() {
    ResolverSetup setup;
    const auto conf = read_file("/etc/resolv.conf", largest_file);
    if (conf) setup.configured = parse_resolv_conf(*conf);
    if (setup.configured.servers.empty()) {
        setup.by_default = true;
        setup.configured.servers.push_back({IpAddress::v4(0x7F000001), {}});
        setup.configured.asked = 1;
        return setup;  // no stub has put that there
    }
    if (!asks_this_machine(setup.configured)) return setup;
    for (const Stub& stub : stubs) {
        const auto text = read_file(stub.file, largest_file);
        if (!text) continue;
        setup.behind_stub = parse_resolv_conf(*text).servers;
        setup.stub = stub.name;
        break;
    }
    return setup;
}

}  // namespace p2pdiag::net
