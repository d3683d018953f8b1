#include "allow_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <thread>

namespace p2pdiag::firewall {

namespace {

constexpr std::chrono::milliseconds between_tries{20};

}  // namespace

// A lock on the network namespace itself needs no file, and no right. So anybody may hold it up:
// nobody waits for ever.
AllowLock AllowLock::take(std::chrono::steady_clock::time_point until) {
    // Not closed on exec: it is meant for the programs, too.
    Fd file(::open("/proc/self/ns/net", O_RDONLY));
    // Without /proc nobody can have it.
    if (!file.open()) return {std::move(file), true};
    while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return {std::move(file), true};
        if (std::chrono::steady_clock::now() >= until) return {std::move(file), false};
        std::this_thread::sleep_for(between_tries);
    }
    return {std::move(file), true};
}

}  // namespace p2pdiag::firewall
