#include "net/borrowed_descriptor.hpp"

#include <unistd.h>

#include <boost/asio/use_awaitable.hpp>

#include "base/result.hpp"
#include "net/deadline.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;

BorrowedDescriptor::BorrowedDescriptor(const asio::any_io_executor& executor, int descriptor)
    : stream_(executor) {
    const int own = ::dup(descriptor);
    ErrorCode error;
    if (own >= 0) stream_.assign(own, error);
    if (error) ::close(own);
}

// Not by close(), as Asio leaves it to the kernel to forget a descriptor that is closed. What epoll
// watches is the file behind it (epoll(7), Q6), which the owner has open still: its events would go
// on coming, for whoever has the place in Asio's tables then.
BorrowedDescriptor::~BorrowedDescriptor() {
    if (valid()) ::close(stream_.release());
}

asio::awaitable<void> BorrowedDescriptor::wait(asio::posix::stream_descriptor::wait_type what,
                                               TimePoint until) {
    auto ready = stream_.async_wait(what, asio::use_awaitable);
    co_await in_time(until, std::move(ready));
}

}  // namespace p2pdiag::net
