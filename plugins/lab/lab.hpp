// The verb `p2pdiag lab`: reads its arguments and hands on to run, shell or check.
#pragma once

#include <p2pdiag/plugin.hpp>

namespace p2pdiag::lab {

int lab(Run& run);

}  // namespace p2pdiag::lab
