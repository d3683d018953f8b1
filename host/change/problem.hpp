// What went wrong with the journal, in words for the person at the keyboard.
#pragma once

#include "base/whole_file.hpp"

namespace p2pdiag::change {

using disk::Maybe;
using disk::Problem;

}  // namespace p2pdiag::change
