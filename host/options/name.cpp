#include "options/name.hpp"

#include <algorithm>

namespace p2pdiag::options {

bool is_name(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    return !text.empty() && text.size() <= 64 && text.front() != '-' &&
           std::ranges::all_of(text, fits);
}

bool is_dotted_name(std::string_view text) {
    const std::size_t dot = text.find('.');
    return dot != text.npos && is_name(text.substr(0, dot)) && is_name(text.substr(dot + 1));
}

}  // namespace p2pdiag::options
