// What went wrong with the journal, in words for the person at the keyboard.
#pragma once

#include <boost/system/result.hpp>
#include <string>

namespace p2pdiag::change {

struct Problem {
    std::string what;
};
template <class T>
using Maybe = boost::system::result<T, Problem>;

}  // namespace p2pdiag::change
