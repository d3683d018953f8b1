// What the packets tell, in sentences with codes. docs/codes/capture.md has a page for each.
#pragma once

#include "evidence.hpp"

namespace p2pdiag::capture_plugin {

// The capture holds one side of conversations that go on: what is missing in it is no proof.
bool shows_one_direction(const Evidence& evidence);

// The most severe first. `lost`: packets are known to be missing, so that silence proves little.
std::vector<Finding> findings_of(const Evidence& evidence, const Outcome& result, bool lost);

}  // namespace p2pdiag::capture_plugin
