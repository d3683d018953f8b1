// Packets live from the interfaces, handed to whoever analyses them as if they came from a file.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/json.hpp"
#include "capture/packet.hpp"
#include "helper_process.hpp"

namespace p2pdiag::capture_plugin {

struct LiveOrder {
    HelperOrder helper;
    std::optional<Milliseconds> duration;
    std::string write;  // a file; empty = none
};

// From the verb's arguments. What is not said is chosen: see docs/user/capture.md.
LiveOrder read_live_order(const json::object& arguments);

// Everything a person may want to see, but not the connection through which they see it:
// `ssh_connection` is the environment variable of sshd ("client port server port").
std::string default_live_filter(std::string_view ssh_connection);

// A file that must not be there yet, for its owner alone. Every write ends with a whole block, so
// that what is there can be read whatever happens.
class LiveFile {
public:
    // What is wrong, in words; empty when it is open.
    std::string open(const std::string& path);
    bool is_open() const { return file_.open(); }
    // Whole blocks. False with errno set once it is full; nothing of these is there then.
    bool write(ByteView blocks);

private:
    Fd file_;
    off_t size_ = 0;
};

}  // namespace p2pdiag::capture_plugin
