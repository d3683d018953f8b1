#include "bounded_json.hpp"

#include <algorithm>
#include <boost/json/parser.hpp>
#include <string>

#include "large_pages.hpp"

namespace p2pdiag::firewall {

namespace {

// Operators nest, and nft allows expressions of some dozen levels.
constexpr std::size_t most_depth = 96;
// A value takes far more memory than the one or two bytes that it may be written in. The ruleset of
// 10 000 rules and 100 000 elements has half a million.
constexpr std::ptrdiff_t most_values = 8'000'000;

ReadError not_json(std::string_view text, std::size_t read, const ErrorCode& error) {
    std::size_t line = 1;
    for (const char c : text.substr(0, read)) line += c == '\n' ? 1 : 0;
    return {"not JSON at byte " + std::to_string(read) + " (line " + std::to_string(line) +
            "): " + error.message()};
}

}  // namespace

boost::system::result<json::value, ReadError> parse_ruleset(
    std::string_view text, boost::json::monotonic_resource& memory) {
    if (text.size() > max_ruleset_text) {
        return ReadError{"the ruleset is larger than " + std::to_string(max_ruleset_text >> 20) +
                         " MiB"};
    }
    prepare_memory(text.size());
    const auto values = std::count(text.begin(), text.end(), ',') +
                        std::count(text.begin(), text.end(), '[') +
                        std::count(text.begin(), text.end(), '{');
    if (values > most_values) {
        return ReadError{"the ruleset has more than " + std::to_string(most_values) + " values"};
    }
    boost::json::parse_options options;
    options.max_depth = most_depth;
    options.allow_invalid_utf8 = true;
    boost::json::parser parser({}, options);
    parser.reset(&memory);
    ErrorCode error;
    const std::size_t read = parser.write_some(text.data(), text.size(), error);
    if (error) return not_json(text, read, error);
    if (text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
        return ReadError{"more text after the JSON, at byte " + std::to_string(read)};
    }
    return parser.release();
}

}  // namespace p2pdiag::firewall
