// The sections and keys of a profile that are the host's own.
#pragma once

#include <string>
#include <vector>

#include "options/options.hpp"

namespace p2pdiag::profile {

struct Section {
    std::string name;
    std::vector<options::Option> options;
};

const std::vector<Section>& host_sections();

}  // namespace p2pdiag::profile
