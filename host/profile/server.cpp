#include "profile/layers.hpp"

namespace p2pdiag::profile {
namespace {

// RFC 7064 §3.2 and RFC 7065 §3.2: "The default port is 3478 … for stun/turn over TCP and UDP, and
// 5349 over TLS", by way of RFC 8489 §8.1 and RFC 8656 §7.
constexpr std::uint16_t default_port = 3478;
constexpr std::uint16_t default_tls_port = 5349;

}  // namespace

options::Checked<std::string> normal_server(std::string_view text, std::string_view scheme) {
    const auto wrong = [](std::string why) { return options::Mismatch{std::move(why)}; };
    // Such a text is not repeated in the message: before the @ stands a secret.
    if (text.find('@') != text.npos) return wrong("must not hold a user or password before an @");

    const std::string plain = std::string(scheme) + ':';
    const std::string secure = std::string(scheme) + "s:";
    const bool tls = text.starts_with(secure);
    const bool uri = tls || text.starts_with(plain);
    if (uri) text.remove_prefix(tls ? secure.size() : plain.size());

    std::string_view query;
    const std::size_t question = uri ? text.find('?') : text.npos;
    if (question != text.npos) {
        query = text.substr(question);
        text = text.substr(0, question);
        // RFC 7065 §3.1: transport is the only parameter, and only turn URIs have it.
        if (scheme != "turn" || (query != "?transport=udp" && query != "?transport=tcp")) {
            return wrong(
                "has a parameter that is not known; only turn: has one, ?transport=udp or tcp");
        }
    }
    std::optional<std::uint16_t> port;
    if (uri) port = tls ? default_tls_port : default_port;
    const auto address = options::read_endpoint(text, port);
    if (!address) return address.error();
    std::string server = (tls ? secure : std::string()) + address->to_string();
    server += query;
    return options::Checked<std::string>(boost::system::in_place_value, std::move(server));
}

}  // namespace p2pdiag::profile
