// How a function in lib/ reports failure: by value. Exceptions are for bugs.
#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace p2pdiag {

using ErrorCode = boost::system::error_code;

// A T, or the error_code that says why there is none. Each protocol has an error category of its
// own.
template <class T>
using Result = boost::system::result<T>;

}  // namespace p2pdiag
