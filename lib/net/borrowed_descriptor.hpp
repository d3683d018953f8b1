// A descriptor that somebody else owns, reads and closes, and that is waited for here.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/clock.hpp"

namespace p2pdiag::net {

class BorrowedDescriptor {
public:
    // `descriptor` is duplicated; not valid() where there are no more.
    BorrowedDescriptor(const boost::asio::any_io_executor& executor, int descriptor);
    ~BorrowedDescriptor();
    BorrowedDescriptor(const BorrowedDescriptor&) = delete;
    BorrowedDescriptor& operator=(const BorrowedDescriptor&) = delete;

    bool valid() const { return stream_.is_open(); }

    // Until it is ready or the time has come. It may end early for nothing: Asio hands an event
    // that was queued for a descriptor closed a moment ago to whoever is in its place. So look
    // whether there is what was waited for.
    boost::asio::awaitable<void> wait(boost::asio::posix::stream_descriptor::wait_type what,
                                      TimePoint until);

private:
    boost::asio::posix::stream_descriptor stream_;
};

}  // namespace p2pdiag::net
