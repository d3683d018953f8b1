// Errors of the kernel and of Asio, in lib/net alone.
#pragma once

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>

#include "base/result.hpp"

namespace p2pdiag::net {

// What the system call that failed just now left in errno.
inline ErrorCode last_error() { return {errno, boost::system::system_category()}; }

// A cancelled operation is no news about the other side: what was known before it stays.
inline void throw_if_cancelled(const ErrorCode& error) {
    if (error == boost::asio::error::operation_aborted) throw boost::system::system_error(error);
}

}  // namespace p2pdiag::net
