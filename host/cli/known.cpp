#include "cli/known.hpp"

#include "cli/pages.hpp"

namespace p2pdiag::cli {

std::vector<Candidate> known_checks(const Context& context) {
    std::vector<Candidate> candidates;
    for (const loader::Plugin& plugin : context.plugins.loaded) {
        for (const loader::Check& check : plugin.checks) {
            candidates.push_back({check.id, check.title});
        }
    }
    return candidates;
}

std::vector<Candidate> known_code_words(const Context& context) {
    std::vector<Candidate> candidates;
    for (const std::string& code : Pages(context).codes()) {
        candidates.push_back({code, {}});
    }
    return candidates;
}

std::vector<Candidate> known_profiles(const Context& context) {
    std::vector<Candidate> candidates;
    for (const auto& [name, about] : profile::list(profile_request(context))) {
        candidates.push_back({name, about});
    }
    return candidates;
}

}  // namespace p2pdiag::cli
